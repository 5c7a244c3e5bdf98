#pragma once
#include <string>

namespace stand_in {

// Makes one of the mistakes that the device finds, by its name, so that a test sees it found.
void provoke(const std::string& mistake);

}  // namespace stand_in
