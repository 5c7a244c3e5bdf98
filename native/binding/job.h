#pragma once
#include <napi.h>

#include <exception>
#include <functional>
#include <memory>
#include <optional>

#include "binding/call.h"
#include "binding/environment.h"
#include "runtime/worker.h"

namespace diffsal {

// lib/addon/native.ts's handle on a CancelFlag.
class CancelToken : public Napi::ObjectWrap<CancelToken> {
 public:
  static void define(Napi::Env env, Napi::Object exports);
  static constexpr napi_type_tag type{0x6469666673616c01, 0x63616e63656c0001};
  explicit CancelToken(const Napi::CallbackInfo& info);
  // The flag of a CancelToken, or none for undefined.
  static std::shared_ptr<CancelFlag> flag_of(const Napi::Value& value);

 private:
  Napi::Value cancel(const Call& call);

  // A method as `entry` registers functions.
  template <Napi::Value (CancelToken::*method)(const Call&)>
  Napi::Value through(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] { return (this->*method)(Call(info)); });
  }

  std::shared_ptr<CancelFlag> flag_ = std::make_shared<CancelFlag>();
};

// The result of a job that gives none, and what a promise of it is settled with.
struct Nothing {};
inline Napi::Value to_undefined(Napi::Env env, Nothing&) { return env.Undefined(); }

// Runs `work` on the worker and settles the returned promise on the JavaScript thread with what `convert` makes of its
// result. `owner`, the wrap that holds the worker, stays alive until then.
template <typename Result>
Napi::Value run_job(Napi::Env env, Worker& worker, Napi::Object owner, const std::shared_ptr<CancelFlag>& cancel, std::function<Result()> work,
                    std::function<Napi::Value(Napi::Env, Result&)> convert, Priority priority = Priority::normal) {
  struct Job {
    explicit Job(Napi::Env env) : deferred(Napi::Promise::Deferred::New(env)) {}
    Napi::Promise::Deferred deferred;
    Napi::ObjectReference owner;
    std::optional<Result> result;
    std::exception_ptr failure;
  };
  auto job = std::make_shared<Job>(env);
  job->owner = Napi::Persistent(owner);
  auto promise = job->deferred.Promise();
  auto bridge = Environment::of(env).bridge;
  auto settle = [job, bridge, convert](Napi::Env env) {
    bridge->release(env);
    job->owner.Reset();
    Napi::Value value;
    if (!job->failure) {
      try {
        value = convert(env, *job->result);
      } catch (...) {
        job->failure = std::current_exception();
      }
    }
    if (job->failure) {
      job->deferred.Reject(to_js_error(env, job->failure));
    } else {
      job->deferred.Resolve(value);
    }
  };
  bridge->hold(env);
  worker.submit(
      // `work` is moved away and destroyed on the worker, before the promise is settled: what it holds is free by then.
      [job, bridge, settle = std::move(settle), work = std::move(work)]() mutable {
        try {
          throw_if_cancelled();
          job->result = work();
        } catch (...) {
          job->failure = std::current_exception();
        }
        work = nullptr;
        job.reset();
        bridge->post(std::move(settle));
      },
      cancel, priority);
  return promise;
}

}  // namespace diffsal
