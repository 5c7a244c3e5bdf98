#include "binding/trainer.h"

#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "binding/call.h"
#include "binding/environment.h"
#include "binding/group.h"
#include "binding/job.h"
#include "binding/tensors.h"
#include "binding/values.h"
#include "binding/writing_plan.h"
#include "checkpoint/mapped_source.h"
#include "runtime/block_allocator.h"
#include "runtime/device.h"

namespace diffsal {
namespace {

bool is(const Napi::Object& object, const char* name, const char* word) { return text(object, name) == word; }

LearningRate learning_rate_from_js(const Napi::Object& o) {
  LearningRate schedule;
  schedule.warmup = integer(o, "warmup");
  if (is(o, "kind", "multistep")) {
    schedule.kind = LearningRate::Kind::multistep;
    schedule.milestones = integers_from_js(o.Get("milestones"));
    schedule.gamma = number(o, "gamma");
  } else if (is(o, "kind", "cosine")) {
    schedule.kind = LearningRate::Kind::cosine;
    schedule.total = integer(o, "total");
  }
  return schedule;
}

LossOptions loss_from_js(const Napi::Object& o) {
  auto terms = o.Get("terms").As<Napi::Object>();
  auto kind = is(o, "loss", "ce") ? LossKind::ce : is(o, "loss", "kl") ? LossKind::kl : LossKind::mse;
  return {kind, number(terms, "cc"), number(terms, "sim"), number(terms, "nss")};
}

std::set<std::string> names_from_js(const Napi::Value& value) {
  std::set<std::string> names;
  auto array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); ++i) names.insert(text(array.Get(i)));
  return names;
}

TrainerOptions trainer_options_from_js(const Napi::Object& o) {
  TrainerOptions options;
  options.learning_rate = learning_rate_from_js(o.Get("schedule").As<Napi::Object>());
  auto betas = o.Get("betas").As<Napi::Array>();
  options.adam = {is(o, "optimiser", "adamw"), number(betas.Get(0u)), number(betas.Get(1u)), number(o, "eps")};
  options.weight_decay = number(o, "weightDecay");
  auto groups = o.Get("groups").As<Napi::Array>();
  for (uint32_t i = 0; i < groups.Length(); ++i) {
    auto group = groups.Get(i).As<Napi::Object>();
    options.groups.push_back({names_from_js(group.Get("names")), number(group, "lrScale"), number(group, "weightDecay")});
  }
  options.loss = loss_from_js(o);
  options.clip = number(o, "clip");
  options.accumulate = integer(o, "accumulate");
  if (o.Get("ema").IsNumber()) options.average = number(o, "ema");
  options.frozen = names_from_js(o.Get("frozen"));
  options.keep_gradients = boolean(o, "keepGradients");
  auto times = o.Get("times").As<Napi::Array>();
  for (uint32_t i = 0; i < times.Length(); ++i) {
    auto range = times.Get(i).As<Napi::Object>();
    options.times.push_back({integer(range, "first"), integer(range, "last"), number(range, "weight")});
  }
  options.dequantisation = number(o, "dequantisation");
  options.dropout = number(o, "dropout");
  options.bfloat16 = is(o, "precision", "bfloat16");
  options.seed = unsigned_integer(o, "seed");
  return options;
}

// A copy of fixated pixels, or an undefined tensor; NaN, which would count as not fixated, is refused.
Tensor fixations_from_js(const Napi::Value& value) {
  if (!value.IsObject()) return {};
  auto fixations = tensor_from_js(value, "fixations");
  if (fixations.scalar_type() != at::kFloat) return fixations;
  const auto* data = fixations.const_data_ptr<float>();
  for (int64_t i = 0; i < fixations.numel(); ++i) {
    if (std::isnan(data[i])) throw invalid_argument("fixations", "numbers", "NaN at element " + std::to_string(i));
  }
  return fixations;
}

TrainingBatch batch_from_js(const Napi::Object& object, Uploader& uploader) {
  TrainingBatch batch{inputs_from_js(object.Get("inputs").As<Napi::Object>(), uploader), tensor_from_js(object.Get("target"), "target"),
                      fixations_from_js(object.Get("fixations")), optional_tensor(object, "t"), optional_tensor(object, "noise")};
  if (object.Get("share").IsObject()) {
    auto share = object.Get("share").As<Napi::Object>();
    batch.whole = integer(share, "whole");
    batch.samples = integers_from_js(share.Get("samples"));
  }
  return batch;
}

std::vector<Parameter> everything(const Trainer& trainer, const Network& network) {
  auto list = network.parameters();
  for (auto& parameter : trainer.state()) list.push_back(std::move(parameter));
  return list;
}

// (map, target, fixations | undefined, { loss, terms }) -> Promise<{ loss, gradient }>
Napi::Value js_training_loss(const Call& call) {
  auto env = call.env();
  auto map = tensor_from_js(call[0], "map"), target = tensor_from_js(call[1], "target");
  auto fixations = fixations_from_js(call[2]);
  auto options = loss_from_js(call[3].As<Napi::Object>());
  struct Result {
    double loss;
    Tensor gradient;
  };
  return run_job<Result>(
      env, Environment::of(env).utility(), Napi::Object::New(env), nullptr,
      [map, target, fixations, options]() -> Result {
        check_unit(map, "map");
        check_unit(target, "target");
        map.set_requires_grad(true);
        auto loss = training_loss(map, target, fixations, options);
        return {loss.item<double>(), torch::autograd::grad({loss}, {map})[0]};
      },
      [](Napi::Env env, Result& result) -> Napi::Value {
        auto object = Napi::Object::New(env);
        object.Set("loss", result.loss);
        object.Set("gradient", tensor_to_js(env, result.gradient));
        return object;
      });
}

}  // namespace

void TrainerHandle::define(Napi::Env env, Napi::Object exports) {
  auto constructor = DefineClass(env, "Trainer",
                                 {InstanceMethod<&TrainerHandle::through<&TrainerHandle::step>>("step"),
                                  InstanceMethod<&TrainerHandle::through<&TrainerHandle::gradients>>("gradients"),
                                  InstanceMethod<&TrainerHandle::through<&TrainerHandle::gradient_norms>>("gradientNorms"),
                                  InstanceMethod<&TrainerHandle::through<&TrainerHandle::tensors>>("tensors"),
                                  InstanceMethod<&TrainerHandle::through<&TrainerHandle::save>>("save"),
                                  InstanceMethod<&TrainerHandle::through<&TrainerHandle::save_average>>("saveAverage"),
                                  InstanceMethod<&TrainerHandle::through<&TrainerHandle::lend_average>>("lendAverage"),
                                  InstanceMethod<&TrainerHandle::through<&TrainerHandle::spoilt>>("spoilt"),
                                  InstanceMethod<&TrainerHandle::through<&TrainerHandle::begin_sharing>>("beginSharing"),
                                  InstanceMethod<&TrainerHandle::through<&TrainerHandle::fingerprint>>("fingerprint"),
                                  InstanceMethod<&TrainerHandle::through<&TrainerHandle::restore>>("restore"),
                                  InstanceMethod<&TrainerHandle::through<&TrainerHandle::dispose>>("dispose")});
  Environment::of(env).trainer = Napi::Persistent(constructor);
  exports.Set("Trainer", constructor);
  export_function<js_training_loss>(exports, "trainingLoss");
}

TrainerHandle::TrainerHandle(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  guarded(info.Env(), [&] {
    Call call(info);
    model_ = handle_from_js<ModelHandle>(call[0]);
    model_object_ = Napi::Persistent(call[0].As<Napi::Object>());
    options_ = trainer_options_from_js(call[1].As<Napi::Object>());
    if (call[2].IsObject()) sharing_ = Sharing{handle_from_js<GroupHandle>(call[2])->group(), boolean(call[3])};
    model_->at_close([held = std::weak_ptr(trainer_)] {
      if (auto trainer = held.lock()) trainer->reset();
    });
    call.self().TypeTag(&type);
  });
}

template <typename Result>
Napi::Value TrainerHandle::submit(const Call& call, const Napi::Value& cancel, std::function<Result(Trainer&)> work,
                                  std::function<Napi::Value(Napi::Env, Result&)> convert) {
  auto job = [trainer = trainer_, network = model_->network(), options = options_, sharing = sharing_, work = std::move(work)]() -> Result {
    auto& open = open_network(network);
    if (!*trainer) *trainer = std::make_unique<Trainer>(open, options, sharing);
    return work(**trainer);
  };
  auto owner = call.self();
  return run_job<Result>(call.env(), model_->worker(), owner, CancelToken::flag_of(cancel), std::move(job), std::move(convert));
}

Napi::Value TrainerHandle::step(const Call& call) {
  auto batch = batch_from_js(call[0].As<Napi::Object>(), model_->uploader());
  return submit<StepResult>(
      call, call[2], [batch = std::move(batch), rate = number(call[1])](Trainer& trainer) { return trainer.step(batch, rate); },
      [](Napi::Env env, StepResult& result) -> Napi::Value {
        auto object = Napi::Object::New(env);
        object.Set("step", static_cast<double>(result.step));
        object.Set("loss", result.loss);
        object.Set("gradNorm", result.gradient_norm);
        object.Set("lr", result.learning_rate);
        return object;
      });
}

Napi::Value TrainerHandle::gradients(const Call& call) {
  return submit<std::vector<Parameter>>(
      call, call[1], [names = names_from_js(call[0])](Trainer& trainer) { return trainer.gradients(names); },
      [](Napi::Env env, std::vector<Parameter>& gradients) -> Napi::Value {
        auto list = Napi::Array::New(env, gradients.size());
        for (uint32_t i = 0; i < gradients.size(); ++i) {
          auto entry = Napi::Object::New(env);
          entry.Set("name", gradients[i].info.name);
          entry.Set("tensor", tensor_to_js(env, gradients[i].tensor));
          list.Set(i, entry);
        }
        return list;
      });
}

Napi::Value TrainerHandle::gradient_norms(const Call& call) {
  using Norms = std::vector<std::pair<std::string, double>>;
  return submit<Norms>(
      call, call.env().Undefined(), [](Trainer& trainer) { return trainer.gradient_norms(); },
      [](Napi::Env env, Norms& norms) -> Napi::Value {
        auto list = Napi::Array::New(env, norms.size());
        for (uint32_t i = 0; i < norms.size(); ++i) {
          auto entry = Napi::Object::New(env);
          entry.Set("name", norms[i].first);
          entry.Set("norm", norms[i].second);
          list.Set(i, entry);
        }
        return list;
      });
}

Napi::Value TrainerHandle::tensors(const Call& call) {
  model_->worker();
  const auto& network = open_network(model_->network());
  auto list = network.parameters();
  for (auto& entry : Trainer::state_layout(network, options_)) list.push_back({std::move(entry), {}});
  return parameters_to_js(call.env(), list);
}

Napi::Value TrainerHandle::write(const Call& call, std::function<std::vector<Parameter>(Trainer&, const Network&)> select) {
  auto plan = writing_plan_from_js(call[0]);
  auto header = bytes_from_js(call[1]);
  return submit<Nothing>(
      call, call[2],
      [network = model_->network(), plan, header = std::move(header), select = std::move(select)](Trainer& trainer) {
        write_safetensors(plan, header, select(trainer, open_network(network)));
        return Nothing();
      },
      to_undefined);
}

Napi::Value TrainerHandle::save(const Call& call) { return write(call, everything); }

Napi::Value TrainerHandle::save_average(const Call& call) {
  return write(call, [](Trainer& trainer, const Network&) { return trainer.averaged(); });
}

Napi::Value TrainerHandle::lend_average(const Call& call) {
  return submit<Nothing>(
      call, call[1],
      [network = model_->network(), lent = handle_from_js<ModelHandle>(call[0])->lent()](Trainer& trainer) {
        *lent = trainer.averaged();
        // Another model's thread, and stream, reads them: the last step may still be under way.
        synchronize(open_network(network).device());
        return Nothing();
      },
      to_undefined);
}

Napi::Value TrainerHandle::begin_sharing(const Call& call) {
  return submit<Nothing>(
      call, call[0],
      [](Trainer& trainer) {
        trainer.begin_sharing();
        return Nothing();
      },
      to_undefined);
}

Napi::Value TrainerHandle::fingerprint(const Call& call) {
  return submit<std::string>(
      call, call.env().Undefined(), [](Trainer& trainer) { return trainer.fingerprint(); },
      [](Napi::Env env, std::string& text) -> Napi::Value { return Napi::String::New(env, text); });
}

Napi::Value TrainerHandle::spoilt(const Call& call) {
  return submit<std::string>(
      call, call.env().Undefined(), [](Trainer& trainer) { return trainer.spoilt(); },
      [](Napi::Env env, std::string& name) -> Napi::Value { return Napi::String::New(env, name); });
}

Napi::Value TrainerHandle::restore(const Call& call) {
  return submit<int64_t>(
      call, call[3],
      [path = text(call[0]), identity = text(call[1]), entries = entries_from_js(call[2].As<Napi::Array>())](Trainer& trainer) {
        MappedSource source(path, identity, entries);
        trainer.restore(source);
        return trainer.steps();
      },
      [](Napi::Env env, int64_t& steps) -> Napi::Value { return Napi::Number::New(env, static_cast<double>(steps)); });
}

Napi::Value TrainerHandle::dispose(const Call& call) {
  auto owner = call.self();
  return run_job<Nothing>(
      call.env(), model_->worker(), owner, nullptr,
      [trainer = trainer_] {
        trainer->reset();
        release_unused();
        return Nothing();
      },
      to_undefined);
}

}  // namespace diffsal
