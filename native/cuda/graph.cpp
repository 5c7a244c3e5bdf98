// Before libtorch's header: the layout of at::cuda::CUDAGraph depends on CUDA_VERSION, which only cuda.h defines.
#include <cuda.h>
#if CUDA_VERSION < 12040
#error "CUDA's headers are older than 12.4: at::cuda::CUDAGraph would not be laid out as libtorch's is"
#endif

#include "cuda/graph.h"

#include <ATen/core/CachingHostAllocator.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <torch/headeronly/version.h>

namespace diffsal {
namespace {

namespace allocator = c10::cuda::CUDACachingAllocator;

// Whether it threw nothing.
template <typename Function>
bool attempt(Function function) noexcept {
  try {
    function();
    return true;
  } catch (...) {
    return false;
  }
}

class CudaGraph : public DeviceGraph {
 public:
  void begin(c10::MempoolId_t pool) {
    // Other threads go on calling CUDA: the other models', and JavaScript's, which uploads.
    graph_.capture_begin(pool, cudaStreamCaptureModeThreadLocal);
  }
  void end() { graph_.capture_end(); }
  bool ended() noexcept {
    return attempt([&] { graph_.pool(); });
  }
  void replay() override { graph_.replay(); }

 private:
  at::cuda::CUDAGraph graph_;
};

// Ends a capture that failed. Where the stream refuses to end it, because something in it cannot be captured, CUDAGraph (until 2.13)
// leaves the allocators in the state of a capture, in which they defer what others free.
// A reference to the pool is given back only where one was taken.
void abandon(CudaGraph& graph, c10::DeviceIndex device, c10::MempoolId_t pool) noexcept {
  if (graph.ended() || attempt([&] { graph.end(); }) || graph.ended()) return;
#if TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR < 14
  if (attempt([&] { allocator::endAllocateToPool(device, pool); })) attempt([&] { allocator::releasePool(device, pool); });
  auto* host = at::getHostAllocator(at::kCUDA);
  if (attempt([&] { host->end_allocate_to_pool(pool); })) attempt([&] { host->release_pool(pool); });
#endif
}

}  // namespace

uint64_t make_graph_pool() { return at::cuda::graph_pool_handle().second; }

std::unique_ptr<DeviceGraph> capture_graph(uint64_t number, const std::function<void()>& work) {
  c10::MempoolId_t pool{0, number};
  auto device = c10::cuda::current_device();
  auto graph = std::make_unique<CudaGraph>();
  try {
    graph->begin(pool);
    work();
    graph->end();
  } catch (...) {
    abandon(*graph, device, pool);
    throw;
  }
  return graph;
}

}  // namespace diffsal
