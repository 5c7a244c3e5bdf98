#include "runtime/graphs.h"

#include <c10/util/Exception.h>

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

class Rerun : public DeviceGraph {
 public:
  Rerun(std::function<void()> work, bool exhausted) : work_(std::move(work)), exhausted_(exhausted) {}
  void replay() override {
    TORCH_CHECK_WITH(OutOfMemoryError, !exhausted_, "this is a rehearsal");
    work_();
  }

 private:
  std::function<void()> work_;
  bool exhausted_;
};

class RehearsedGraphs : public GraphMaker {
 public:
  explicit RehearsedGraphs(Rehearsal rehearsal) : rehearsal_(rehearsal) {}

  std::unique_ptr<DeviceGraph> capture(const std::function<void()>& work) override {
    // As a capture does, it runs the host's part, and may be cancelled or fail on the way.
    work();
    TORCH_CHECK(rehearsal_ != Rehearsal::refuse, "operation not permitted when stream is capturing");
    return std::make_unique<Rerun>(work, rehearsal_ == Rehearsal::exhausted);
  }

 private:
  Rehearsal rehearsal_;
};

}  // namespace

std::shared_ptr<GraphMaker> device_graphs(at::Device device) {
  const auto* cuda = cuda_part();
  if (!device.is_cuda() || cuda == nullptr) return nullptr;
  return std::make_shared<CudaGraphs>(*cuda);
}

std::shared_ptr<GraphMaker> rehearsed_graphs(Rehearsal rehearsal) { return std::make_shared<RehearsedGraphs>(rehearsal); }

}  // namespace diffsal
