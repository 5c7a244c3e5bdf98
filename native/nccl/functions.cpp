#include "nccl/functions.h"

#include <c10/cuda/CUDAGuard.h>
#include <stdlib.h>
#include <torch/csrc/cuda/nccl.h>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include <chrono>
#include <string>

namespace diffsal {
namespace {

using c10d::ProcessGroupNCCL;

std::string name_of(uint64_t major, uint64_t minor) { return "NCCL " + std::to_string(major) + "." + std::to_string(minor); }

// c10d's classes hold NCCL's, whose sizes differ from version to version.
std::string misfit() {
  auto version = torch::cuda::nccl::version();
  uint64_t major = version >> 32, minor = version >> 16 & 0xffff;
  if (major == NCCL_MAJOR && minor == NCCL_MINOR) return {};
  return "diffsal_nccl.so was compiled with the headers of " + name_of(NCCL_MAJOR, NCCL_MINOR) + ", and this libtorch has " + name_of(major, minor) +
         " inside. Compile the addon with that one's headers (NCCL_HOME), or use the backend 'gloo'.";
}

c10::intrusive_ptr<c10d::Backend> connect(const c10::intrusive_ptr<c10d::Store>& store, int rank, int world_size, const c10::Device& device) {
  // At a failure c10d's own threads would end the whole process. Whoever waits for a sum looks for failures, and tells them as ours.
  setenv("TORCH_NCCL_ASYNC_ERROR_HANDLING", "0", /*overwrite=*/0);
  setenv("TORCH_NCCL_ENABLE_MONITORING", "0", /*overwrite=*/0);
  c10::cuda::CUDAGuard guard(device.index());
  auto options = ProcessGroupNCCL::Options::create();
  // A live process may take its time; one that does not live is found by its silence.
  options->timeout = std::chrono::hours(24 * 7);
  auto engine = c10::make_intrusive<ProcessGroupNCCL>(store, rank, world_size, options);
  // Before the first sum, which then takes as long as each other one.
  engine->enableCollectivesTiming();
  engine->eagerConnectSingleDevice(device);
  return engine;
}

constexpr NcclFunctions functions = {misfit, connect};

}  // namespace
}  // namespace diffsal

extern "C" __attribute__((visibility("default"))) const diffsal::NcclFunctions* diffsal_nccl_functions() { return &diffsal::functions; }
