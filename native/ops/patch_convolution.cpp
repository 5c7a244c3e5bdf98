#include "ops/patch_convolution.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>

namespace diffsal {

PatchConvolution::PatchConvolution(const at::Tensor& weight, at::Tensor bias, const PatchGeometry& geometry)
    : product_(weight.permute({0, 2, 3, 1}).flatten(1), std::move(bias)), kernel_(weight.size(2)), geometry_(geometry) {}

at::Tensor PatchConvolution::operator()(const at::Tensor& x) const {
  const auto& [stride, before, after, dilation] = geometry_;
  auto places = [&, zeros = before + after, extent = dilation * (kernel_ - 1) + 1](int64_t size) { return (size + zeros - extent) / stride + 1; };
  int64_t height = places(x.size(1)), width = places(x.size(2));
  int64_t samples = x.size(0), h = x.size(1), w = x.size(2), channels = x.size(3), length = kernel_ * kernel_ * channels;
  auto patches = at::empty({samples * height * width, length}, x.options());
  const float* source = x.const_data_ptr<float>();
  float* target = patches.data_ptr<float>();
  at::parallel_for(0, samples * height, 1, [&, stride = stride, before = before, dilation = dilation](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      for (int64_t column = 0; column < width; ++column) {
        float* to = target + (row * width + column) * length;
        for (int64_t tap = 0; tap < kernel_ * kernel_; ++tap, to += channels) {
          int64_t y = row % height * stride + tap / kernel_ * dilation - before, u = column * stride + tap % kernel_ * dilation - before;
          if (y < 0 || y >= h || u < 0 || u >= w) std::fill_n(to, channels, 0.0f);
          else std::copy_n(source + ((row / height * h + y) * w + u) * channels, channels, to);
        }
      }
    }
  });
  return product_(patches).view({samples, height, width, -1});
}

}  // namespace diffsal
