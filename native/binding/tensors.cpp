#include "binding/tensors.h"

#include <ATen/ops/empty.h>
#include <c10/util/accumulate.h>

#include <cstring>
#include <vector>

#include "runtime/error.h"

namespace diffsal {
namespace {

struct DType {
  const char* name;
  at::ScalarType scalar;
  napi_typedarray_type array;
  size_t bytes;
};

constexpr DType dtypes[] = {
    {"float32", at::kFloat, napi_float32_array, 4},
    {"float64", at::kDouble, napi_float64_array, 8},
    {"uint8", at::kByte, napi_uint8_array, 1},
    {"int64", at::kLong, napi_bigint64_array, 8},
};
static_assert(sizeof(float) == 4 && sizeof(double) == 8 && sizeof(int64_t) == 8);

}  // namespace

std::vector<int64_t> integers_from_js(const Napi::Value& value) {
  auto array = value.As<Napi::Array>();
  std::vector<int64_t> list;
  for (uint32_t i = 0; i < array.Length(); ++i) list.push_back(array.Get(i).As<Napi::Number>().Int64Value());
  return list;
}

at::Tensor tensor_from_js(const Napi::Value& value) {
  return tensor_from_js(value, [](at::IntArrayRef shape, at::ScalarType type) { return at::empty(shape, type); });
}

at::Tensor tensor_from_js(const Napi::Value& value, const TensorMemory& memory) {
  auto object = value.As<Napi::Object>();
  auto data = object.Get("data").As<Napi::TypedArray>();
  auto shape = integers_from_js(object.Get("shape"));
  for (const auto& dtype : dtypes) {
    if (dtype.array != data.TypedArrayType()) continue;
    auto tensor = memory(shape, dtype.scalar);
    // lib/ has compared them; reading past the array's end would be a crash.
    if (tensor.nbytes() != data.ByteLength()) throw Error(ErrorCode::internal, "A tensor's data does not fill its shape.");
    // Not by data.ArrayBuffer(): memory that threads share is none.
    void* bytes = nullptr;
    if (napi_get_typedarray_info(value.Env(), data, nullptr, nullptr, &bytes, nullptr, nullptr) != napi_ok) {
      throw Error(ErrorCode::internal, "A tensor's data cannot be read.");
    }
    if (tensor.nbytes() > 0) std::memcpy(tensor.data_ptr(), bytes, tensor.nbytes());
    return tensor;
  }
  throw Error(ErrorCode::internal, "A tensor's data is of an unknown type.");
}

Upload optional_upload(const Napi::Object& object, const char* name, Uploader& uploader) {
  auto value = object.Get(name);
  if (!value.IsObject()) return {};
  return uploader.begin(tensor_from_js(value, [&](at::IntArrayRef shape, at::ScalarType type) { return uploader.memory(shape, type); }));
}

at::Tensor optional_tensor(const Napi::Object& object, const char* name) {
  auto value = object.Get(name);
  return value.IsObject() ? tensor_from_js(value) : at::Tensor();
}

Napi::Value tensor_to_js(Napi::Env env, const at::Tensor& given) {
  auto tensor = given.to(at::kCPU).contiguous();
  void* data = nullptr;
  auto object = zeros_to_js(env, tensor.sizes(), tensor.scalar_type(), data);
  if (tensor.nbytes() > 0) std::memcpy(data, tensor.const_data_ptr(), tensor.nbytes());
  return object;
}

Napi::Value zeros_to_js(Napi::Env env, at::IntArrayRef sizes, at::ScalarType type, void*& data) {
  auto count = static_cast<size_t>(c10::multiply_integers(sizes));
  for (const auto& dtype : dtypes) {
    if (dtype.scalar != type) continue;
    auto buffer = Napi::ArrayBuffer::New(env, count * dtype.bytes);
    data = buffer.Data();
    napi_value array;
    if (napi_create_typedarray(env, dtype.array, count, buffer, 0, &array) != napi_ok) {
      throw Error(ErrorCode::internal, "A typed array could not be made.");
    }
    auto shape = Napi::Array::New(env, sizes.size());
    for (uint32_t i = 0; i < sizes.size(); ++i) shape.Set(i, Napi::Number::New(env, static_cast<double>(sizes[i])));
    auto object = Napi::Object::New(env);
    object.Set("dtype", dtype.name);
    object.Set("shape", shape);
    object.Set("data", Napi::Value(env, array));
    return object;
  }
  throw Error(ErrorCode::internal, "A tensor of this type cannot be handed to JavaScript.");
}

}  // namespace diffsal
