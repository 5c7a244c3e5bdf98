#pragma once
#include <ATen/core/Tensor.h>
#include <napi.h>

#include <functional>
#include <vector>

#include "runtime/upload.h"

namespace diffsal {

// An array of integers: a shape, strides, widths.
std::vector<int64_t> integers_from_js(const Napi::Value& value);

// A copy of a checked { dtype, shape, data } (lib/tensor.ts), so that the caller may reuse the array at once.
at::Tensor tensor_from_js(const Napi::Value& value);

// The same, in memory that `memory` gives for its shape and type.
using TensorMemory = std::function<at::Tensor(at::IntArrayRef, at::ScalarType)>;
at::Tensor tensor_from_js(const Napi::Value& value, const TensorMemory& memory);

// A copy of a property, whose way to the device is begun; undefined where it is no object.
Upload optional_upload(const Napi::Object& object, const char* name, Uploader& uploader);

// A copy of a property; undefined where it is no object.
at::Tensor optional_tensor(const Napi::Object& object, const char* name);

// A { dtype, shape, data } of the tensor's values.
Napi::Value tensor_to_js(Napi::Env env, const at::Tensor& tensor);

// The same of zeros, which `data` is the place of while the result lives.
Napi::Value zeros_to_js(Napi::Env env, at::IntArrayRef sizes, at::ScalarType type, void*& data);

}  // namespace diffsal
