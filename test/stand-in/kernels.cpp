// The device's operations: those of the CPU, on the device's memory, after a look at what they are given.
#include <ATen/EmptyTensor.h>
#include <ATen/ops/_local_scalar_dense.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_strided.h>
#include <torch/library.h>

#include <cstring>
#include <map>
#include <optional>
#include <set>

#include "memory.h"
#include "report.h"
#include "streams.h"

namespace stand_in {
namespace {

using at::Tensor;
using c10::IValue;

constexpr c10::DispatchKeySet keys(c10::DispatchKey::PrivateUse1);

bool is_here(const Tensor& tensor) { return tensor.device().type() == c10::DeviceType::PrivateUse1; }

std::string described(const Tensor& tensor) { return c10::str(tensor.scalar_type(), tensor.sizes()); }

Tensor empty(at::IntArrayRef sizes, std::optional<at::ScalarType> type, std::optional<at::Layout>, std::optional<at::Device> device,
             std::optional<bool> pinned, std::optional<at::MemoryFormat> format) {
  TORCH_CHECK(!pinned.value_or(false), "the device's memory cannot be pinned");
  c10::OptionalDeviceGuard guard(device);
  return Tensor(at::detail::empty_generic(sizes, device_allocator(), keys, c10::dtype_or_default(type), format));
}

Tensor empty_strided(at::IntArrayRef sizes, at::IntArrayRef strides, std::optional<at::ScalarType> type, std::optional<at::Layout>,
                     std::optional<at::Device> device, std::optional<bool> pinned) {
  TORCH_CHECK(!pinned.value_or(false), "the device's memory cannot be pinned");
  c10::OptionalDeviceGuard guard(device);
  return Tensor(at::detail::empty_strided_generic(sizes, strides, device_allocator(), keys, c10::dtype_or_default(type)));
}

Tensor view_of(const Tensor& base, const Tensor& like) {
  auto view = at::detail::make_tensor<c10::TensorImpl>(c10::TensorImpl::VIEW, c10::Storage(base.storage()), base.key_set(), like.dtype());
  view.unsafeGetTensorImpl()->set_sizes_and_strides(like.sizes(), like.strides(), like.storage_offset());
  return view;
}

// The operations whose result depends on values in a way that the host must know: CUDA waits in them.
bool host_needs_values(const std::string& name) {
  static const std::set<std::string> names = {"aten::nonzero", "aten::masked_select",      "aten::_unique2", "aten::unique_dim",
                                              "aten::equal",   "aten::unique_consecutive", "aten::bincount", "aten::repeat_interleave"};
  return names.count(name) > 0;
}

// A call's tensors on the way to the CPU, and its results on the way back.
class Passage {
 public:
  explicit Passage(const c10::OperatorHandle& op) : op_(op) {}

  IValue in(const IValue& value, bool write) {
    if (value.isTensor()) return to_cpu(value.toTensor(), write);
    if (value.isTensorList()) {
      c10::List<Tensor> list;
      for (const Tensor& tensor : value.toTensorVector()) list.push_back(to_cpu(tensor, write));
      return list;
    }
    if (value.isOptionalTensorList()) {
      c10::List<std::optional<Tensor>> list;
      for (const std::optional<Tensor>& tensor : value.toOptionalTensorVector()) {
        if (tensor && tensor->defined() && (tensor->scalar_type() == at::kBool || tensor->scalar_type() == at::kByte))
          wait_found("an index by a mask");
        list.push_back(tensor ? std::make_optional(to_cpu(*tensor, write)) : std::nullopt);
      }
      return list;
    }
    if (value.isDevice()) {
      if (!device_) device_ = value.toDevice();
      return at::Device(at::kCPU);
    }
    return value;
  }

  // Says to the stream what is read and written.
  void give_to_stream() {
    stream_ = current_stream(device().index());
    number_ = launch(*stream_);
    for (const auto& [tensor, write] : given_) touch(tensor, write, *stream_, number_);
  }

  IValue out(const IValue& value) {
    if (value.isTensor()) return from_cpu(value.toTensor());
    if (!value.isTensorList()) return value;
    c10::List<Tensor> list;
    for (const Tensor& tensor : value.toTensorVector()) list.push_back(from_cpu(tensor));
    return list;
  }

  // Results that the caller brought without memory.
  void give_memory() {
    for (auto& [tensor, host] : unsized_) {
      if (host.numel() == 0) continue;
      auto made = moved(host);
      tensor.unsafeGetTensorImpl()->set_storage_keep_dtype(made.storage());
      tensor.unsafeGetTensorImpl()->set_sizes_and_strides(made.sizes(), made.strides(), 0);
    }
  }

 private:
  at::Device device() const { return device_.value_or(at::Device(c10::DeviceType::PrivateUse1, -1)); }

  Tensor to_cpu(const Tensor& tensor, bool write) {
    if (!tensor.defined()) return tensor;
    if (!is_here(tensor)) {
      // A number, which goes with the launch.
      bool number = tensor.is_cpu() && tensor.dim() == 0 && !write;
      TORCH_CHECK(number, op_.schema().name(), " mixes devices: a tensor of ", described(tensor), " is on ", tensor.device(),
                  ", others on the stand-in");
      return tensor;
    }
    TORCH_CHECK(!device_ || device_->type() != tensor.device().type() || device_->index() < 0 || device_->index() == tensor.device().index(),
                op_.schema().name(), " mixes devices: ", *device_, " and ", tensor.device());
    device_ = tensor.device();
    given_.emplace_back(tensor, write);
    auto* impl = tensor.unsafeGetTensorImpl();
    if (auto found = hosts_.find(impl); found != hosts_.end()) return found->second;
    Tensor host;
    if (write && tensor.numel() == 0) {
      host = at::empty(tensor.sizes(), at::TensorOptions(tensor.scalar_type()));
      unsized_.emplace_back(tensor, host);
    } else {
      auto* storage = tensor.storage().unsafeGetStorageImpl();
      if (storages_.count(storage) == 0) storages_.emplace(storage, host_storage_of(tensor));
      host = on_host(tensor, storages_.at(storage));
    }
    hosts_.emplace(impl, host);
    back_.emplace(host.unsafeGetTensorImpl(), tensor);
    return host;
  }

  Tensor from_cpu(const Tensor& host) {
    if (!host.defined()) return host;
    if (auto same = back_.find(host.unsafeGetTensorImpl()); same != back_.end()) return same->second;
    for (const auto& [tensor, write] : given_) {
      auto found = storages_.find(tensor.storage().unsafeGetStorageImpl());
      if (found != storages_.end() && found->second.unsafeGetStorageImpl() == host.storage().unsafeGetStorageImpl()) return view_of(tensor, host);
    }
    return moved(host);
  }

  Tensor moved(const Tensor& host) {
    auto made = at::empty_strided(host.sizes(), host.strides(), host.options().device(device()));
    if (host.numel() > 0) {
      on_host(made, host_storage_of(made)).copy_(host);
      touch(made, true, *stream_, number_);
    }
    return made;
  }

  const c10::OperatorHandle& op_;
  std::optional<at::Device> device_;
  std::optional<c10::Stream> stream_;
  uint64_t number_ = 0;
  std::vector<std::pair<Tensor, bool>> given_;
  std::vector<std::pair<Tensor, Tensor>> unsized_;
  std::map<c10::StorageImpl*, c10::Storage> storages_;
  std::map<c10::TensorImpl*, Tensor> hosts_, back_;
};

bool is_view(const c10::FunctionSchema& schema) {
  const auto& returns = schema.returns();
  return returns.size() == 1 && returns[0].alias_info() != nullptr && !returns[0].alias_info()->isWrite();
}

void on_cpu(const c10::OperatorHandle& op, c10::DispatchKeySet, torch::jit::Stack* stack) {
  const auto& schema = op.schema();
  TORCH_CHECK(schema.name().find("mkldnn") == std::string::npos && schema.name().find("quantized") == std::string::npos, schema.name(),
              " is the CPU's alone");
  if (host_needs_values(schema.name())) wait_found(schema.name());
  Passage passage(op);
  auto count = schema.arguments().size();
  auto given = torch::jit::last(*stack, count).vec();
  torch::jit::drop(*stack, count);
  torch::jit::Stack call;
  for (size_t i = 0; i < count; ++i) {
    const auto* alias = schema.arguments()[i].alias_info();
    call.push_back(passage.in(given[i], alias != nullptr && alias->isWrite()));
  }
  if (!is_view(schema)) passage.give_to_stream();
  op.redispatchBoxed(c10::DispatchKeySet(c10::DispatchKey::CPU), &call);
  passage.give_memory();
  for (const auto& result : call) stack->push_back(passage.out(result));
}

// Whether CUDA copies memory as it lies.
bool same_layout(const Tensor& a, const Tensor& b) {
  return a.scalar_type() == b.scalar_type() && a.is_non_overlapping_and_dense() && a.sizes() == b.sizes() && a.strides() == b.strides();
}

Tensor host_of(const Tensor& tensor) { return on_host(tensor, host_storage_of(tensor)); }

// Between two devices CUDA waits for both, as libtorch copies.
void copy_across(const Tensor& from, const Tensor& to) {
  auto sends = current_stream(from.device().index()), receives = current_stream(to.device().index());
  touch(from, false, sends, launch(sends));
  touch(to, true, receives, launch(receives));
  wait_for(sends);
  wait_for(receives);
  host_of(to).copy_(host_of(from));
}

void copy_here(const Tensor& from, const Tensor& to) {
  auto stream = current_stream(to.device().index());
  auto number = launch(stream);
  touch(from, false, stream, number);
  touch(to, true, stream, number);
  host_of(to).copy_(host_of(from));
}

void copy_to_device(const Tensor& from, const Tensor& to, bool waits_not) {
  auto stream = current_stream(to.device().index());
  touch(to, true, stream, launch(stream));
  if (waits_not && from.is_pinned() && same_layout(from, to)) {
    std::memset(host_of(to).mutable_data_ptr(), 0xff, to.nbytes());
    copy_later(stream, /*to_host=*/false, [from, to] { host_of(to).copy_(from); });
    return;
  }
  wait_found("a copy of " + described(from) + " to the device");
  wait_for(stream);
  host_of(to).copy_(from);
}

void copy_to_host(const Tensor& from, const Tensor& to, bool waits_not) {
  auto stream = current_stream(from.device().index());
  touch(from, false, stream, launch(stream));
  if (waits_not && to.is_pinned() && to.is_contiguous()) {
    auto values = host_of(from).clone();
    std::memset(to.mutable_data_ptr(), 0xff, to.nbytes());
    copy_later(stream, /*to_host=*/true, [values, to] { to.copy_(values); });
    return;
  }
  wait_found("a copy of " + described(from) + " to the host");
  wait_for(stream);
  to.copy_(host_of(from));
}

Tensor copy_from(const Tensor& from, const Tensor& to, bool waits_not) {
  auto source = from.expand_as(to);
  if (to.numel() == 0) return to;
  if (is_here(source) && is_here(to)) source.device() == to.device() ? copy_here(source, to) : copy_across(source, to);
  else if (is_here(to)) copy_to_device(source, to, waits_not);
  else copy_to_host(source, to, waits_not);
  return to;
}

at::Scalar local_scalar(const Tensor& tensor) {
  auto stream = current_stream(tensor.device().index());
  touch(tensor, false, stream, launch(stream));
  wait_found("item()");
  wait_for(stream);
  return at::_local_scalar_dense(host_of(tensor));
}

// The layout that CUDA's convolutions give: channels last where the maps or the weights have them so.
at::MemoryFormat layout_of(const Tensor& x, const Tensor& weight) {
  auto last = x.dim() == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::ChannelsLast3d;
  return x.suggest_memory_format() == last || weight.suggest_memory_format() == last ? last : at::MemoryFormat::Contiguous;
}

// Convolutions of a device that libtorch does not know have operations of their own, which the CPU has not.
void as_convolution(const c10::OperatorHandle& op, c10::DispatchKeySet, torch::jit::Stack* stack) {
  Passage passage(op);
  auto count = op.schema().arguments().size();
  auto given = torch::jit::last(*stack, count).vec();
  torch::jit::drop(*stack, count);
  std::vector<IValue> in;
  for (const auto& value : given) in.push_back(passage.in(value, false));
  passage.give_to_stream();
  // Backward there is the result's gradient before them, and no bias.
  size_t x = count == 9 ? 0 : 1;
  auto maps = in[x].toTensor(), weight = in[x + 1].toTensor();
  auto layout = layout_of(maps, weight);
  auto give = [&](const Tensor& result) { stack->push_back(passage.out(result.defined() && result.dim() > 1 ? result.contiguous(layout) : result)); };
  auto stride = in[3].toIntVector(), padding = in[4].toIntVector(), dilation = in[5].toIntVector(), after = in[7].toIntVector();
  if (count == 9) {
    auto bias = in[2].isNone() ? std::optional<Tensor>() : in[2].toTensor();
    give(at::convolution(maps, weight, bias, stride, padding, dilation, in[6].toBool(), after, in[8].toInt()));
    return;
  }
  auto mask = in[9].toBoolList();
  auto [dx, dweight, dbias] =
      at::convolution_backward(in[0].toTensor(), maps, weight, at::IntArrayRef({weight.size(0)}), stride, padding, dilation, in[6].toBool(), after,
                               in[8].toInt(), std::array<bool, 3>{mask.get(0), mask.get(1), mask.get(2)});
  for (const auto& gradient : {dx, dweight, dbias}) give(gradient);
}

}  // namespace

TORCH_LIBRARY_IMPL(_, PrivateUse1, library) { library.fallback(torch::CppFunction::makeFromBoxedFunction<&on_cpu>()); }

TORCH_LIBRARY_IMPL(aten, PrivateUse1, library) {
  library.impl("empty.memory_format", empty);
  library.impl("empty_strided", empty_strided);
  library.impl("_copy_from", copy_from);
  library.impl("_local_scalar_dense", local_scalar);
  // CUDA has kernels of its own for these; others get them made of several operations, which take contiguous maps alone.
  for (const auto* norm : {"native_group_norm", "native_layer_norm"}) library.impl(norm, torch::CppFunction::makeFromBoxedFunction<&on_cpu>());
  library.impl("convolution_overrideable", torch::CppFunction::makeFromBoxedFunction<&as_convolution>());
  library.impl("convolution_backward_overrideable", torch::CppFunction::makeFromBoxedFunction<&as_convolution>());
}

}  // namespace stand_in
