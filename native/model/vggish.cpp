#include "model/vggish.h"

#include <ATen/ops/max_pool2d.h>

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
  return per_slot(mel, [&](Tensor x) {
    for (const auto& stage : stages_) {
      stop_point(x);
      for (const auto& convolution : stage) x = convolution(x).relu_();
      x = at::max_pool2d(x, {2, 2}, {2, 2});
    }
    return x;
  });
}

}  // namespace diffsal
