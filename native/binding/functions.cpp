#include "binding/functions.h"

#include <c10/core/InferenceMode.h>

#include "audio/excerpt.h"
#include "audio/log_mel.h"
#include "binding/call.h"
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

// () -> { version, cuda }
Napi::Value libtorch(const Call& call) {
  auto env = call.env();
  auto object = Napi::Object::New(env);
  object.Set("version", libtorch_version());
  object.Set("cuda", Napi::Number::New(env, static_cast<double>(cuda_version())));
  return object;
}

// () -> number
Napi::Value js_cuda_devices(const Call& call) { return Napi::Number::New(call.env(), static_cast<double>(cuda_devices())); }

// (path) -> undefined
Napi::Value js_open_cuda_part(const Call& call) {
  open_cuda_part(text(call[0]));
  return call.env().Undefined();
}

// (timesteps) -> Tensor<'float64'>
Napi::Value js_betas(const Call& call) {
  c10::InferenceMode inference;
  return tensor_to_js(call.env(), cosine_betas(integer(call[0])));
}

// (timesteps) -> Tensor<'float32'>
Napi::Value js_alpha_bars(const Call& call) {
  c10::InferenceMode inference;
  return tensor_to_js(call.env(), alpha_bars(integer(call[0])));
}

// (timesteps, steps, released) -> [now, next][]
Napi::Value js_ddim_times(const Call& call) {
  auto env = call.env();
  auto pairs = ddim_times(integer(call[0]), integer(call[1]), boolean(call[2]));
  auto list = Napi::Array::New(env, pairs.size());
  for (uint32_t i = 0; i < pairs.size(); ++i) {
    auto pair = Napi::Array::New(env, 2);
    pair.Set(0u, Napi::Number::New(env, static_cast<double>(pairs[i].first)));
    pair.Set(1u, Napi::Number::New(env, static_cast<double>(pairs[i].second)));
    list.Set(i, pair);
  }
  return list;
}

// (x, s0, a, b, eta, noise | undefined) -> Tensor<'float32'>
Napi::Value js_ddim_step(const Call& call) {
  c10::InferenceMode inference;
  auto coefficient = [&](int i) { return call[i].ToNumber().FloatValue(); };
  auto noise = [&] { return tensor_from_js(call[5], "noise"); };
  auto x = tensor_from_js(call[0], "x"), s0 = tensor_from_js(call[1], "s0");
  return tensor_to_js(call.env(), ddim_step(x, s0, coefficient(2), coefficient(3), number(call[4]), noise));
}

// (config) -> { name, shape, buffer }[], of a network that is not made.
Napi::Value js_parameters_of(const Call& call) {
  c10::InferenceMode inference;
  ShapeSource source;
  Network network(config_from_js(call[0].As<Napi::Object>()), source, at::kMeta);
  return parameters_to_js(call.env(), network.parameters());
}

// Runs `work` on (samples, sampleRate)'s samples at the network's rate, off the JavaScript thread.
Napi::Value submit(const Call& call, std::function<at::Tensor(const at::Tensor&)> work) {
  auto env = call.env();
  auto samples = tensor_from_js(call[0], "samples");
  auto rate = integer(call[1]);
  return run_job<at::Tensor>(
      env, Environment::of(env).utility(), Napi::Object::New(env), nullptr,
      [samples, rate, work = std::move(work)] {
        c10::InferenceMode inference;
        check_input(samples, "samples");
        return work(resample(samples, rate, network_rate));
      },
      [](Napi::Env env, at::Tensor& tensor) { return tensor_to_js(env, tensor); });
}

// (samples, sampleRate) -> Promise<Tensor<'float32'>> (frames, 64)
Napi::Value js_log_mel(const Call& call) {
  return submit(call, [](const at::Tensor& samples) { return log_mel(samples, network_rate).to(at::kFloat); });
}

// (samples, sampleRate, height, width, slots) -> Promise<Tensor<'float32'>> (1, slots, height, width)
Napi::Value js_mel_slices(const Call& call) {
  auto height = integer(call[2]), width = integer(call[3]), slots = integer(call[4]);
  return submit(call, [=](const at::Tensor& samples) { return mel_slices(samples, height, width, slots, network_rate); });
}

// () -> undefined: stops every thread of this environment, as its end does. For process.exit(), which runs no cleanup hooks and
// destroys libtorch's globals under running threads.
Napi::Value stop(const Call& call) {
  Environment::of(call.env()).close();
  return call.env().Undefined();
}

}  // namespace

void define_functions(Napi::Env env, Napi::Object exports) {
  exports.Set("libtorchVersion", libtorch_version());
  export_function<stop>(exports, "stop");
  export_function<libtorch>(exports, "libtorch");
  export_function<js_cuda_devices>(exports, "cudaDevices");
  export_function<js_open_cuda_part>(exports, "openCudaPart");
  export_function<js_betas>(exports, "betas");
  export_function<js_alpha_bars>(exports, "alphaBars");
  export_function<js_ddim_times>(exports, "ddimTimes");
  export_function<js_ddim_step>(exports, "ddimStep");
  export_function<js_parameters_of>(exports, "parametersOf");
  export_function<js_log_mel>(exports, "logMel");
  export_function<js_mel_slices>(exports, "melSlices");
}

}  // namespace diffsal
