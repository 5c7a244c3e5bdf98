#include "runtime/upload.h"

#include <ATen/ops/empty.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/util/Exception.h>

#include "runtime/device.h"
#include "runtime/transfer.h"

namespace diffsal {
namespace {

// Some batches of sixteen clips of the paper's size, or one of large pictures.
constexpr int64_t most_under_way = int64_t{1} << 29;

}  // namespace

Upload::Copy::Copy(at::Tensor copied, c10::Event event, std::shared_ptr<std::atomic<int64_t>> counter)
    : tensor(std::move(copied)), done(std::move(event)), under_way(std::move(counter)) {
  *under_way += static_cast<int64_t>(tensor.nbytes());
}

Upload::Copy::~Copy() { *under_way -= static_cast<int64_t>(tensor.nbytes()); }

at::Tensor Upload::on(at::Device device) const {
  if (!copy_) return to_device(host_, device);
  c10::impl::VirtualGuardImpl guard(device.type());
  auto stream = guard.getStream(device);
  copy_->done.block(stream);
  // The memory is the uploading stream's, which would use it again as soon as the tensor is gone.
  guard.recordDataPtrOnStream(copy_->tensor.storage().data_ptr(), stream);
  return copy_->tensor;
}

bool Uploader::room_for(int64_t bytes) const { return works_apart(device_) && *under_way_ + bytes <= most_under_way; }

at::Tensor Uploader::memory(at::IntArrayRef shape, at::ScalarType type) const {
  auto bytes = c10::multiply_integers(shape) * static_cast<int64_t>(c10::elementSize(type));
  if (bytes == 0 || !room_for(bytes)) return at::empty(shape, type);
  // The calling thread is JavaScript's, which has no device of its own.
  c10::DeviceGuard guard(device_);
  return host_memory(shape, type);
}

Upload Uploader::begin(at::Tensor host) {
  auto bytes = static_cast<int64_t>(host.nbytes());
  if (bytes == 0 || !room_for(bytes) || !host.is_pinned()) return Upload(std::move(host));
  if (!stream_) stream_ = c10::impl::VirtualGuardImpl(device_.type()).getStreamFromGlobalPool(device_, /*isHighPriority=*/true);
  try {
    c10::StreamGuard guard(*stream_);
    auto copy = host.to(host.options().device(device_).pinned_memory(false), /*non_blocking=*/true);
    c10::Event done(device_.type());
    done.record(*stream_);
    return Upload(std::move(host), std::make_shared<const Upload::Copy>(std::move(copy), std::move(done), under_way_));
  } catch (const c10::OutOfMemoryError&) {
    // There may be some when it is its turn.
    return Upload(std::move(host));
  }
}

}  // namespace diffsal
