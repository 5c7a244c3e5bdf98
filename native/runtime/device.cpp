#include "runtime/device.h"

#include <ATen/Context.h>
#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace diffsal {

std::string libtorch_version() {
  const std::string key = "TORCH_VERSION=";
  auto settings = at::show_config();
  auto begin = settings.find(key);
  if (begin == std::string::npos) return "unknown";
  begin += key.size();
  return settings.substr(begin, settings.find_first_of(", \n", begin) - begin);
}

int64_t cuda_version() {
  const auto& hooks = at::detail::getCUDAHooks();
  return hooks.hasCUDART() ? hooks.versionCUDART() : 0;
}

void leave_out_nnpack() { at::globalContext().setUserEnabledNNPACK(false); }

int64_t cuda_devices() { return at::detail::getCUDAHooks().getNumGPUs(); }

void use_device(at::Device device) {
  if (!device.is_cuda()) return;
  c10::impl::VirtualGuardImpl guard(device.type());
  guard.setDevice(device);
  guard.exchangeStream(guard.getStreamFromGlobalPool(device));
  at::globalContext().setAllowTF32CuDNN(false);
}

void synchronize(at::Device device) {
  if (!device.is_cuda()) return;
  c10::impl::VirtualGuardImpl guard(device.type());
  guard.synchronizeStream(guard.getStream(device));
}

}  // namespace diffsal
