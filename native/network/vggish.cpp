#include "network/vggish.h"

#include <ATen/ops/cat.h>

#include "ops/max_pool.h"

namespace diffsal {

VGGish::VGGish(const Scope& scope, const AudioEncoderConfig& config) {
  // Names count every layer of the original's sequence: a convolution and its ReLU are two, a pooling one.
  int64_t index = 0, in = 1;
  for (const auto& widths : config.widths) {
    auto& stage = stages_.emplace_back();
    for (auto out : widths) {
      stage.emplace_back(scope / "features" / index, in, out, Sizes{3, 3}, ConvolutionOptions{.padding = {1, 1}});
      in = out;
      index += 2;
    }
    index += 1;
  }
}

Tensor VGGish::operator()(const Tensor& mel) const {
  auto run = [](const std::vector<Convolution>& stage, Tensor x) {
    stop_point(x);
    for (const auto& convolution : stage) x = convolve(x, convolution, {.relu = true});
    return max_pool(x);
  };
  auto x = mel.transpose(1, 2).flatten(0, 1).unsqueeze(4);  // (B slots, 1, h, w, 1)
  // The finest maps are large, so on the CPU they are made and pooled one slice at a time.
  std::vector<Tensor> slices;
  for (const auto& part : x.is_cpu() ? x.unbind() : std::vector<Tensor>{x.squeeze(1)}) slices.push_back(run(stages_[0], part));
  x = at::cat(slices);
  for (size_t i = 1; i < stages_.size(); ++i) x = run(stages_[i], x);
  return x.unflatten(0, {mel.size(0), mel.size(2)});
}

}  // namespace diffsal
