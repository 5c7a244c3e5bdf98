#include "binding/tensors.h"

#include <ATen/ops/empty.h>
#include <c10/util/accumulate.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "binding/environment.h"
#include "runtime/address_space.h"
#include "runtime/block_allocator.h"
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

// Where a typed array's elements are, as long as no JavaScript runs.
struct Elements {
  napi_typedarray_type type;
  size_t count;
  const void* data;
};

Elements elements_in(const Napi::Value& value) {
  Elements elements{};
  void* data = nullptr;
  // Not by node-addon-api's ArrayBuffer: memory that threads share is none.
  if (!value.IsTypedArray() || napi_get_typedarray_info(value.Env(), value, &elements.type, &elements.count, &data, nullptr, nullptr) != napi_ok) {
    throw Error(ErrorCode::internal, "A tensor's data cannot be read.");
  }
  elements.data = data;
  return elements;
}

Elements bytes_in(const Napi::Value& value) {
  auto bytes = elements_in(value);
  if (bytes.type != napi_uint8_array) throw Error(ErrorCode::internal, "Bytes are of another type.");
  return bytes;
}

// The number of elements, where it and the bytes they take are numbers at all.
size_t count_of(const std::vector<int64_t>& shape) {
  uint64_t count = 1, nonzero = 1;
  bool fits = true;
  for (auto size : shape) {
    fits = fits && size >= 0 && !__builtin_mul_overflow(nonzero, std::max<uint64_t>(1, static_cast<uint64_t>(size)), &nonzero);
    count *= static_cast<uint64_t>(size);
  }
  if (!fits || nonzero > (uint64_t{1} << 60)) throw Error(ErrorCode::internal, "A tensor's shape is too large.");
  return count;
}

// What V8 needs to collect garbage, and to go on: it ends the process where it finds less.
constexpr size_t enough_for_v8 = size_t{64} << 20, least_for_v8 = size_t{32} << 20;

// Makes V8 free the arrays that nobody holds. The second collection waits for what the first one frees in the background.
void collect_garbage(Napi::Env env) {
  constexpr int64_t pressure = int64_t{1} << 40;
  for (int i = 0; i < 2; ++i) {
    Napi::MemoryManagement::AdjustExternalMemory(env, pressure);
    Napi::MemoryManagement::AdjustExternalMemory(env, -pressure);
  }
}

// Memory of a result. Node-API's own call ends the process where there is none; JavaScript's constructor throws, unless too little is left for V8.
Napi::ArrayBuffer new_buffer(Napi::Env env, size_t bytes) {
  auto none = [bytes] {
    auto text = "Out of memory: " + std::to_string(bytes) + " bytes of a result cannot be had. Keep fewer results, or use a smaller batch or size.";
    return Error(ErrorCode::out_of_memory, text);
  };
  if (!can_map(bytes + enough_for_v8)) {
    release_unused();
    if (can_map(least_for_v8)) collect_garbage(env);
    if (!can_map(bytes + enough_for_v8)) throw none();
  }
  try {
    return Environment::of(env).new_buffer.Call({Napi::Number::New(env, static_cast<double>(bytes))}).As<Napi::ArrayBuffer>();
  } catch (const Napi::Error&) {
    throw none();
  }
}

}  // namespace

std::vector<int64_t> integers_from_js(const Napi::Value& value) {
  auto array = value.As<Napi::Array>();
  std::vector<int64_t> list;
  for (uint32_t i = 0; i < array.Length(); ++i) list.push_back(array.Get(i).As<Napi::Number>().Int64Value());
  return list;
}

at::Tensor tensor_from_js(const Napi::Value& value, const std::string& argument) {
  return tensor_from_js(value, argument, [](at::IntArrayRef shape, at::ScalarType type) { return at::empty(shape, type); });
}

at::Tensor tensor_from_js(const Napi::Value& value, const std::string& argument, const TensorMemory& memory) {
  auto object = value.As<Napi::Object>();
  auto shape = integers_from_js(object.Get("shape"));
  // The last that is asked of JavaScript: from here to the copy nothing of it runs, so what is found here is what is copied.
  auto elements = elements_in(object.Get("data"));
  for (const auto& dtype : dtypes) {
    if (dtype.array != elements.type) continue;
    auto count = count_of(shape);
    if (count != elements.count) {
      throw invalid_argument(argument + ".data", std::to_string(count) + " elements, as its shape says",
                             std::to_string(elements.count) + " elements");
    }
    auto tensor = memory(shape, dtype.scalar);
    if (count > 0) std::memcpy(tensor.data_ptr(), elements.data, count * dtype.bytes);
    return tensor;
  }
  throw Error(ErrorCode::internal, "A tensor's data is of an unknown type.");
}

Upload optional_upload(const Napi::Object& object, const char* name, const std::string& argument, Uploader& uploader) {
  auto value = object.Get(name);
  if (!value.IsObject()) return {};
  auto memory = [&](at::IntArrayRef shape, at::ScalarType type) { return uploader.memory(shape, type); };
  return uploader.begin(tensor_from_js(value, argument, memory));
}

at::Tensor optional_tensor(const Napi::Object& object, const char* name) {
  auto value = object.Get(name);
  return value.IsObject() ? tensor_from_js(value, name) : at::Tensor();
}

std::string bytes_from_js(const Napi::Value& value) {
  auto bytes = bytes_in(value);
  return {static_cast<const char*>(bytes.data), bytes.count};
}

std::optional<std::string> bytes_from_js(const Napi::Value& value, uint64_t begin, uint64_t end) {
  auto bytes = bytes_in(value);
  if (begin > end || end > bytes.count) return {};
  return std::string(static_cast<const char*>(bytes.data) + begin, end - begin);
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
    auto buffer = new_buffer(env, count * dtype.bytes);
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
