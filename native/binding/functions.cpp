#include "binding/functions.h"

#include <c10/core/InferenceMode.h>

#include "audio/excerpt.h"
#include "audio/log_mel.h"
#include "binding/config.h"
#include "binding/environment.h"
#include "binding/job.h"
#include "binding/model.h"
#include "binding/tensors.h"
#include "binding/values.h"
#include "diffusion/ddim_sampler.h"
#include "diffusion/noise_schedule.h"
#include "prediction/inputs.h"
#include "runtime/cuda_part.h"
#include "runtime/device.h"

namespace diffsal {
namespace {

// Runs a function of at::Tensors at once.
template <typename Function>
Napi::Value at_once(const Napi::CallbackInfo& info, Function function) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    c10::InferenceMode inference;
    return function();
  });
}

// () -> { version, cuda }
Napi::Value libtorch(const Napi::CallbackInfo& info) {
  return at_once(info, [&] {
    auto env = info.Env();
    auto object = Napi::Object::New(env);
    object.Set("version", libtorch_version());
    object.Set("cuda", Napi::Number::New(env, static_cast<double>(cuda_version())));
    return object;
  });
}

// () -> number
Napi::Value js_cuda_devices(const Napi::CallbackInfo& info) {
  return at_once(info, [&] { return Napi::Number::New(info.Env(), static_cast<double>(cuda_devices())); });
}

// (path) -> undefined
Napi::Value js_open_cuda_part(const Napi::CallbackInfo& info) {
  return at_once(info, [&] {
    open_cuda_part(info[0].ToString().Utf8Value());
    return info.Env().Undefined();
  });
}

// (timesteps) -> Tensor<'float64'>
Napi::Value js_betas(const Napi::CallbackInfo& info) {
  return at_once(info, [&] { return tensor_to_js(info.Env(), cosine_betas(integer(info[0]))); });
}

// (timesteps) -> Tensor<'float32'>
Napi::Value js_alpha_bars(const Napi::CallbackInfo& info) {
  return at_once(info, [&] { return tensor_to_js(info.Env(), alpha_bars(integer(info[0]))); });
}

// (timesteps, steps, released) -> [now, next][]
Napi::Value js_ddim_times(const Napi::CallbackInfo& info) {
  return at_once(info, [&] {
    auto env = info.Env();
    auto pairs = ddim_times(integer(info[0]), integer(info[1]), info[2].ToBoolean());
    auto list = Napi::Array::New(env, pairs.size());
    for (uint32_t i = 0; i < pairs.size(); ++i) {
      auto pair = Napi::Array::New(env, 2);
      pair.Set(0u, Napi::Number::New(env, static_cast<double>(pairs[i].first)));
      pair.Set(1u, Napi::Number::New(env, static_cast<double>(pairs[i].second)));
      list.Set(i, pair);
    }
    return list;
  });
}

// (x, s0, a, b, eta, noise | undefined) -> Tensor<'float32'>
Napi::Value js_ddim_step(const Napi::CallbackInfo& info) {
  return at_once(info, [&] {
    auto coefficient = [&](int i) { return info[i].ToNumber().FloatValue(); };
    auto noise = [&] { return tensor_from_js(info[5]); };
    return tensor_to_js(info.Env(), ddim_step(tensor_from_js(info[0]), tensor_from_js(info[1]), coefficient(2), coefficient(3), info[4].ToNumber(), noise));
  });
}

// (config) -> { name, shape, buffer }[], of a network that is not made.
Napi::Value js_parameters_of(const Napi::CallbackInfo& info) {
  return at_once(info, [&] {
    ShapeSource source;
    Network network(config_from_js(info[0].As<Napi::Object>()), source, at::kMeta);
    return parameters_to_js(info.Env(), network.parameters());
  });
}

// Runs `work` on (samples, sampleRate)'s samples at the network's rate, off the JavaScript thread.
Napi::Value submit(const Napi::CallbackInfo& info, std::function<at::Tensor(const at::Tensor&)> work) {
  auto env = info.Env();
  auto samples = guarded(env, [&] { return tensor_from_js(info[0]); });
  auto rate = integer(info[1]);
  return run_job<at::Tensor>(
      env, Environment::of(env).utility(), Napi::Object::New(env), nullptr,
      [samples, rate, work = std::move(work)] {
        c10::InferenceMode inference;
        check_finite(samples, "samples");
        return work(resample(samples, rate, network_rate));
      },
      [](Napi::Env env, at::Tensor& tensor) { return tensor_to_js(env, tensor); });
}

// (samples, sampleRate) -> Promise<Tensor<'float32'>> (frames, 64)
Napi::Value js_log_mel(const Napi::CallbackInfo& info) {
  return submit(info, [](const at::Tensor& samples) { return log_mel(samples, network_rate).to(at::kFloat); });
}

// (samples, sampleRate, height, width, slots) -> Promise<Tensor<'float32'>> (1, slots, height, width)
Napi::Value js_mel_slices(const Napi::CallbackInfo& info) {
  auto height = integer(info[2]), width = integer(info[3]), slots = integer(info[4]);
  return submit(info, [=](const at::Tensor& samples) { return mel_slices(samples, height, width, slots, network_rate); });
}

// () -> undefined: stops every thread of this environment, as its end does. For process.exit(), which runs no cleanup hooks and
// destroys libtorch's globals under running threads.
void stop(const Napi::CallbackInfo& info) { Environment::of(info.Env()).close(); }

}  // namespace

void define_functions(Napi::Env env, Napi::Object exports) {
  exports.Set("libtorchVersion", libtorch_version());
  exports.Set("stop", Napi::Function::New<stop>(env, "stop"));
  exports.Set("libtorch", Napi::Function::New<libtorch>(env, "libtorch"));
  exports.Set("cudaDevices", Napi::Function::New<js_cuda_devices>(env, "cudaDevices"));
  exports.Set("openCudaPart", Napi::Function::New<js_open_cuda_part>(env, "openCudaPart"));
  exports.Set("betas", Napi::Function::New<js_betas>(env, "betas"));
  exports.Set("alphaBars", Napi::Function::New<js_alpha_bars>(env, "alphaBars"));
  exports.Set("ddimTimes", Napi::Function::New<js_ddim_times>(env, "ddimTimes"));
  exports.Set("ddimStep", Napi::Function::New<js_ddim_step>(env, "ddimStep"));
  exports.Set("parametersOf", Napi::Function::New<js_parameters_of>(env, "parametersOf"));
  exports.Set("logMel", Napi::Function::New<js_log_mel>(env, "logMel"));
  exports.Set("melSlices", Napi::Function::New<js_mel_slices>(env, "melSlices"));
}

}  // namespace diffsal
