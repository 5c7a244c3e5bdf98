#include "binding/model.h"

#include <c10/core/InferenceMode.h>

#include <exception>
#include <functional>
#include <future>
#include <map>
#include <numeric>
#include <utility>

#include "binding/config.h"
#include "binding/environment.h"
#include "binding/features.h"
#include "binding/job.h"
#include "binding/tensors.h"
#include "binding/traces.h"
#include "binding/values.h"
#include "binding/writing_plan.h"
#include "checkpoint/lent_source.h"
#include "checkpoint/mapped_source.h"
#include "checkpoint/pretrained_source.h"
#include "prediction/inputs.h"
#include "prediction/predict.h"
#include "runtime/block_allocator.h"
#include "runtime/cuda_part.h"
#include "runtime/device.h"
#include "runtime/error.h"
#include "runtime/graphs.h"
#include "runtime/transfer.h"

namespace diffsal {
namespace {

Napi::Value to_tensor(Napi::Env env, Tensor& tensor) { return tensor_to_js(env, tensor); }

Priority priority_from_js(const Napi::Value& value) {
  auto name = text(value);
  return name == "high" ? Priority::high : name == "low" ? Priority::low : Priority::normal;
}

const Parameter& parameter_of(const Network& network, const std::string& name) {
  for (const auto& parameter : network.parameters()) {
    if (parameter.info.name == name) return parameter;
  }
  throw Error(ErrorCode::internal, "An unchecked name of a parameter.");
}

}  // namespace

ClipInputs inputs_from_js(const Napi::Object& object, Uploader& uploader) {
  ClipInputs inputs;
  inputs.pixels = optional_upload(object, "pixels", "frames", uploader);
  inputs.frames = optional_upload(object, "frames", "frames", uploader);
  inputs.mel = optional_upload(object, "mel", "mel", uploader);
  auto sounds = object.Get("sounds");
  if (!sounds.IsArray()) return inputs;
  auto array = sounds.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); ++i) {
    auto sound = array.Get(i).As<Napi::Object>();
    inputs.sounds.push_back({tensor_from_js(sound.Get("samples"), "audio.samples"), integer(sound, "sampleRate")});
  }
  return inputs;
}

std::map<std::string, StoredTensor> entries_from_js(const Napi::Array& array) {
  std::map<std::string, StoredTensor> entries;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    auto entry = array.Get(i).As<Napi::Object>();
    StoredTensor stored{
        text(entry, "dtype"), integers_from_js(entry.Get("shape")), unsigned_integer(entry, "begin"), unsigned_integer(entry, "end"), {}, {}};
    if (auto strides = entry.Get("strides"); strides.IsArray()) stored.strides = integers_from_js(strides);
    if (auto data = entry.Get("data"); data.IsTypedArray()) {
      if (auto bytes = bytes_from_js(data, stored.begin, stored.end)) {
        stored.bytes = std::make_shared<const std::string>(std::move(*bytes));
        stored.end -= std::exchange(stored.begin, 0);
      }
    }
    entries.emplace(text(entry, "name"), std::move(stored));
  }
  return entries;
}

namespace {

// A file's tensors; of a part of a network also what it is a part of.
struct WeightsFile {
  std::string path, identity;
  std::map<std::string, StoredTensor> entries;
  std::string prefix;
  std::vector<std::string> initial;

  MappedSource source() const { return MappedSource(path, identity, entries); }
};

WeightsFile weights_from_js(const Napi::Object& object) {
  WeightsFile file{text(object, "path"), text(object, "identity"), entries_from_js(object.Get("entries").As<Napi::Array>()), {}, {}};
  if (!object.Has("prefix")) return file;
  file.prefix = text(object, "prefix");
  auto initial = object.Get("initial").As<Napi::Array>();
  for (uint32_t i = 0; i < initial.Length(); ++i) file.initial.push_back(text(initial.Get(i)));
  return file;
}

Error model_disposed() { return Error(ErrorCode::disposed, "This model was disposed.", "model"); }

// Refuses what is no float32 (batch, 1, H, W): the network's kernels read so much.
void check_map(const Tensor& map, const char* argument, int64_t batch, const Config& config) {
  if (map.scalar_type() == at::kFloat && map.sizes() == at::IntArrayRef({batch, 1, config.height, config.width})) return;
  throw Error(ErrorCode::internal, std::string("An unchecked map '") + argument + "'.");
}

std::vector<uint64_t> seeds_from_js(const Napi::Value& value) {
  auto array = value.As<Napi::Array>();
  std::vector<uint64_t> seeds;
  for (uint32_t i = 0; i < array.Length(); ++i) seeds.push_back(unsigned_integer(array.Get(i)));
  return seeds;
}

}  // namespace

Network& open_network(const std::shared_ptr<std::unique_ptr<Network>>& network) {
  if (!*network) throw model_disposed();
  return **network;
}

void ModelHandle::define(Napi::Env env, Napi::Object exports) {
  auto constructor = DefineClass(env, "Model",
                                 {
                                     InstanceMethod<&ModelHandle::through<&ModelHandle::build>>("build"),
                                     InstanceMethod<&ModelHandle::through<&ModelHandle::parameters>>("parameters"),
                                     InstanceMethod<&ModelHandle::through<&ModelHandle::parameter>>("parameter"),
                                     InstanceMethod<&ModelHandle::through<&ModelHandle::memory>>("memory"),
                                     InstanceMethod<&ModelHandle::through<&ModelHandle::save>>("save"),
                                     InstanceMethod<&ModelHandle::through<&ModelHandle::encode>>("encode"),
                                     InstanceMethod<&ModelHandle::through<&ModelHandle::denoise>>("denoise"),
                                     InstanceMethod<&ModelHandle::through<&ModelHandle::predict>>("predict"),
                                     InstanceMethod<&ModelHandle::through<&ModelHandle::traces>>("traces"),
                                     InstanceMethod<&ModelHandle::through<&ModelHandle::set_parameter>>("setParameter"),
                                     InstanceMethod<&ModelHandle::through<&ModelHandle::lend_copies>>("lendCopies"),
                                     InstanceMethod<&ModelHandle::through<&ModelHandle::close>>("close"),
                                 });
  Environment::of(env).model = Napi::Persistent(constructor);
  exports.Set("Model", constructor);
}

ModelHandle::ModelHandle(const Napi::CallbackInfo& info) : ObjectWrap(info), workers_(Environment::of(info.Env()).workers) {
  guarded(info.Env(), [&] {
    Call call(info);
    call.self().TypeTag(&type);
    worker_ = std::make_unique<Worker>(static_cast<int>(integer(call[0].As<Napi::Object>(), "threads")));
    workers_->insert(worker_.get());
  });
}

ModelHandle::~ModelHandle() {
  if (worker_) workers_->erase(worker_.get());
  if (ears_) workers_->erase(ears_.get());
  tell_bytes(Env(), 0);
}

int64_t ModelHandle::parameter_bytes(const Network& network) {
  int64_t bytes = 0;
  // By shape: a trainer may be replacing the tensors' memory on the worker.
  for (const auto& parameter : network.parameters()) {
    const auto& shape = parameter.info.shape;
    bytes += std::accumulate(shape.begin(), shape.end(), int64_t{sizeof(float)}, std::multiplies<>());
  }
  return bytes;
}

void ModelHandle::tell_bytes(Napi::Env env, int64_t bytes) {
  if (bytes != told_bytes_) Napi::MemoryManagement::AdjustExternalMemory(env, bytes - told_bytes_);
  told_bytes_ = bytes;
}

Worker& ModelHandle::worker() {
  if (closed_) throw model_disposed();
  return *worker_;
}

template <typename Result>
Napi::Value ModelHandle::submit(const Call& call, const Napi::Value& cancel, std::function<Result()> work,
                                std::function<Napi::Value(Napi::Env, Result&)> convert, Priority priority) {
  return run_job<Result>(call.env(), worker(), call.self(), CancelToken::flag_of(cancel), std::move(work), std::move(convert), priority);
}

ClipInputs ModelHandle::clip_from_js(const Napi::Object& object, const Napi::Value& cancel, Priority priority) {
  worker();
  auto inputs = inputs_from_js(object, uploader_);
  if (inputs.sounds.empty() || device_.is_cpu()) return inputs;
  if (!ears_) {
    ears_ = std::make_unique<Worker>(1);
    workers_->insert(ears_.get());
  }
  auto promise = std::make_shared<std::promise<Tensor>>();
  inputs.heard = promise->get_future().share();
  auto listen = [promise, sounds = inputs.sounds, config = config_] {
    try {
      promise->set_value(slices_of(sounds, config));
    } catch (...) {
      promise->set_exception(std::current_exception());
    }
  };
  ears_->submit(std::move(listen), CancelToken::flag_of(cancel), priority);
  return inputs;
}

std::function<void(Network&, bool)> ModelHandle::graphs_setup(Napi::Env env) const {
  auto warn = [bridge = Environment::of(env).bridge](const std::string& message) {
    bridge->post([message](Napi::Env env) { Environment::of(env).warn.Call({Napi::String::New(env, message)}); });
  };
  return [device = device_, warn](Network& network, bool alone) {
    if (alone) network.use_graphs(device_graphs(device), warn);
  };
}

Napi::Value ModelHandle::build(const Call& call) {
  auto config = config_from_js(call[0].As<Napi::Object>());
  at::Device device(text(call[1]));
  device_ = device;
  config_ = config;
  uploader_ = Uploader(device);
  auto precision = text(call[4]) == "bfloat16" ? at::kBFloat16 : at::kFloat;
  // Counted by the job: of a call that was given up, the network may be freed again before its promise is settled.
  auto bytes = std::make_shared<int64_t>(0);
  auto make = [network = network_, config, device, precision, use_graphs = graphs_setup(call.env()), bytes](auto& source) {
    bool alone = use_device(device);
    auto made = std::make_unique<Network>(config, source, device, precision);
    source.finish();
    use_graphs(*made, alone);
    *bytes = parameter_bytes(*made);
    *network = std::move(made);
    return Nothing();
  };
  auto from = call[2].As<Napi::Object>();
  std::function<Nothing()> work;
  if (from.Has("lent")) {
    work = [make, lent = lent_] {
      LentSource source(std::exchange(*lent, {}));
      return make(source);
    };
  } else if (from.Has("path")) {
    work = [make, file = weights_from_js(from)] {
      auto source = file.source();
      return make(source);
    };
  } else {
    std::vector<WeightsFile> files;
    if (from.Get("parts").IsArray()) {
      auto parts = from.Get("parts").As<Napi::Array>();
      for (uint32_t i = 0; i < parts.Length(); ++i) files.push_back(weights_from_js(parts.Get(i).As<Napi::Object>()));
    }
    work = [make, seed = unsigned_integer(from, "seed"), files = std::move(files)] {
      std::vector<PretrainedPart> parts;
      for (const auto& file : files) parts.push_back({file.prefix, file.initial, std::make_unique<MappedSource>(file.source())});
      PretrainedSource source(seed, std::move(parts));
      return make(source);
    };
  }
  return submit<Nothing>(call, call[3], std::move(work), [this, bytes](Napi::Env env, Nothing&) {
    tell_bytes(env, *bytes);
    return env.Undefined();
  });
}

Napi::Value parameters_to_js(Napi::Env env, const std::vector<Parameter>& parameters) {
  auto list = Napi::Array::New(env, parameters.size());
  for (uint32_t i = 0; i < parameters.size(); ++i) {
    const auto& parameter = parameters[i].info;
    auto shape = Napi::Array::New(env, parameter.shape.size());
    for (uint32_t j = 0; j < parameter.shape.size(); ++j) shape.Set(j, Napi::Number::New(env, static_cast<double>(parameter.shape[j])));
    auto entry = Napi::Object::New(env);
    entry.Set("name", parameter.name);
    entry.Set("shape", shape);
    entry.Set("buffer", parameter.buffer);
    list.Set(i, entry);
  }
  return list;
}

Napi::Value ModelHandle::parameters(const Call& call) {
  worker();
  return parameters_to_js(call.env(), open_network(network_).parameters());
}

Napi::Value ModelHandle::parameter(const Call& call) {
  return submit<Tensor>(
      call, call.env().Undefined(),
      [network = network_, name = text(call[0])] {
        const auto& tensor = parameter_of(open_network(network), name).tensor;
        return tensor.detach().to(at::kCPU, at::kFloat, /*non_blocking=*/false, /*copy=*/true);
      },
      to_tensor);
}

Napi::Value ModelHandle::set_parameter(const Call& call) {
  return submit<Nothing>(
      call, call.env().Undefined(),
      [network = network_, name = text(call[0]), values = tensor_from_js(call[1], "values")] {
        const auto& [info, tensor] = parameter_of(open_network(network), name);
        if (values.sizes() != tensor.sizes()) throw Error(ErrorCode::internal, "An unchecked shape of a parameter.");
        check_finite(values, "values");
        // Memory of its own, for it may be a file's mapped pages; and another version, for what is made of it is to be made again.
        tensor.set_data(values.to(tensor.device()));
        tensor.unsafeGetTensorImpl()->bump_version();
        return Nothing();
      },
      to_undefined);
}

Napi::Value ModelHandle::lend_copies(const Call& call) {
  return submit<Nothing>(
      call, call.env().Undefined(),
      [network = network_, lent = handle_from_js<ModelHandle>(call[0])->lent()] {
        auto copies = open_network(network).parameters();
        for (auto& parameter : copies) parameter.tensor = parameter.tensor.detach().clone();
        // Another model's thread, and stream, reads them.
        synchronize(open_network(network).device());
        *lent = std::move(copies);
        return Nothing();
      },
      to_undefined);
}

Napi::Value ModelHandle::save(const Call& call) {
  auto header = bytes_from_js(call[1]);
  auto name = text(call[2]);
  auto type = name == "float16" ? at::kHalf : name == "bfloat16" ? at::kBFloat16 : at::kFloat;
  return submit<Nothing>(
      call, call[3],
      [network = network_, plan = writing_plan_from_js(call[0]), header = std::move(header), type] {
        write_safetensors(plan, header, open_network(network).parameters(), type);
        return Nothing();
      },
      to_undefined);
}

Napi::Value ModelHandle::encode(const Call& call) {
  auto priority = priority_from_js(call[3]);
  auto inputs = clip_from_js(call[0].As<Napi::Object>(), call[2], priority);
  auto seeds = seeds_from_js(call[1]);
  return submit<Features>(
      call, call[2],
      [network = network_, inputs = std::move(inputs), seeds = std::move(seeds)] {
        c10::InferenceMode inference;
        const auto& open = open_network(network);
        auto features = diffsal::encode(open, prepare(inputs, open.config(), open.device()), seeds, /*keep=*/true);
        synchronize(open.device());
        return features;
      },
      [counter = feature_bytes_](Napi::Env env, Features& features) -> Napi::Value {
        return FeaturesHandle::make(env, std::move(features), counter);
      },
      priority);
}

Napi::Value ModelHandle::denoise(const Call& call) {
  auto x = tensor_from_js(call[0], "x");
  auto t = tensor_from_js(call[1], "t");
  auto features = FeaturesHandle::features_of(call[2]);
  check_map(x, "x", features->batch(), config_);
  return submit<Tensor>(
      call, call[3],
      [network = network_, x, t, features] {
        c10::InferenceMode inference;
        auto& open = open_network(network);
        check_input(x, "x");
        auto device = open.device();
        auto map = to_host(open.denoise(to_device(x, device), to_device(t, device), *features, {}));
        check_result(map);
        return map;
      },
      to_tensor, priority_from_js(call[4]));
}

Napi::Value ModelHandle::predict(const Call& call) {
  auto given = call[0].As<Napi::Object>();
  auto object = call[1].As<Napi::Object>();
  auto priority = priority_from_js(object.Get("priority"));
  std::shared_ptr<const Features> features;
  ClipInputs inputs;
  if (is_handle<FeaturesHandle>(given)) {
    features = FeaturesHandle::features_of(given);
  } else {
    inputs = clip_from_js(given, call[2], priority);
  }
  PredictOptions options{
      integer(object, "steps"),     number(object, "eta"),       seeds_from_js(object.Get("seeds")), optional_tensor(object, "noise"), {},
      boolean(object, "estimates"), boolean(object, "activity"), integer(object, "samples"),         boolean(object, "mirror")};
  auto batch = static_cast<int64_t>(options.seeds.size());
  if (features && features->batch() != batch) throw Error(ErrorCode::internal, "Not one seed for each clip.");
  if (options.noise.defined()) check_map(options.noise, "noise", batch, config_);
  std::shared_ptr<Napi::FunctionReference> function;
  if (call[3].IsFunction()) {
    function = std::make_shared<Napi::FunctionReference>(Napi::Persistent(call[3].As<Napi::Function>()));
    options.on_step = [function, bridge = Environment::of(call.env()).bridge](int64_t step, int64_t steps) {
      bridge->post([function, step, steps](Napi::Env env) {
        function->Call({Napi::Number::New(env, static_cast<double>(step)), Napi::Number::New(env, static_cast<double>(steps))});
      });
    };
  }
  return submit<Prediction>(
      call, call[2],
      [network = network_, features, inputs = std::move(inputs), options = std::move(options)] {
        c10::InferenceMode inference;
        auto& open = open_network(network);
        if (options.noise.defined()) check_input(options.noise, "noise");
        if (features) return sample(open, *features, options);
        return diffsal::predict(open, prepare(inputs, open.config(), open.device()), options);
      },
      // Keeps the function until the promise is settled, so that it is released on the JavaScript thread.
      [function](Napi::Env env, Prediction& prediction) -> Napi::Value {
        auto object = Napi::Object::New(env);
        object.Set("map", tensor_to_js(env, prediction.map));
        if (prediction.estimates.defined()) object.Set("estimates", tensor_to_js(env, prediction.estimates));
        if (prediction.deviation.defined()) object.Set("uncertainty", tensor_to_js(env, prediction.deviation));
        if (prediction.activity.empty()) return object;
        auto stages = Napi::Array::New(env, prediction.activity.size());
        for (uint32_t i = 0; i < prediction.activity.size(); ++i) stages.Set(i, tensor_to_js(env, prediction.activity[i]));
        object.Set("activity", stages);
        return object;
      },
      priority);
}

Napi::Value ModelHandle::traces(const Call& call) {
  return submit<NetworkTraces>(
      call, call[0], [network = network_] { return trace_network(open_network(network)); },
      [](Napi::Env env, NetworkTraces& traces) -> Napi::Value {
        auto object = Napi::Object::New(env);
        object.Set("encode", trace_to_js(env, traces.encode));
        object.Set("denoise", trace_to_js(env, traces.denoise));
        return object;
      });
}

Napi::Value ModelHandle::memory(const Call& call) {
  worker();
  auto object = Napi::Object::New(call.env());
  object.Set("parameters", static_cast<double>(parameter_bytes(open_network(network_))));
  object.Set("features", static_cast<double>(feature_bytes_->load()));
  const auto* cuda = cuda_part();
  if (!device_.is_cuda() || cuda == nullptr) return object;
  auto memory = cuda->memory(device_.index());
  auto device = Napi::Object::New(call.env());
  device.Set("allocated", static_cast<double>(memory.allocated));
  device.Set("reserved", static_cast<double>(memory.reserved));
  device.Set("total", static_cast<double>(memory.total));
  device.Set("free", static_cast<double>(memory.free));
  object.Set("device", device);
  return object;
}

Napi::Value ModelHandle::close(const Call& call) {
  auto* self = this;
  auto closing = submit<Nothing>(
      call, call.env().Undefined(),
      [network = network_, at_close = std::move(at_close_), device = device_] {
        for (const auto& free : at_close) free();
        network->reset();
        release_unused();
        if (device.is_cuda() && cuda_part() != nullptr) cuda_part()->release_cached();
        return Nothing();
      },
      [self](Napi::Env env, Nothing&) {
        self->worker_->stop();
        if (self->ears_) self->ears_->stop();
        self->tell_bytes(env, 0);
        return env.Undefined();
      },
      Priority::last);
  closed_ = true;
  return closing;
}

}  // namespace diffsal
