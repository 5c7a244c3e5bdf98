#include "binding/features.h"

#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>

#include <vector>

#include "binding/environment.h"
#include "binding/job.h"
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
  struct Copy {
    Tensor from;
    void* to;
  };
  std::vector<Copy> copies;
  // The arrays are made here, where it takes no time; a job fills them.
  auto prepare = [&](const Tensor& tensor) {
    copies.push_back({tensor, nullptr});
    return zeros_to_js(env, tensor.sizes(), at::kFloat, copies.back().to);  // what a network calculates in is its own affair
  };
  auto video = Napi::Array::New(env, features->video.size());
  for (uint32_t i = 0; i < features->video.size(); ++i) video.Set(i, prepare(features->video[i]));
  auto object = Napi::Object::New(env);
  object.Set("video", video);
  object.Set("audio", features->audio.defined() ? prepare(features->audio) : env.Null());
  auto result = std::make_shared<Napi::ObjectReference>(Napi::Persistent(object));
  return run_job<Nothing>(
      env, Environment::of(env).utility(), object, nullptr,
      [copies = std::move(copies)] {
        c10::InferenceMode inference;
        for (const auto& [from, to] : copies) {
          throw_if_cancelled();
          if (from.numel() > 0) at::from_blob(to, from.sizes(), at::kFloat).copy_(from);
        }
        return Nothing();
      },
      [result](Napi::Env, Nothing&) -> Napi::Value { return result->Value(); });
}

Napi::Value FeaturesHandle::batch(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(features_of(info.This())->batch()));
}

void FeaturesHandle::dispose(const Napi::CallbackInfo& info) { release(info.Env()); }

}  // namespace diffsal
