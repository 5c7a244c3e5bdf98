#pragma once
#include <string>
#include <vector>

namespace stand_in {

// Notes a mistake that cannot be thrown where it is seen, or that CUDA would punish only now and then.
void find(const std::string& mistake);
// Notes that the host waited for the device without saying so: item(), a copy to or from memory that is not pinned.
void wait_found(const std::string& reason);

// What was noted since the last call.
std::vector<std::string> take_mistakes();
std::vector<std::string> take_waits();

}  // namespace stand_in
