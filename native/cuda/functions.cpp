#include "cuda/functions.h"

#include <ATen/core/CachingHostAllocator.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <cuda_runtime_api.h>

#include "cuda/graph.h"

namespace diffsal {
namespace {

namespace allocator = c10::cuda::CUDACachingAllocator;

CudaMemory memory(int device) {
  auto index = static_cast<c10::DeviceIndex>(device);
  c10::cuda::CUDAGuard guard(index);
  size_t free = 0, total = 0;
  C10_CUDA_CHECK(cudaMemGetInfo(&free, &total));
  auto stats = allocator::getDeviceStats(index);
  auto current = [](const auto& statistic) { return static_cast<uint64_t>(statistic[0].current); };  // [0]: of pools of every size
  return {current(stats.allocated_bytes), current(stats.reserved_bytes), total, free};
}

void release_cached() {
  allocator::emptyCache();
  at::getHostAllocator(at::kCUDA)->empty_cache();
}

constexpr CudaFunctions functions = {memory, release_cached, make_graph_pool, capture_graph};

}  // namespace
}  // namespace diffsal

extern "C" __attribute__((visibility("default"))) const diffsal::CudaFunctions* diffsal_cuda_functions() { return &diffsal::functions; }
