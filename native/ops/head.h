#pragma once
#include <array>

#include "ops/convolution.h"

namespace diffsal {

// The Saliency-UNet's end: sigmoid(logits(relu(norm(convolution(sum of up(f_i)))))), where f_i is a stage's fold, the mean of what a convolution
// over its slots gives after ReLU, and up() the bilinear upsampling to half the clip's size. All that is linear up to the norm, so the convolution's
// nine taps run on each stage's own map, and their results are upsampled, moved and added.
class Head {
 public:
  Head(Convolution convolution, BatchNorm norm, Linear logits) : layer_(std::move(convolution), std::move(norm)), logits_(std::move(logits)) {}

  // A stage's part: of its norms (B, h, w, slots, C) the fold by `reduce`, kernel (5, 1, 1), and the taps' products of that. Its order is the side's.
  Tensor part(const Tensor& normed, const Convolution& reduce, const Pass& pass) const;
  // Of the parts of all stages, coarse to fine -> (B, 1, 16 h_0, 16 w_0).
  Tensor operator()(const std::vector<Tensor>& parts, const Pass& pass) const;

 private:
  const Convolution& convolution(const Pass& pass) const { return pass.training ? layer_.convolution : layer_.folded(); }
  bool packed_for(const Tensor& x) const;
  Tensor part_torch(const Tensor& normed, const Convolution& reduce, const Convolution& convolution) const;
  Tensor part_cpu(const Tensor& normed, const Convolution& reduce, const Convolution& convolution) const;
  Tensor sum_torch(const std::vector<Tensor>& parts, const Pass& pass) const;
  Tensor sum_cpu(const std::vector<Tensor>& parts) const;

  NormedConvolution layer_;
  Linear logits_;
  Derived<PackedLinear> taps_;
  // Libtorch's side, for maps of some sizes and a type.
  struct Sizing {
    std::vector<std::array<int64_t, 2>> sizes;
    at::ScalarType type = at::kFloat;
    bool operator==(const Sizing&) const = default;
  };
  struct Upsampling {
    std::vector<Tensor> columns;  // of each stage
    Tensor rows;                  // of all
  };
  Kept<Sizing, Upsampling> upsampling_;
};

}  // namespace diffsal
