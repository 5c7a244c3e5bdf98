#pragma once
#include "ops/convolution.h"
#include "ops/depthwise.h"

namespace diffsal {

// A map of channels-last sound (B, t, ha, wa, C), of which each place stands for r x r of the picture's, times a factor (B, h, w, C) that is alike
// for all slots; without a factor, the sound is the map itself.
struct Modulated {
  Tensor sound, factor;

  int64_t repeat() const { return factor.size(2) / sound.size(3); }
  // (B, t, h, w, C)
  Tensor map() const;
};

// STC, eq. 8: spatio-temporal compression by a depthwise 3-D convolution, then LayerNorm, of channels-last maps.
struct Compression {
  Convolution conv;
  LayerNorm norm;

  // Of kernel 3x3x3, stride 1 and padding 1.
  static Compression around(const Scope& scope, int64_t channels);
  // Of `kernel` x `kernel` patches of one slot that do not overlap. What is left over at the right and the bottom is not read.
  static Compression patches(const Scope& scope, int64_t channels, int64_t kernel);

  // around: (B, t, h, w, C) -> the same shape.
  Tensor around_places(const Tensor& x) const;
  // patches: (B, t, h, w, C) -> (B, t (h / kernel) (w / kernel), C).
  Tensor tokens(const Tensor& x) const;
  // The same of a modulated map, which is not made where a place of the sound lies in one patch.
  Tensor tokens(const Modulated& x) const;

  // A patch's weights for each of its places, (kernel, 1, kernel, C).
  Tensor cells() const;
  // The packed sides.
  DepthwiseNorm packed_around() const { return {taps(), norm.weight, norm.bias}; }
  PatchNorm packed_patches() const { return {taps(), norm.weight, norm.bias, conv.weight.size(3)}; }

 private:
  Compression(Convolution conv, LayerNorm norm) : conv(std::move(conv)), norm(std::move(norm)) {}
  const Tensor& taps() const;  // (places, C)
  bool packed_for(const Tensor& x, const Tensor& y) const;

  Derived<Tensor, 1> taps_, cells_;
};

// The torch sides.
Tensor around_torch(const Tensor& x, const Compression& compression);
Tensor patches_torch(const Tensor& x, const Compression& compression);
Tensor patches_torch(const Modulated& x, const Compression& compression);
// The packed side of around_places(), on all threads.
Tensor around_cpu(const Tensor& x, const DepthwiseNorm& depthwise);

// A depthwise 3x3x3 convolution with zero padding 1 by libtorch: (B, t, h, w, C) -> (B, t', h', w', C), the grid divided by the stride, rounded
// up. weight: (C, 1, 3, 3, 3), in x's type.
Tensor depthwise_torch(const Tensor& x, const Tensor& weight, at::IntArrayRef stride);

}  // namespace diffsal
