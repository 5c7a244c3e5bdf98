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
                                 {InstanceMethod<&FeaturesHandle::through<&FeaturesHandle::tensors>>("tensors"),
                                  InstanceMethod<&FeaturesHandle::through<&FeaturesHandle::dispose>>("dispose"),
                                  InstanceAccessor<&FeaturesHandle::through<&FeaturesHandle::batch>>("batch")});
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
  auto features = handle_from_js<FeaturesHandle>(value)->features_;
  if (!features) throw Error(ErrorCode::disposed, "'features' was disposed before this call.", "features");
  return features;
}

FeaturesHandle::FeaturesHandle(const Napi::CallbackInfo& info) : ObjectWrap(info) { info.This().As<Napi::Object>().TypeTag(&type); }

FeaturesHandle::~FeaturesHandle() { release(Env()); }

void FeaturesHandle::release(Napi::Env env) {
  if (!features_) return;
  features_.reset();
  *counter_ -= bytes_;
  Napi::MemoryManagement::AdjustExternalMemory(env, -bytes_);
}

Napi::Value FeaturesHandle::tensors(const Call& call) {
  auto env = call.env();
  auto features = features_of(call.self());
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

Napi::Value FeaturesHandle::batch(const Call& call) { return Napi::Number::New(call.env(), static_cast<double>(features_of(call.self())->batch())); }

Napi::Value FeaturesHandle::dispose(const Call& call) {
  release(call.env());
  return call.env().Undefined();
}

}  // namespace diffsal
