#pragma once
#include <napi.h>

#include <vector>

#include "binding/environment.h"
#include "runtime/error.h"

namespace diffsal {

// The one door between JavaScript and this addon: every export is a function or method that `entry` or a handle's `through` registers.
//
// A call as it comes through: its arguments are what lib/addon/snapshot.ts copied, once, of what was passed. Nobody else holds the copies and no
// property of them is an accessor, so that reading them runs no JavaScript. Handles and functions are themselves, and so are typed arrays, whose
// memory may move or shrink whenever JavaScript runs: tensors.h asks for it where it copies.
class Call {
 public:
  explicit Call(const Napi::CallbackInfo& info);

  Napi::Env env() const { return info_.Env(); }
  // What a method was called on.
  Napi::Object self() const { return info_.This().As<Napi::Object>(); }
  // An argument; undefined where there is none.
  Napi::Value operator[](size_t i) const { return i < arguments_.size() ? arguments_[i] : env().Undefined(); }

 private:
  const Napi::CallbackInfo& info_;
  std::vector<Napi::Value> arguments_;
};

// Whether a value is a handle of this class. Each class has a `type` that no other has.
template <typename Handle>
bool is_handle(const Napi::Value& value) {
  return value.IsObject() && value.As<Napi::Object>().CheckTypeTag(&Handle::type);
}

// A handle of this class, never another object's memory.
template <typename Handle>
Handle* handle_from_js(const Napi::Value& value) {
  if (!is_handle<Handle>(value)) throw Error(ErrorCode::internal, "An argument is not the handle that it must be.");
  return Handle::Unwrap(value.As<Napi::Object>());
}

// A function of a call, as Node calls it: whatever it throws is a DiffSalError.
template <Napi::Value (*function)(const Call&)>
Napi::Value entry(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return function(Call(info)); });
}

// What `entry` registers, as an export.
template <Napi::Value (*function)(const Call&)>
void export_function(Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New<entry<function>>(exports.Env(), name));
}

}  // namespace diffsal
