#include "runtime/graphs.h"

#include <array>
#include <atomic>
#include <mutex>

#include "runtime/cuda_part.h"

namespace diffsal {
namespace {

class CudaGraphs : public GraphMaker {
 public:
  explicit CudaGraphs(const CudaFunctions& cuda) : cuda_(cuda), pool_(cuda.make_pool()) {}

  std::unique_ptr<DeviceGraph> capture(const std::function<void()>& work) override {
    // One at a time in a process: while one is under way libtorch's allocator gives nothing back to make room for anybody.
    static std::mutex mutex;
    std::lock_guard lock(mutex);
    // A pool cannot use what the allocator keeps. And where all of a pool's graphs have gone, libtorch makes it anew only once its memory was
    // given back.
    make_room();
    return cuda_.capture(pool_, work);
  }
  void make_room() override { cuda_.release_cached(); }

 private:
  const CudaFunctions& cuda_;
  uint64_t pool_;
};

std::array<std::atomic<MakeGraphs>, static_cast<size_t>(c10::DeviceType::COMPILE_TIME_MAX_DEVICE_TYPES)> brought;

}  // namespace

std::shared_ptr<GraphMaker> device_graphs(at::Device device) {
  if (auto make = brought.at(static_cast<size_t>(device.type())).load()) return make();
  const auto* cuda = cuda_part();
  if (!device.is_cuda() || cuda == nullptr) return nullptr;
  return std::make_shared<CudaGraphs>(*cuda);
}

void diffsal_bring_graphs(c10::DeviceType type, MakeGraphs make) { brought.at(static_cast<size_t>(type)) = make; }

}  // namespace diffsal
