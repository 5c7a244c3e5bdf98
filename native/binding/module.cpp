#include <napi.h>

#include "binding/environment.h"
#include "binding/features.h"
#include "binding/functions.h"
#include "binding/job.h"
#include "binding/metrics.h"
#include "binding/model.h"
#include "binding/trainer.h"
#include "binding/scenes.h"
#include "runtime/block_allocator.h"
#include "runtime/device.h"

namespace diffsal {
namespace {

// (makeError: (code, message, argument, expected, received) => Error, warn: (message) => void). Once, before anything else.
void initialise(const Napi::CallbackInfo& info) {
  auto& environment = Environment::of(info.Env());
  environment.make_error = Napi::Persistent(info[0].As<Napi::Function>());
  environment.warn = Napi::Persistent(info[1].As<Napi::Function>());
}

Napi::Object define(Napi::Env env, Napi::Object exports) {
  keep_blocks();
  leave_out_nnpack();
  env.SetInstanceData(new Environment(env));
  exports.Set("initialise", Napi::Function::New<initialise>(env, "initialise"));
  CancelToken::define(env, exports);
  FeaturesHandle::define(env, exports);
  ModelHandle::define(env, exports);
  TrainerHandle::define(env, exports);
  define_functions(env, exports);
  define_metrics(env, exports);
  define_scenes(env, exports);
  return exports;
}

}  // namespace
}  // namespace diffsal

Napi::Object InitAll(Napi::Env env, Napi::Object exports) { return diffsal::define(env, exports); }
NODE_API_MODULE(diffsal_core, InitAll)
