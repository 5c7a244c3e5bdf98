#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace diffsal {

// "2.13.0", of the libtorch that is loaded.
std::string libtorch_version();

// Why libtorch cannot use CUDA here; empty where it can.
std::string cuda_problem();

// How many CUDA devices libtorch can use; 0 for a CPU build or where there is no driver.
int64_t cuda_devices();

// libtorch's own description of its build, several lines.
std::string build_settings();

}  // namespace diffsal
