#include "binding/features.h"

#include "binding/environment.h"
#include "binding/tensors.h"
#include "runtime/error.h"

namespace diffsal {

void FeaturesHandle::define(Napi::Env env, Napi::Object exports) {
  auto constructor = DefineClass(env, "Features",
                                 {InstanceMethod<&FeaturesHandle::safely<&FeaturesHandle::tensors>>("tensors"), InstanceMethod<&FeaturesHandle::dispose>("dispose"),
                                  InstanceAccessor<&FeaturesHandle::safely<&FeaturesHandle::batch>>("batch")});
  Environment::of(env).features = Napi::Persistent(constructor);
}

Napi::Object FeaturesHandle::make(Napi::Env env, Features features, std::shared_ptr<std::atomic<int64_t>> counter) {
  auto object = Environment::of(env).features.New({});
  auto* handle = Unwrap(object);
  handle->bytes_ = features.bytes();
  *counter += handle->bytes_;
  handle->counter_ = std::move(counter);
  handle->features_ = std::make_shared<const Features>(std::move(features));
  Napi::MemoryManagement::AdjustExternalMemory(env, handle->bytes_);
  return object;
}

std::shared_ptr<const Features> FeaturesHandle::features_of(const Napi::Value& value) {
  auto features = Unwrap(value.As<Napi::Object>())->features_;
  if (!features) throw Error(ErrorCode::disposed, "'features' was disposed before this call.", "features");
  return features;
}

FeaturesHandle::FeaturesHandle(const Napi::CallbackInfo& info) : ObjectWrap(info) {}

FeaturesHandle::~FeaturesHandle() { release(Env()); }

void FeaturesHandle::release(Napi::Env env) {
  if (!features_) return;
  features_.reset();
  *counter_ -= bytes_;
  Napi::MemoryManagement::AdjustExternalMemory(env, -bytes_);
}

Napi::Value FeaturesHandle::tensors(const Napi::CallbackInfo& info) {
  auto env = info.Env();
  auto features = features_of(info.This());
  auto video = Napi::Array::New(env, features->video.size());
  for (uint32_t i = 0; i < features->video.size(); ++i) video.Set(i, tensor_to_js(env, features->video[i]));
  auto object = Napi::Object::New(env);
  object.Set("video", video);
  object.Set("audio", features->audio.defined() ? tensor_to_js(env, features->audio) : env.Null());
  return object;
}

Napi::Value FeaturesHandle::batch(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(features_of(info.This())->batch()));
}

void FeaturesHandle::dispose(const Napi::CallbackInfo& info) { release(info.Env()); }

}  // namespace diffsal
