#include "ops/patch_convolution.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>

namespace diffsal {

PatchConvolution::PatchConvolution(const at::Tensor& weight, at::Tensor bias, const PatchLine& rows, const PatchLine& columns)
    : product_(weight.permute({0, 2, 3, 1}).flatten(1), std::move(bias)), rows_(rows), columns_(columns) {}

at::Tensor PatchConvolution::operator()(const at::Tensor& x) const {
  int64_t samples = x.size(0), h = x.size(1), w = x.size(2), channels = x.size(3);
  int64_t height = rows_.places(h), width = columns_.places(w), length = rows_.kernel * columns_.kernel * channels;
  auto patches = at::empty({samples * height * width, length}, x.options());
  const float* source = x.const_data_ptr<float>();
  float* target = patches.data_ptr<float>();
  at::parallel_for(0, samples * height, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      for (int64_t column = 0; column < width; ++column) {
        float* to = target + (row * width + column) * length;
        for (int64_t tap = 0; tap < rows_.kernel * columns_.kernel; ++tap, to += channels) {
          int64_t y = rows_.at(row % height, tap / columns_.kernel), u = columns_.at(column, tap % columns_.kernel);
          if (y < 0 || y >= h || u < 0 || u >= w) std::fill_n(to, channels, 0.0f);
          else std::copy_n(source + ((row / height * h + y) * w + u) * channels, channels, to);
        }
      }
    }
  });
  return product_(patches).view({samples, height, width, -1});
}

}  // namespace diffsal
