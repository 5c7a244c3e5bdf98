#pragma once
#include <cstdint>

namespace diffsal {

// Bytes of one CUDA device.
struct CudaMemory {
  uint64_t allocated;  // by tensors of this process
  uint64_t reserved;   // by libtorch's allocator, these included
  uint64_t total, free;
};

// What diffsal_cuda.so offers to the core, which does not link it. A failure is a c10::Error. Each function is for any thread.
struct CudaFunctions {
  CudaMemory (*memory)(int device);
  // Gives the device what the allocator keeps for later tensors.
  void (*release_cached)();
};

}  // namespace diffsal

// The library's one symbol.
extern "C" const diffsal::CudaFunctions* diffsal_cuda_functions();
