#pragma once
#include "ops/convolution.h"

namespace diffsal {

// A convolution of kernel 3, dilation 2 and padding 2 on what x2 bilinear upsampling makes of channels-last maps, (N, h, w, in) ->
// (N, 2h, 2w, out), with ReLU where it is asked for. Both are linear, so the convolution runs on the small map, and what it gives is upsampled.
class UpsampledConvolution {
 public:
  explicit UpsampledConvolution(Convolution convolution, BatchNorm norm) : layer_(std::move(convolution), std::move(norm)) {}
  // relu(norm(convolution(up(x)))), of contiguous x.
  Tensor operator()(const Tensor& x, const Pass& pass) const;

 private:
  NormedConvolution layer_;
  Derived<PackedLinear> taps_;
  // What libtorch's side does with maps of one size and type.
  struct Doubling {
    Tensor places, within;  // of the extended map: the small map's place, (places,), and whether there is one, (places, 1)
    Tensor rows, columns;
  };
  struct Size {
    int64_t height = 0, width = 0;
    at::ScalarType type = at::kFloat;
    bool operator==(const Size&) const = default;
  };
  Kept<Size, Doubling> doubling_;

  Tensor torch(const Tensor& x, const Convolution& convolution, bool relu) const;
  Tensor cpu(const Tensor& x, const Convolution& convolution) const;
};

}  // namespace diffsal
