#pragma once
#include <ATen/core/Tensor.h>
#include <napi.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runtime/upload.h"

namespace diffsal {

// The one way that tensors and arrays come in and go out. What comes in is part of a Call's arguments.

// An array of integers: a shape, strides, widths.
std::vector<int64_t> integers_from_js(const Napi::Value& value);

// A copy of the values of a { dtype, shape, data } (lib/tensor.ts), so that the caller may reuse the array at once. `argument` is what the caller
// calls it. Its data is looked at and copied in one go: where it no longer fills the shape, because its buffer was detached or shrunk since
// it was checked, that is refused.
at::Tensor tensor_from_js(const Napi::Value& value, const std::string& argument);

// The same, in memory that `memory` gives for its shape and type.
using TensorMemory = std::function<at::Tensor(at::IntArrayRef, at::ScalarType)>;
at::Tensor tensor_from_js(const Napi::Value& value, const std::string& argument, const TensorMemory& memory);

// A copy of a property, whose way to the device is begun; undefined where it is no object.
Upload optional_upload(const Napi::Object& object, const char* name, const std::string& argument, Uploader& uploader);

// A copy of a property; undefined where it is no object.
at::Tensor optional_tensor(const Napi::Object& object, const char* name);

// A copy of a Uint8Array's bytes.
std::string bytes_from_js(const Napi::Value& value);
// Those from `begin` to `end`; nothing where it has not so many.
std::optional<std::string> bytes_from_js(const Napi::Value& value, uint64_t begin, uint64_t end);

// A { dtype, shape, data } of the tensor's values. Throws out_of_memory where the array cannot be had, as the next one does.
Napi::Value tensor_to_js(Napi::Env env, const at::Tensor& tensor);

// The same of zeros, which `data` is the place of while the result lives.
Napi::Value zeros_to_js(Napi::Env env, at::IntArrayRef sizes, at::ScalarType type, void*& data);

}  // namespace diffsal
