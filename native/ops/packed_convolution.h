#pragma once
#include <optional>

#include "ops/convolution.h"
#include "ops/patch_convolution.h"
#include "ops/winograd.h"

namespace diffsal {

// The packed side of a 2-D convolution: by Winograd's transform where its filters, four times as large, pay; else one product over patches.
class PackedConvolution {
 public:
  explicit PackedConvolution(const Convolution& convolution);
  Tensor operator()(const Tensor& x, const After& after) const;

 private:
  Tensor bias_;  // (out,)
  std::optional<WinogradConvolution> tiles_;
  std::optional<PatchConvolution> patches_;
  std::optional<PackedLinear> pointwise_;
};

}  // namespace diffsal
