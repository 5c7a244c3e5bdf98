#pragma once
#include <napi.h>

#include <functional>
#include <memory>
#include <optional>

#include "binding/model.h"
#include "training/trainer.h"

namespace diffsal {

// A Trainer on a model's worker; lib/trainer.ts is the class that users see. Arguments are checked there, and that the model lives.
class TrainerHandle : public Napi::ObjectWrap<TrainerHandle> {
 public:
  static void define(Napi::Env env, Napi::Object exports);
  static constexpr napi_type_tag type{0x6469666673616c01, 0x747261696e657204};
  // new Trainer(model, options, group?, statistics?): the last two as of Sharing. The state is made by the first call.
  explicit TrainerHandle(const Napi::CallbackInfo& info);

 private:
  // (batch, lr, cancel) -> Promise<{ step, loss, gradNorm, lr }>
  Napi::Value step(const Call& call);
  // (names, cancel) -> Promise<{ name, tensor }[]>, the last step's, of these parameters
  Napi::Value gradients(const Call& call);
  // () -> Promise<{ name, norm }[]>, of every parameter that is trained
  Napi::Value gradient_norms(const Call& call);
  // () -> { name, shape, buffer }[], the model's tensors and then the trainer's, as save() writes them
  Napi::Value tensors(const Call& call);
  // (path, header, cancel) -> Promise<void>
  Napi::Value save(const Call& call);
  // (path, header, cancel) -> Promise<void>, the averaged weights alone
  Napi::Value save_average(const Call& call);
  // (model, cancel) -> Promise<void>. Gives a model that is not built yet the averaged weights, for its build().
  Napi::Value lend_average(const Call& call);
  // (cancel) -> Promise<void>, Trainer::begin_sharing()
  Napi::Value begin_sharing(const Call& call);
  // () -> Promise<string>, Trainer::fingerprint()
  Napi::Value fingerprint(const Call& call);
  // () -> Promise<string>, Trainer::spoilt()
  Napi::Value spoilt(const Call& call);
  // (path, identity, entries, cancel) -> Promise<number>, the steps done
  Napi::Value restore(const Call& call);
  // () -> Promise<void>. Frees the state.
  Napi::Value dispose(const Call& call);

  // A method as `entry` registers functions.
  template <Napi::Value (TrainerHandle::*method)(const Call&)>
  Napi::Value through(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] { return (this->*method)(Call(info)); });
  }

  template <typename Result>
  Napi::Value submit(const Call& call, const Napi::Value& cancel, std::function<Result(Trainer&)> work,
                     std::function<Napi::Value(Napi::Env, Result&)> convert);
  Napi::Value write(const Call& call, std::function<std::vector<Parameter>(Trainer&, const Network&)> select);

  Napi::ObjectReference model_object_;
  ModelHandle* model_ = nullptr;
  TrainerOptions options_;
  std::optional<Sharing> sharing_;
  // Made and freed by jobs, on the worker.
  std::shared_ptr<std::unique_ptr<Trainer>> trainer_ = std::make_shared<std::unique_ptr<Trainer>>();
};

}  // namespace diffsal
