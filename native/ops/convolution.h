#pragma once
#include <memory>

#include "ops/norms.h"

namespace diffsal {

struct ConvolutionOptions {
  Sizes stride = {}, padding = {}, dilation = {};  // empty: 1, 0, 1
  int64_t groups = 1;
  bool bias = true;
  Init bias_init = Init::fan_in;
  int64_t after = 0;  // of two dimensions: further zeros at the bottom and the right
};

class PackedConvolution;

// A 2-D or 3-D convolution, as `kernel` has two or three sizes. One of three that is flat, (1, k, l) or (k, 1, 1), is of two dimensions where
// `options` has two: over (h, w) of a clip's pictures, or over (t, h w) of the clip. Its weight keeps the shape that checkpoints have.
struct Convolution {
  Convolution(const Scope& scope, int64_t in, int64_t out, Sizes kernel, ConvolutionOptions options = {});
  Convolution(Tensor weight, Tensor bias, ConvolutionOptions options)
      : weight(std::move(weight)), bias(std::move(bias)), options(std::move(options)) {}

  // Of maps with the channels outermost, (N, C, ...), by libtorch.
  Tensor operator()(const Tensor& x) const;

  Weights in(at::ScalarType type) const { return cast_.of(weight, bias, type, true); }
  int64_t dimensions() const { return static_cast<int64_t>(options.stride.size()); }
  // A weight of this one's shape as the dimensions read it: a flat kernel's (out, in, k, l).
  Tensor plane(const Tensor& whole) const;
  // Its packed side, of two dimensions and one group.
  const PackedConvolution& packed() const;
  // Of kernel (k, 1, 1) the packed matrix (k in, out).
  const Packed& packed_slots() const;

  Tensor weight, bias;
  ConvolutionOptions options;

 private:
  WeightCast cast_;
  Derived<std::shared_ptr<const PackedConvolution>> packed_;
  Derived<Packed, 1> packed_slots_;
};

// What follows a convolution of channels-last maps: act(sum + image_bias) + residual.
struct After {
  Tensor image_bias = {};  // (N, out), or undefined
  bool relu = false;
  Tensor residual = {};  // of the result's shape, or undefined
  Tensor last =
      {};  // where defined, (B, h, w, out): the residual of every sample's last slot, and `residual` that of the others, (B, t - 1, h, w, out)
};

// A 2-D convolution of channels-last maps, (N, H, W, in) -> (N, h, w, out).
Tensor convolve(const Tensor& x, const Convolution& convolution, const After& after = {});

// Its sides.
Tensor convolve_torch(const Tensor& x, const Convolution& convolution, const After& after);
Tensor convolve_cpu(const Tensor& x, const Convolution& convolution, const After& after);
// y + residual of `after`; y is its caller's own.
Tensor add_residual(Tensor y, const After& after);

// A 2-D convolution and the BatchNorm after it, which are one convolution but in training.
struct NormedConvolution {
  Convolution convolution;
  BatchNorm norm;

  // act(norm(convolution(x))) + residual, of channels-last maps.
  Tensor operator()(const Tensor& x, const Pass& pass, const After& after = {}) const;
  const Convolution& folded() const;

 private:
  struct Key {
    std::array<Version, 6> parameters;
    uint64_t batches = 0;
    bool operator==(const Key&) const = default;
  };
  Kept<Key, Convolution> folded_;

 public:
  NormedConvolution(Convolution convolution, BatchNorm norm) : convolution(std::move(convolution)), norm(std::move(norm)) {}
};

// norm(y), then ReLU where it is asked for, of channels-last maps (N, h, w, C).
Tensor norm_maps(const Tensor& y, const BatchNorm& norm, const Pass& pass, bool relu);

}  // namespace diffsal
