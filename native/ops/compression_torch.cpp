#include <ATen/TensorOperators.h>
#include <ATen/ops/conv3d.h>
#include <ATen/ops/sum.h>

#include "ops/compression.h"
#include "ops/side.h"

namespace diffsal {
namespace {

// Places of rows and columns as sides of squares: (…, rows, columns, C) -> (…, down, side, across, side, C).
Tensor in_squares(const Tensor& x, int64_t rows, int64_t side, int64_t down, int64_t across) {
  return x.narrow(rows, 0, down * side).narrow(rows + 1, 0, across * side).unflatten(rows + 1, {across, side}).unflatten(rows, {down, side});
}

// The norm of patches' sums, which are float32.
Tensor normed(const Tensor& sums, const LayerNorm& norm, at::ScalarType type) { return norm(sums).to(type).flatten(1, 3); }

}  // namespace

// oneDNN's depthwise kernel takes channels-last maps. CUDA's own takes the channels outermost, and for maps that are not so libtorch asks
// cuDNN, which is slow at depthwise convolutions in three dimensions.
Tensor depthwise_torch(const Tensor& x, const Tensor& weight, at::IntArrayRef stride) {
  auto map = x.permute({0, 4, 1, 2, 3});
  if (!map.is_cpu()) map = map.contiguous();
  return at::conv3d(map, weight.is_cpu() ? weight : weight.contiguous(), {}, stride, {1, 1, 1}, {1, 1, 1}, x.size(4)).permute({0, 2, 3, 4, 1});
}

Tensor around_torch(const Tensor& x, const Compression& compression) {
  const auto& conv = compression.conv;
  return compression.norm(depthwise_torch(x, conv.in(x.scalar_type()).weight, conv.options.stride));
}

Tensor patches_torch(const Tensor& x, const Compression& compression) {
  int64_t kernel = compression.conv.weight.size(3), down = x.size(2) / kernel, across = x.size(3) / kernel;
  auto patches = in_squares(x, 2, kernel, down, across);
  return normed((patches * compression.cells().to(x.scalar_type())).sum(3).sum(4, false, at::kFloat), compression.norm, x.scalar_type());
}

// A place of the sound's weighted factors are added up once for all slots.
Tensor patches_torch(const Modulated& x, const Compression& compression) {
  int64_t kernel = compression.conv.weight.size(3), repeat = x.repeat(), cells = kernel / repeat;
  int64_t down = x.factor.size(1) / kernel, across = x.factor.size(2) / kernel;
  auto weighted = in_squares(x.factor, 1, kernel, down, across) * compression.cells();  // (B, down, kernel, across, kernel, C)
  auto gathered = weighted.unflatten(4, {cells, repeat}).unflatten(2, {cells, repeat}).sum(3).sum(5);
  auto sums = (in_squares(x.sound, 2, cells, down, across) * gathered.unsqueeze(1)).sum(3).sum(4, false, at::kFloat);
  return normed(sums, compression.norm, x.sound.scalar_type());
}

}  // namespace diffsal
