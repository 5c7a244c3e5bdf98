#pragma once
#include <napi.h>

#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "runtime/worker.h"

namespace diffsal {

// Carries work from any thread to the JavaScript thread, and outlives the environment safely: after close() nothing is
// called any more.
class Bridge {
 public:
  using Task = std::function<void(Napi::Env)>;

  explicit Bridge(Napi::Env env);
  // From any thread. Tasks run in the order of their posts.
  void post(Task task);
  // On the JavaScript thread: a pending job keeps the process alive, an idle model does not.
  void hold(Napi::Env env);
  void release(Napi::Env env);
  void close();
  // On the JavaScript thread, once nobody posts any more: frees what came too late to be run. It holds results, and references into the
  // environment, which no other thread may free, and which cannot be freed once the environment is gone.
  void drop();

 private:
  static void run(Napi::Env env, Napi::Function, Bridge* bridge, void*);
  using Function = Napi::TypedThreadSafeFunction<Bridge, void, run>;
  std::mutex mutex_;
  Function function_;
  bool closed_ = false;
  int held_ = 0;
  // What waits for its turn; the function is called once for each.
  std::deque<Task> tasks_;
};

// What one Node environment (the main thread or a worker thread) owns of this addon.
struct Environment {
  explicit Environment(Napi::Env env);
  static Environment& of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  // The thread of the functions that need no model, made when the first is called.
  Worker& utility();

  // One of a few threads, in turn, that draw scenes: several at once, and a model's jobs never wait for them.
  Worker& drawing();

  // Stops every worker thread: after it no native code of this environment runs.
  void close();

  std::shared_ptr<Bridge> bridge;
  // Shared with the models, whose finalizers may run after this is gone.
  std::shared_ptr<std::set<Worker*>> workers = std::make_shared<std::set<Worker*>>();
  std::unique_ptr<Worker> utility_worker;
  std::vector<std::unique_ptr<Worker>> drawing_workers;
  size_t drawings = 0;
  // What lib/addon/native.ts hands over at first.
  Napi::FunctionReference make_error, own_error, warn, snapshot, new_buffer;
  Napi::FunctionReference model, features, trainer, cancel_token;
};

// The exception as a DiffSalError, which lib/addon/native.ts's makeError builds; what JavaScript threw is its cause, unless it is one itself.
Napi::Value to_js_error(Napi::Env env, const std::exception_ptr& exception);

// Runs a function on the JavaScript thread; whatever it throws becomes the JavaScript exception, a DiffSalError.
template <typename Function>
auto guarded(Napi::Env env, Function function) -> decltype(function()) {
  try {
    return function();
  } catch (...) {
    throw Napi::Error(env, to_js_error(env, std::current_exception()));
  }
}

}  // namespace diffsal
