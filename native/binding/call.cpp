#include "binding/call.h"

#include "binding/features.h"
#include "binding/group.h"
#include "binding/job.h"
#include "binding/model.h"
#include "binding/trainer.h"

namespace diffsal {
namespace {

bool is_any_handle(const Napi::Value& value) {
  return is_handle<CancelToken>(value) || is_handle<FeaturesHandle>(value) || is_handle<ModelHandle>(value) || is_handle<TrainerHandle>(value) ||
         is_handle<GroupHandle>(value);
}

}  // namespace

Call::Call(const Napi::CallbackInfo& info) : info_(info) {
  arguments_.reserve(info.Length());
  for (size_t i = 0; i < info.Length(); ++i) {
    auto value = info[i];
    bool copied = value.IsObject() && !value.IsFunction() && !is_any_handle(value);
    arguments_.push_back(copied ? Environment::of(info.Env()).snapshot.Call({value}) : value);
  }
}

}  // namespace diffsal
