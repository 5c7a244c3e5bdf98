#include "binding/environment.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <new>
#include <thread>

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

void Bridge::run(Napi::Env env, Napi::Function, void*, Call* call) {
  // Without an environment the call's references can no longer be released either.
  if (env == nullptr) return;
  std::unique_ptr<Call> owned(call);
  Napi::HandleScope scope(env);
  try {
    (*owned)(env);
  } catch (const Napi::Error&) {
    // A worker thread that is being terminated refuses to run JavaScript. Nobody is left to hear of it.
  }
}

Bridge::Bridge(Napi::Env env) : function_(Function::New(env, "diffsal", 0, 1)) { function_.Unref(env); }

void Bridge::post(Call call) {
  std::lock_guard lock(mutex_);
  if (closed_) {
    undelivered_.push_back(std::move(call));
    return;
  }
  auto* owned = new Call(std::move(call));
  if (function_.NonBlockingCall(owned) != napi_ok) {
    undelivered_.push_back(std::move(*owned));
    delete owned;
  }
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
}

Napi::Value to_js_error(Napi::Env env, const std::exception_ptr& exception) {
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
