#include "binding/job.h"

namespace diffsal {

void CancelToken::define(Napi::Env env, Napi::Object exports) {
  auto constructor = DefineClass(env, "CancelToken", {InstanceMethod<&CancelToken::cancel>("cancel")});
  Environment::of(env).cancel_token = Napi::Persistent(constructor);
  exports.Set("CancelToken", constructor);
}

CancelToken::CancelToken(const Napi::CallbackInfo& info) : ObjectWrap(info) {}

std::shared_ptr<CancelFlag> CancelToken::flag_of(const Napi::Value& value) {
  if (!value.IsObject()) return nullptr;
  return Unwrap(value.As<Napi::Object>())->flag_;
}

void CancelToken::cancel(const Napi::CallbackInfo&) { flag_->raise(); }

}  // namespace diffsal
