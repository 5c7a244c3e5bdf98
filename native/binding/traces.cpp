#include "binding/traces.h"

#include <ATen/core/Tensor.h>

#include <type_traits>

#include "binding/tensors.h"
#include "runtime/error.h"

namespace diffsal {
namespace {

Napi::Number js_number(Napi::Env env, double value) { return Napi::Number::New(env, value); }

template <typename List, typename Convert>
Napi::Array array(Napi::Env env, const List& list, Convert convert) {
  auto made = Napi::Array::New(env, list.size());
  uint32_t i = 0;
  for (const auto& item : list) made.Set(i++, convert(item));
  return made;
}

Napi::Array sizes_to_js(Napi::Env env, at::IntArrayRef sizes) {
  return array(env, sizes, [&](int64_t size) { return js_number(env, static_cast<double>(size)); });
}

const char* name_of(at::ScalarType type) {
  switch (type) {
    case at::kFloat: return "float32";
    case at::kDouble: return "float64";
    case at::kLong: return "int64";
    case at::kBool: return "bool";
    default: throw Error(ErrorCode::internal, "A traced tensor is of a type that no network has.");
  }
}

Napi::Object reference(Napi::Env env, const std::variant<Trace::Value, Trace::Constant>& tensor) {
  auto object = Napi::Object::New(env);
  if (const auto* value = std::get_if<Trace::Value>(&tensor)) object.Set("value", js_number(env, static_cast<double>(value->number)));
  else object.Set("constant", js_number(env, static_cast<double>(std::get<Trace::Constant>(tensor).number)));
  return object;
}

Napi::Value argument_to_js(Napi::Env env, const Trace::Argument& argument) {
  return std::visit(
      [&](const auto& one) -> Napi::Value {
        using Type = std::decay_t<decltype(one)>;
        if constexpr (std::is_same_v<Type, std::monostate>) return env.Null();
        else if constexpr (std::is_same_v<Type, Trace::Value> || std::is_same_v<Type, Trace::Constant>) return reference(env, one);
        else if constexpr (std::is_same_v<Type, bool>) return Napi::Boolean::New(env, one);
        else if constexpr (std::is_same_v<Type, int64_t> || std::is_same_v<Type, double>) return js_number(env, static_cast<double>(one));
        else if constexpr (std::is_same_v<Type, Trace::Tensors>) return array(env, one, [&](const auto& tensor) { return reference(env, tensor); });
        else return array(env, one, [&](auto value) { return js_number(env, static_cast<double>(value)); });
      },
      argument);
}

Napi::Object constant_to_js(Napi::Env env, const at::Tensor& constant) {
  auto object = Napi::Object::New(env);
  object.Set("type", name_of(constant.scalar_type()));
  object.Set("shape", sizes_to_js(env, constant.sizes()));
  auto once = constant;
  for (int64_t i = 0; i < once.dim(); ++i) {
    if (once.stride(i) == 0 && once.size(i) > 1) once = once.narrow(i, 0, 1);
  }
  object.Set("tensor", tensor_to_js(env, once.scalar_type() == at::kBool ? once.to(at::kByte) : once));
  return object;
}

}  // namespace

Napi::Object trace_to_js(Napi::Env env, const NamedTrace& named) {
  const auto& trace = named.trace;
  auto numbers = [&](const std::vector<int64_t>& list) {
    return array(env, list, [&](int64_t value) { return js_number(env, static_cast<double>(value)); });
  };
  auto names = [&](const std::vector<std::string>& list) {
    return array(env, list, [&](const std::string& name) { return Napi::String::New(env, name); });
  };
  auto object = Napi::Object::New(env);
  object.Set("inputNames", names(named.inputs));
  object.Set("outputNames", names(named.outputs));
  object.Set("values", array(env, trace.values, [&](const Trace::Made& made) {
               auto value = Napi::Object::New(env);
               value.Set("type", name_of(made.type));
               value.Set("shape", sizes_to_js(env, made.shape));
               return value;
             }));
  object.Set("constants", array(env, trace.constants, [&](const at::Tensor& constant) { return constant_to_js(env, constant); }));
  object.Set("inputs", numbers(trace.inputs));
  object.Set("outputs", array(env, trace.outputs, [&](const auto& output) { return reference(env, output); }));
  object.Set("steps", array(env, trace.steps, [&](const Trace::Step& given) {
               auto step = Napi::Object::New(env);
               step.Set("op", given.op);
               step.Set("arguments", array(env, given.arguments, [&](const auto& argument) { return argument_to_js(env, argument); }));
               step.Set("results", numbers(given.results));
               return step;
             }));
  return object;
}

}  // namespace diffsal
