#pragma once
#include <string>

namespace stand_in {

// From now on models that are opened on the CPU or the stand-in have graphs, made-up ones: "rerun" runs the same work into the same memory at each
// replay, "refuse" cannot be recorded, "exhausted" has no memory when it is replayed. Of "none" they have none again.
void rehearse_graphs(const std::string& how);

}  // namespace stand_in
