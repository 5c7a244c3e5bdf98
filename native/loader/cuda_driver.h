#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace diffsal {

// A CUDA device as the driver knows it, in the order in which libtorch counts them.
struct CudaDevice {
  std::string name, capability;  // "NVIDIA H200", "9.0"
  uint64_t total = 0;            // bytes
  uint64_t free = 0;             // 0 where NVML cannot tell
};

// What NVIDIA's driver says of itself, asked without libtorch and without making a context on any device.
struct CudaDriver {
  bool found = false;
  int version = 0;      // the newest CUDA it supports, 13000 for 13.0
  std::string problem;  // why it cannot be opened or finds no device, in its own words; empty where devices are there
  std::vector<CudaDevice> devices;
};

CudaDriver ask_cuda_driver();

}  // namespace diffsal
