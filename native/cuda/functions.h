#pragma once
#include <cstdint>
#include <functional>
#include <memory>

#include "runtime/device_graph.h"

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
  // Gives back what the allocators keep for later tensors, the device's and the one of pinned memory.
  void (*release_cached)();
  // The number of a new pool of memory that graphs share: what one needs only while it runs, another one needs too.
  uint64_t (*make_pool)();
  // Records what `work` queues on the calling thread's stream, which is not the device's default one. Nothing of it runs. What `work`
  // throws is thrown on, and no trace of the attempt is left. Graphs of one pool run on one stream.
  std::unique_ptr<DeviceGraph> (*capture)(uint64_t pool, const std::function<void()>& work);
};

}  // namespace diffsal

// The library's one symbol.
extern "C" const diffsal::CudaFunctions* diffsal_cuda_functions();
