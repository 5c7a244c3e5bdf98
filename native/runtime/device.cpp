#include "runtime/device.h"

#include <ATen/Context.h>
#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "runtime/own_stream.h"

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

bool use_device(at::Device device) {
  if (!works_apart(device)) return true;
  c10::impl::VirtualGuardImpl guard(device.type());
  guard.setDevice(device);
  at::globalContext().setAllowTF32CuDNN(false);
  return take_own_stream(device);
}

void synchronize(at::Device device) {
  if (!works_apart(device)) return;
  c10::impl::VirtualGuardImpl guard(device.type());
  guard.synchronizeStream(guard.getStream(device));
}

}  // namespace diffsal
