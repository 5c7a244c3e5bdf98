#include "binding/metrics.h"

#include <ATen/ops/empty.h>

#include <map>
#include <string>

#include "binding/call.h"
#include "binding/job.h"
#include "binding/tensors.h"
#include "binding/values.h"
#include "metrics/saliency_metrics.h"
#include "metrics/scoring_chain.h"
#include "runtime/error.h"

namespace diffsal {
namespace {

// The maps of one sample: real ones as float64, fixations as bytes; undefined where a metric takes fewer.
struct Sample {
  at::Tensor saliency, second, third;
};

Map map_of(const at::Tensor& x) { return {x.const_data_ptr<double>(), static_cast<size_t>(x.numel())}; }
Fixations fixations_of(const at::Tensor& x) { return {x.const_data_ptr<uint8_t>(), static_cast<size_t>(x.numel())}; }

using Metric = double (*)(const Sample&);
const std::map<std::string, Metric>& metrics() {
  static const std::map<std::string, Metric> all = {
      {"cc", [](const Sample& s) { return cc(map_of(s.saliency), map_of(s.second)); }},
      {"sim", [](const Sample& s) { return sim(map_of(s.saliency), map_of(s.second)); }},
      {"kl", [](const Sample& s) { return kl(map_of(s.saliency), map_of(s.second)); }},
      {"nss", [](const Sample& s) { return nss(map_of(s.saliency), fixations_of(s.second)); }},
      {"aucJudd", [](const Sample& s) { return auc_judd(map_of(s.saliency), fixations_of(s.second)); }},
      {"shuffledAuc", [](const Sample& s) { return shuffled_auc(map_of(s.saliency), fixations_of(s.second), fixations_of(s.third)); }},
      {"informationGain", [](const Sample& s) { return information_gain(map_of(s.saliency), fixations_of(s.second), map_of(s.third)); }},
  };
  return all;
}

// Maps of n pixels each, (B, n); undefined where none are given.
at::Tensor optional_maps(const Napi::Value& value, const char* argument) {
  if (!value.IsObject()) return {};
  auto tensor = tensor_from_js(value, argument);
  return tensor.scalar_type() == at::kFloat ? tensor.to(at::kDouble) : tensor;
}

template <typename Result>
using Convert = std::function<Napi::Value(Napi::Env, Result&)>;
const Convert<at::Tensor> scores_to_js = [](Napi::Env env, at::Tensor& tensor) { return tensor_to_js(env, tensor); };

// (name, saliency, second, third | undefined) -> Promise<Tensor<'float64'>> (B,). Maps are (B, n).
Napi::Value metric(const Call& call) {
  auto env = call.env();
  auto compute = metrics().at(text(call[0]));
  auto saliency = optional_maps(call[1], "saliency"), second = optional_maps(call[2], "maps"), third = optional_maps(call[3], "maps");
  // The metrics read as many pixels of each as the first has.
  for (const auto& maps : {second, third}) {
    if (maps.defined() && maps.sizes() != saliency.sizes()) throw Error(ErrorCode::internal, "The maps of a metric are of different sizes.");
  }
  return run_job<at::Tensor>(
      env, Environment::of(env).utility(), Napi::Object::New(env), CancelToken::flag_of(env.Undefined()),
      [=] {
        auto values = at::empty({saliency.size(0)}, at::kDouble);
        for (int64_t b = 0; b < saliency.size(0); ++b) {
          values.mutable_data_ptr<double>()[b] = compute({saliency[b], second[b], third.defined() ? third[b] : third});
        }
        return values;
      },
      scores_to_js);
}

// (map, height, width, blur) -> Promise<Tensor<'float64'>> (height, width)
Napi::Value published_chain(const Call& call) {
  auto env = call.env();
  auto map = tensor_from_js(call[0], "predictions.tensor");
  auto height = integer(call[1]), width = integer(call[2]);
  auto blur = boolean(call[3]);
  return run_job<at::Tensor>(
      env, Environment::of(env).utility(), Napi::Object::New(env), CancelToken::flag_of(env.Undefined()),
      [=] { return scoring_chain(map, height, width, blur); }, scores_to_js);
}

}  // namespace

void define_metrics(Napi::Env env, Napi::Object exports) {
  export_function<metric>(exports, "metric");
  export_function<published_chain>(exports, "scoringChain");
}

}  // namespace diffsal
