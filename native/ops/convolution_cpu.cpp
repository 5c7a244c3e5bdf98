#include <ATen/ops/relu.h>
#include <ATen/ops/zeros.h>

#include "ops/packed_convolution.h"

namespace diffsal {
namespace {

// Wider than this, a convolution has too few places for the transform's larger filters to pay.
constexpr int64_t widest_transformed = 512;

bool transformable(const Convolution& c, const Tensor& weight) {
  const auto& o = c.options;
  bool square = weight.size(2) == 3 && weight.size(3) == 3 && o.stride == Sizes{1, 1} && o.padding == o.dilation && o.dilation[0] == o.dilation[1];
  // Of one channel the transform would not pay either.
  return square && o.after == 0 && weight.size(0) <= widest_transformed && weight.size(1) > 1;
}

// Where a residual lies for each image, (n) -> its memory.
std::function<const float*(int64_t)> residual_of(const After& after) {
  if (!after.residual.defined()) return {};
  const float* others = after.residual.const_data_ptr<float>();
  if (!after.last.defined()) {
    return [others, size = after.residual[0].numel()](int64_t image) { return others + image * size; };
  }
  const float* last = after.last.const_data_ptr<float>();
  return [others, last, slots = after.residual.size(1) + 1, size = after.last[0].numel()](int64_t image) {
    int64_t sample = image / slots, slot = image % slots;
    return slot + 1 < slots ? others + (sample * (slots - 1) + slot) * size : last + sample * size;
  };
}

}  // namespace

PackedConvolution::PackedConvolution(const Convolution& c) : bias_(c.bias.defined() ? c.bias : at::zeros({c.weight.size(0)}, c.weight.options())) {
  auto weight = c.plane(c.weight);
  const auto& o = c.options;
  if (transformable(c, weight)) tiles_.emplace(weight, o.dilation[0]);
  else if (weight.size(2) == 1 && weight.size(3) == 1 && o.stride == Sizes{1, 1}) pointwise_.emplace(weight.flatten(1), bias_);
  else {
    auto line = [&](size_t i) {
      return PatchLine{weight.size(static_cast<int64_t>(2 + i)), o.stride[i], o.padding[i], o.padding[i] + o.after, o.dilation[i]};
    };
    patches_.emplace(weight, bias_, line(0), line(1));
  }
}

Tensor PackedConvolution::operator()(const Tensor& x, const After& after) const {
  if (tiles_) {
    return (*tiles_)(x, {.bias = after.image_bias.defined() ? after.image_bias + bias_ : bias_, .relu = after.relu, .residual = residual_of(after)});
  }
  auto y = pointwise_ ? (*pointwise_)(x) : (*patches_)(x);
  if (after.image_bias.defined()) y.add_(after.image_bias.unsqueeze(1).unsqueeze(1));
  if (after.relu) at::relu_(y);
  return add_residual(y, after);
}

const Packed& Convolution::packed_slots() const {
  return packed_slots_.of({weight}, [&] { return Packed(weight.permute({2, 1, 0, 3, 4}).reshape({-1, weight.size(0)})); });
}

Tensor convolve_cpu(const Tensor& x, const Convolution& convolution, const After& after) {
  auto prepared = after;
  for (auto* tensor : {&prepared.residual, &prepared.last}) {
    if (tensor->defined()) *tensor = tensor->contiguous();
  }
  return convolution.packed()(x.contiguous(), prepared);
}

}  // namespace diffsal
