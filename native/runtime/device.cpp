#include "runtime/device.h"

#include <ATen/Context.h>
#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>

namespace diffsal {

std::string build_settings() { return at::show_config(); }

std::string libtorch_version() {
  const std::string key = "TORCH_VERSION=";
  auto settings = build_settings();
  auto begin = settings.find(key);
  if (begin == std::string::npos) return "unknown";
  begin += key.size();
  return settings.substr(begin, settings.find_first_of(", \n", begin) - begin);
}

int64_t cuda_devices() { return at::hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0; }

std::string cuda_problem() {
  if (cuda_devices() > 0) return {};
  return at::detail::getCUDAHooks().hasCUDA() ? "libtorch found no CUDA device; is the driver installed and new enough?"
                                              : "this libtorch is a CPU build, or finds no CUDA driver";
}

}  // namespace diffsal
