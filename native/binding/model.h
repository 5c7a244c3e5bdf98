#pragma once
#include <napi.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "binding/call.h"
#include "binding/environment.h"
#include "checkpoint/mapped_source.h"
#include "network/network.h"
#include "prediction/inputs.h"
#include "runtime/worker.h"

namespace diffsal {

// A clip as lib/inputs.ts has checked it, on its way to the device.
ClipInputs inputs_from_js(const Napi::Object& object, Uploader& uploader);
// The entries of a weights file.
std::map<std::string, StoredTensor> entries_from_js(const Napi::Array& array);

// { name, shape, buffer }[]
Napi::Value parameters_to_js(Napi::Env env, const std::vector<Parameter>& parameters);

// What a job finds, when it runs, of the network that it was asked for. Throws disposed where that was freed.
Network& open_network(const std::shared_ptr<std::unique_ptr<Network>>& network);

// A network and the worker thread that runs it; lib/diffsal.ts is the class that users see. Arguments are checked there.
class ModelHandle : public Napi::ObjectWrap<ModelHandle> {
 public:
  static void define(Napi::Env env, Napi::Object exports);
  static constexpr napi_type_tag type{0x6469666673616c01, 0x6d6f64656c000003};
  // new Model({ threads })
  explicit ModelHandle(const Napi::CallbackInfo& info);
  ~ModelHandle() override;

  // Its thread. Throws disposed once the model was closed, when no job would be run any more.
  Worker& worker();
  Uploader& uploader() { return uploader_; }
  // Empty before build() and after close(). Jobs on the worker look inside by open_network().
  std::shared_ptr<std::unique_ptr<Network>> network() const { return network_; }
  // The parameters that build() takes where it is told so, another model's or their average; its caller fills it before.
  std::shared_ptr<std::vector<Parameter>> lent() const { return lent_; }
  // Calls `free` on the worker when the model is closed, before the network is freed.
  void at_close(std::function<void()> free) { at_close_.push_back(std::move(free)); }

 private:
  // (config, device, { seed } | { path, identity, entries } | { lent: true }, cancel, precision) -> Promise<void>. The other methods are for after
  // it.
  Napi::Value build(const Call& call);
  // () -> { name, shape, buffer }[]
  Napi::Value parameters(const Call& call);
  // (name) -> Promise<Tensor>
  Napi::Value parameter(const Call& call);
  // (name, tensor) -> Promise<void>. The name is one of parameters(), the tensor of its shape.
  Napi::Value set_parameter(const Call& call);
  // (model) -> Promise<void>. Gives a model that is not built yet copies of all tensors, for its build().
  Napi::Value lend_copies(const Call& call);
  // (path, header, dtype, cancel) -> Promise<void>
  Napi::Value save(const Call& call);
  // (inputs, seeds, cancel, priority) -> Promise<Features>; priority here and below: 'high' | 'normal' | 'low'
  Napi::Value encode(const Call& call);
  // (x, t, features, cancel, priority) -> Promise<Tensor>
  Napi::Value denoise(const Call& call);
  // (inputs | features, { steps, eta, seeds, noise, estimates, activity, priority }, cancel, onStep) -> Promise<{ map, estimates?, activity? }>
  Napi::Value predict(const Call& call);
  // (cancel) -> Promise<{ encode, denoise }>, traces; of a model on the CPU in float32
  Napi::Value traces(const Call& call);
  // () -> Promise<void>, after all that was asked for before; the thread has ended then.
  Napi::Value close(const Call& call);

  // A method as `entry` registers functions.
  template <Napi::Value (ModelHandle::*method)(const Call&)>
  Napi::Value through(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] { return (this->*method)(Call(info)); });
  }

  template <typename Result>
  Napi::Value submit(const Call& call, const Napi::Value& cancel, std::function<Result()> work,
                     std::function<Napi::Value(Napi::Env, Result&)> convert, Priority priority = Priority::normal);

  // () -> { parameters, features, device? }, bytes held
  Napi::Value memory(const Call& call);

  // What a network that was built is told on the worker: how its graphs are made, and where it warns.
  std::function<void(Network&, bool)> graphs_setup(Napi::Env env) const;
  // A clip. A device computes while its sounds are made slices of on a thread of their own; the CPU would only be shared.
  ClipInputs clip_from_js(const Napi::Object& object, const Napi::Value& cancel, Priority priority);
  static int64_t parameter_bytes(const Network& network);
  void tell_bytes(Napi::Env env, int64_t bytes);

  // Where build() was told to make the network.
  at::Device device_{at::kCPU};
  Uploader uploader_{at::kCPU};
  bool closed_ = false;
  Config config_;
  std::shared_ptr<std::set<Worker*>> workers_;
  // Bytes of the features that this model encoded and nobody has freed.
  std::shared_ptr<std::atomic<int64_t>> feature_bytes_ = std::make_shared<std::atomic<int64_t>>(0);
  // Made and freed by jobs, on the worker.
  std::shared_ptr<std::vector<Parameter>> lent_ = std::make_shared<std::vector<Parameter>>();
  std::shared_ptr<std::unique_ptr<Network>> network_ = std::make_shared<std::unique_ptr<Network>>();
  // What the garbage collector was told that this object holds, so that a forgotten model is collected.
  int64_t told_bytes_ = 0;
  std::vector<std::function<void()>> at_close_;
  // Ends after worker_, which may wait for it.
  std::unique_ptr<Worker> ears_;
  std::unique_ptr<Worker> worker_;
};

}  // namespace diffsal
