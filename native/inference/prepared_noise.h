#pragma once
#include <optional>
#include <vector>

#include "inference/packed_linear.h"
#include "inference/patch_convolution.h"
#include "inference/winograd.h"
#include "model/noise_encoder.h"

namespace diffsal {

// The noise encoder for inference on the CPU: the same function as NoiseEncoder, with channels-last maps (B, h, w, C), coarse to fine.
class PreparedNoise {
 public:
  explicit PreparedNoise(const NoiseEncoder& encoder);
  std::vector<Tensor> operator()(const Tensor& noisy, const Tensor& t) const;

 private:
  // A 3x3 convolution with padding 1, by the transform where its filters are small enough to pay for that.
  class Square {
   public:
    explicit Square(const Convolution& convolution);
    // bias: (out,) or (B, out); residual: (B, h, w, out) or undefined.
    Tensor operator()(const Tensor& x, const Tensor& bias, const Tensor& residual) const;

   private:
    std::optional<WinogradConvolution> fast_;
    std::optional<PatchConvolution> plain_;
  };
  struct Block {
    const ResnetBlock& layers;
    Square conv1, conv2;
    PackedLinear time;
    std::optional<PackedLinear> shortcut;
    Tensor operator()(const Tensor& x, const Tensor& code) const;
  };
  struct Stage {
    Block block;
    PatchConvolution shrink;
  };
  static Block prepare(const ResnetBlock& block);

  Tensor frequencies_;
  PackedLinear dense0_, dense1_;
  PatchConvolution first_;
  std::optional<Block> res_in_;
  std::vector<Stage> stages_;
};

}  // namespace diffsal
