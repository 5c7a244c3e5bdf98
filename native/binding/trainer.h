#pragma once
#include <napi.h>

#include <functional>
#include <memory>

#include "binding/model.h"
#include "training/trainer.h"

namespace diffsal {

// A Trainer on a model's worker; lib/trainer.ts is the class that users see. Arguments are checked there, and that the model lives.
class TrainerHandle : public Napi::ObjectWrap<TrainerHandle> {
 public:
  static void define(Napi::Env env, Napi::Object exports);
  // new Trainer(model, options). The state is made by the first call.
  explicit TrainerHandle(const Napi::CallbackInfo& info);

 private:
  // (batch, cancel) -> Promise<{ step, loss, gradNorm, lr }>
  Napi::Value step(const Napi::CallbackInfo& info);
  // () -> { name, shape, buffer }[], the model's tensors and then the trainer's, as save() writes them
  Napi::Value tensors(const Napi::CallbackInfo& info);
  // (path, header, cancel) -> Promise<void>
  Napi::Value save(const Napi::CallbackInfo& info);
  // (path, header, cancel) -> Promise<void>, the averaged weights alone
  Napi::Value save_average(const Napi::CallbackInfo& info);
  // (path, identity, entries, cancel) -> Promise<number>, the steps done
  Napi::Value restore(const Napi::CallbackInfo& info);
  // () -> Promise<void>. Frees the state.
  Napi::Value dispose(const Napi::CallbackInfo& info);

  // A method whose C++ exceptions are DiffSalErrors.
  template <Napi::Value (TrainerHandle::*method)(const Napi::CallbackInfo&)>
  Napi::Value safely(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] { return (this->*method)(info); });
  }

  template <typename Result>
  Napi::Value submit(const Napi::CallbackInfo& info, const Napi::Value& cancel, std::function<Result(Trainer&)> work,
                     std::function<Napi::Value(Napi::Env, Result&)> convert);
  Napi::Value write(const Napi::CallbackInfo& info, std::function<std::vector<Parameter>(Trainer&, const Network&)> select);

  Napi::ObjectReference model_object_;
  ModelHandle* model_;
  TrainerOptions options_;
  // Made and freed by jobs, on the worker.
  std::shared_ptr<std::unique_ptr<Trainer>> trainer_ = std::make_shared<std::unique_ptr<Trainer>>();
};

}  // namespace diffsal
