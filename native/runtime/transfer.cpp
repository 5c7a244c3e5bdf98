#include "runtime/transfer.h"

#include <ATen/ops/empty.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/util/Exception.h>

#include "runtime/device.h"

namespace diffsal {

at::Tensor host_memory(at::IntArrayRef shape, at::ScalarType type) {
  try {
    return at::empty(shape, at::TensorOptions(type).pinned_memory(true));
  } catch (const c10::Error&) {
    return at::empty(shape, type);
  }
}

at::Tensor to_device(const at::Tensor& host, at::Device device) {
  if (!works_apart(device) || !host.is_cpu() || host.numel() == 0) return host.to(device);
  auto pinned = host.is_pinned() ? host : host_memory(host.sizes(), host.scalar_type()).copy_(host);
  return pinned.to(pinned.options().device(device).pinned_memory(false), /*non_blocking=*/true);
}

at::Tensor to_host(const at::Tensor& tensor) {
  if (!works_apart(tensor.device())) return tensor.to(at::kCPU);
  auto host = host_memory(tensor.sizes(), tensor.scalar_type());
  host.copy_(tensor, /*non_blocking=*/true);
  synchronize(tensor.device());
  return host;
}

void Pace::queued() {
  if (!works_apart(device_)) return;
  c10::Event now(device_.type());
  now.record(c10::impl::VirtualGuardImpl(device_.type()).getStream(device_));
  if (before_) before_->synchronize();
  before_.emplace(std::move(now));
}

}  // namespace diffsal
