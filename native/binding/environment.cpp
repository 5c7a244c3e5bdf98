#include "binding/environment.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <new>
#include <thread>

#include "distributed/peer_error.h"
#include "runtime/error.h"

namespace diffsal {
namespace {

const char* code_text(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument: return "ERR_DIFFSAL_INVALID_ARGUMENT";
    case ErrorCode::disposed: return "ERR_DIFFSAL_DISPOSED";
    case ErrorCode::checkpoint: return "ERR_DIFFSAL_CHECKPOINT";
    case ErrorCode::file: return "ERR_DIFFSAL_FILE";
    case ErrorCode::no_space: return "ERR_DIFFSAL_NO_SPACE";
    case ErrorCode::device: return "ERR_DIFFSAL_DEVICE";
    case ErrorCode::out_of_memory: return "ERR_DIFFSAL_OUT_OF_MEMORY";
    case ErrorCode::diverged: return "ERR_DIFFSAL_DIVERGED";
    case ErrorCode::internal: return "ERR_DIFFSAL_INTERNAL";
  }
  return "ERR_DIFFSAL_INTERNAL";
}

Error as_error(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const Error& error) {
    return error;
  } catch (const Cancelled&) {
    return Error(ErrorCode::internal, "The job was cancelled.");
  } catch (const c10::OutOfMemoryError& error) {
    return Error(ErrorCode::out_of_memory, std::string("The device is out of memory: ") + error.what_without_backtrace());
  } catch (const c10::Error& error) {
    std::string text = error.what_without_backtrace();
    // The allocator's words are "[enforce fail at alloc_cpu.cpp:127] … you tried to allocate 42 bytes. …".
    if (text.find("allocate memory") != std::string::npos) {
      const std::string key = "tried to allocate ";
      auto begin = text.find(key);
      auto bytes = begin == std::string::npos ? "" : text.substr(begin + key.size(), text.find(" bytes", begin) - begin - key.size());
      return Error(ErrorCode::out_of_memory, "Out of memory: " + (bytes.empty() ? "an allocation failed" : bytes + " bytes cannot be had") +
                                                 ". Use a smaller batch or size, or a machine with more memory.");
    }
    return Error(ErrorCode::internal, "libtorch failed: " + text);
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::out_of_memory, "Out of memory.");
  } catch (const std::exception& error) {
    return Error(ErrorCode::internal, error.what());
  } catch (...) {
    return Error(ErrorCode::internal, "An unknown C++ exception was thrown.");
  }
}

}  // namespace

void Bridge::run(Napi::Env env, Napi::Function, Bridge* bridge, void*) {
  // The environment ends, and the bridge may be gone.
  if (env == nullptr) return;
  Napi::HandleScope scope(env);
  Task task;
  {
    std::lock_guard lock(bridge->mutex_);
    if (bridge->closed_ || bridge->tasks_.empty()) return;
    task = std::move(bridge->tasks_.front());
    bridge->tasks_.pop_front();
  }
  try {
    task(env);
  } catch (const Napi::Error&) {
    // A worker thread that is being terminated refuses to run JavaScript. Nobody is left to hear of it.
  }
}

Bridge::Bridge(Napi::Env env) : function_(Function::New(env, "diffsal", 0, 1, this)) { function_.Unref(env); }

void Bridge::post(Task task) {
  std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
  // Where this fails, the environment ends: the task is dropped with the others.
  if (!closed_) function_.NonBlockingCall();
}

void Bridge::hold(Napi::Env env) {
  if (held_++ == 0 && !closed_) function_.Ref(env);
}

void Bridge::release(Napi::Env env) {
  if (--held_ == 0 && !closed_) function_.Unref(env);
}

void Bridge::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
}

void Bridge::drop() {
  std::deque<Task> late;
  {
    std::lock_guard lock(mutex_);
    late.swap(tasks_);
  }
}

Environment::Environment(Napi::Env env) : bridge(std::make_shared<Bridge>(env)) {
  // Hooks run in reverse order: the bridge's function, made before, is still open when this one runs.
  env.AddCleanupHook([](Environment* self) { self->close(); }, this);
}

Worker& Environment::utility() {
  if (!utility_worker) utility_worker = std::make_unique<Worker>(1);
  return *utility_worker;
}

Worker& Environment::drawing() {
  auto most = std::clamp(std::thread::hardware_concurrency(), 1u, 4u);
  if (drawing_workers.size() < most) {
    drawing_workers.push_back(std::make_unique<Worker>(1));
    return *drawing_workers.back();
  }
  return *drawing_workers[drawings++ % most];
}

void Environment::close() {
  bridge->close();
  if (utility_worker) utility_worker->stop();
  for (auto& worker : drawing_workers) worker->stop();
  for (auto* worker : *workers) worker->stop();
  bridge->drop();
}

Napi::Value to_js_error(Napi::Env env, const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const Napi::Error& thrown) {
    // A worker thread that is being terminated throws nothing that could be looked at.
    if (thrown.IsEmpty()) throw;
    return Environment::of(env).own_error.Call({thrown.Value()});
  } catch (...) {
    // One of ours, or of libtorch.
  }
  try {
    std::rethrow_exception(exception);
  } catch (const PeerError& error) {
    auto word = [env](const std::string& text) { return Napi::String::New(env, text); };
    auto rank = error.rank < 0 ? std::string() : std::to_string(error.rank);
    return Environment::of(env).make_error.Call({word("ERR_DIFFSAL_PEER"), word(error.what()), word("rank"), word(""), word(rank)});
  } catch (...) {
    // Of any other kind.
  }
  auto error = as_error(exception);
  return Environment::of(env).make_error.Call({
      Napi::String::New(env, code_text(error.code)),
      Napi::String::New(env, error.what()),
      Napi::String::New(env, error.argument),
      Napi::String::New(env, error.expected),
      Napi::String::New(env, error.received),
  });
}

}  // namespace diffsal
