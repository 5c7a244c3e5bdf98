#include <napi.h>

#include "binding/call.h"
#include "binding/environment.h"
#include "binding/features.h"
#include "binding/functions.h"
#include "binding/group.h"
#include "binding/job.h"
#include "binding/metrics.h"
#include "binding/model.h"
#include "binding/scenes.h"
#include "binding/trainer.h"
#include "runtime/block_allocator.h"
#include "runtime/device.h"

namespace diffsal {
namespace {

// (makeError: (code, message, argument, expected, received) => Error, ownError: (thrown) => Error, warn: (message) => void,
// snapshot: (value) => value, newBuffer: (bytes) => ArrayBuffer). Once, before anything else.
Napi::Value initialise(const Call& call) {
  auto& environment = Environment::of(call.env());
  size_t i = 0;
  for (auto* hook : {&environment.make_error, &environment.own_error, &environment.warn, &environment.snapshot, &environment.new_buffer}) {
    *hook = Napi::Persistent(call[i++].As<Napi::Function>());
  }
  return call.env().Undefined();
}

Napi::Object define(Napi::Env env, Napi::Object exports) {
  keep_blocks();
  leave_out_nnpack();
  env.SetInstanceData(new Environment(env));
  export_function<initialise>(exports, "initialise");
  CancelToken::define(env, exports);
  FeaturesHandle::define(env, exports);
  ModelHandle::define(env, exports);
  TrainerHandle::define(env, exports);
  GroupHandle::define(env, exports);
  define_functions(env, exports);
  define_metrics(env, exports);
  define_scenes(env, exports);
  return exports;
}

}  // namespace
}  // namespace diffsal

Napi::Object InitAll(Napi::Env env, Napi::Object exports) { return diffsal::define(env, exports); }
NODE_API_MODULE(diffsal_core, InitAll)
