#pragma once
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>

#include <array>
#include <optional>
#include <type_traits>
#include <utility>

namespace diffsal {

// A value that is made of a key and kept until it is asked for with another. It is made as ordinary tensors, which autograd may save, but outside
// of autograd. It belongs to one thread, as the network that it is a part of.
template <typename Key, typename Value>
class Kept {
 public:
  template <typename Make>
  const Value& of(const Key& key, Make make) const {
    if (!value_ || !(key_ == key)) {
      c10::InferenceMode ordinary(false);
      at::NoGradGuard no_grad;
      value_.emplace(make());
      key_ = key;
    }
    return *value_;
  }

 private:
  mutable Key key_{};
  mutable std::optional<Value> value_;
};

// What tells whether a parameter has changed: its memory, and how often that was written to.
struct Version {
  const void* memory = nullptr;
  uint32_t writes = 0;

  Version() = default;
  Version(const at::Tensor& tensor)  // NOLINT: a parameter stands for its version
      : memory(tensor.defined() ? tensor.unsafeGetTensorImpl() : nullptr), writes(0) {
    if (!tensor.defined()) return;
    if (tensor.has_storage()) memory = tensor.const_data_ptr();
    if (!tensor.is_inference()) writes = static_cast<uint32_t>(tensor._version());
  }
  bool operator==(const Version&) const = default;
};

// A value that is made of some parameters, packed, folded or cast, and kept beside them until one of them changes.
template <typename Value, size_t count = 2>
using Derived = Kept<std::array<Version, count>, Value>;

}  // namespace diffsal
