#pragma once
#include <napi.h>

#include <atomic>
#include <memory>

#include "binding/call.h"
#include "network/network.h"

namespace diffsal {

// The native handle of an encoded clip. Its memory is told to the garbage collector, so that a forgotten one is collected.
class FeaturesHandle : public Napi::ObjectWrap<FeaturesHandle> {
 public:
  static void define(Napi::Env env, Napi::Object exports);
  // `counter` adds up the bytes of all that live.
  static Napi::Object make(Napi::Env env, Features features, std::shared_ptr<std::atomic<int64_t>> counter);
  static std::shared_ptr<const Features> features_of(const Napi::Value& value);

  static constexpr napi_type_tag type{0x6469666673616c01, 0x6665617475726502};
  explicit FeaturesHandle(const Napi::CallbackInfo& info);
  ~FeaturesHandle() override;

 private:
  Napi::Value tensors(const Call& call);
  Napi::Value batch(const Call& call);
  Napi::Value dispose(const Call& call);
  void release(Napi::Env env);

  // A method as `entry` registers functions.
  template <Napi::Value (FeaturesHandle::*method)(const Call&)>
  Napi::Value through(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] { return (this->*method)(Call(info)); });
  }

  std::shared_ptr<const Features> features_;
  std::shared_ptr<std::atomic<int64_t>> counter_;
  int64_t bytes_ = 0;
};

}  // namespace diffsal
