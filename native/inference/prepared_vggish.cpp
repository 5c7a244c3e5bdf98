#include "inference/prepared_vggish.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/stack.h>

#include "inference/vectorised.h"
#include "runtime/cancellation.h"

namespace diffsal {
namespace {

// A NaN stays.
DIFFSAL_VECTORISED
void greatest_of_four(const float* a, const float* b, const float* c, const float* d, int64_t channels, float* to) {
  for (int64_t i = 0; i < channels; ++i) {
    float left = (a[i] > b[i]) | (a[i] != a[i]) ? a[i] : b[i], right = (c[i] > d[i]) | (c[i] != c[i]) ? c[i] : d[i];
    to[i] = (left > right) | (left != left) ? left : right;
  }
}

// (N, h, w, C) -> (N, h / 2, w / 2, C)
Tensor max_pool(const Tensor& x) {
  int64_t h = x.size(1) / 2, w = x.size(2) / 2, channels = x.size(3), line = x.size(2) * channels;
  auto y = at::empty({x.size(0), h, w, channels}, x.options());
  const float* source = x.const_data_ptr<float>();
  float* target = y.data_ptr<float>();
  at::parallel_for(0, x.size(0) * h, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float* from = source + (row / h * x.size(1) + row % h * 2) * line;
      for (int64_t column = 0; column < w; ++column, from += 2 * channels) {
        greatest_of_four(from, from + channels, from + line, from + line + channels, channels, target + (row * w + column) * channels);
      }
    }
  });
  return y;
}

}  // namespace

PreparedVGGish::PreparedVGGish(const VGGish& net) {
  const auto& first = net.stages_[0][0];
  first_ = PatchConvolution(first.weight, first.bias, 1, 1);
  for (const auto& stage : net.stages_) {
    auto& layers = stages_.emplace_back();
    for (const auto& convolution : stage) {
      if (&convolution != &first) layers.push_back({WinogradConvolution(convolution.weight, 1), convolution.bias});
    }
  }
}

Tensor PreparedVGGish::operator()(const Tensor& mel) const {
  auto slices = mel.transpose(1, 2).flatten(0, 1).unsqueeze(4);  // (B slots, 1, h, w, 1)
  // The finest maps are large, so they are made and pooled one slice at a time.
  std::vector<Tensor> pooled;
  for (const auto& slice : slices.contiguous().unbind()) {
    throw_if_cancelled();
    auto x = first_(slice, slice.size(1), slice.size(2));
    pooled.push_back(run(stages_[0], at::relu_(x))[0]);
  }
  auto x = at::stack(pooled);
  for (size_t i = 1; i < stages_.size(); ++i) {
    stop_point(x);
    x = run(stages_[i], x);
  }
  return x.permute({0, 3, 1, 2}).unflatten(0, {mel.size(0), mel.size(2)}).transpose(1, 2);
}

Tensor PreparedVGGish::run(const std::vector<Layer>& stage, Tensor x) {
  for (const auto& [convolution, bias] : stage) x = convolution(x, {.bias = bias, .relu = true});
  return max_pool(x);
}

}  // namespace diffsal
