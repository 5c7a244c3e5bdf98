#include "binding/job.h"

namespace diffsal {

void CancelToken::define(Napi::Env env, Napi::Object exports) {
  auto constructor = DefineClass(env, "CancelToken", {InstanceMethod<&CancelToken::through<&CancelToken::cancel>>("cancel")});
  Environment::of(env).cancel_token = Napi::Persistent(constructor);
  exports.Set("CancelToken", constructor);
}

CancelToken::CancelToken(const Napi::CallbackInfo& info) : ObjectWrap(info) { info.This().As<Napi::Object>().TypeTag(&type); }

std::shared_ptr<CancelFlag> CancelToken::flag_of(const Napi::Value& value) {
  if (value.IsUndefined()) return nullptr;
  return handle_from_js<CancelToken>(value)->flag_;
}

Napi::Value CancelToken::cancel(const Call& call) {
  flag_->raise();
  return call.env().Undefined();
}

}  // namespace diffsal
