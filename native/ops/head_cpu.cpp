#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/relu.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>

#include "ops/head.h"
#include "ops/rows.h"
#include "ops/upsampled_taps.h"

namespace diffsal {
namespace {

// Places that go through the convolution over the slots together.
constexpr int64_t batch_places = 240;

}  // namespace

Tensor Head::part_cpu(const Tensor& normed, const Convolution& reduce, const Convolution& convolution) const {
  const auto& matrix = reduce.packed_slots();
  const auto& taps = taps_.of({convolution.weight, convolution.bias}, [&] { return PackedLinear(tap_matrix(convolution.weight), {}); });
  int64_t stride = reduce.options.stride[0];
  int64_t slots = normed.size(3), channels = normed.size(4), places = normed.numel() / (slots * channels), results = (slots - 5) / stride + 1;
  int64_t threads = at::get_num_threads(), batches = (places + batch_places - 1) / batch_places;
  batches = (batches + threads - 1) / threads * threads;
  int64_t size = (places + batches - 1) / batches;
  auto products = at::empty({normed.size(0), normed.size(1), normed.size(2), taps.out()}, normed.options());
  const float* source = normed.const_data_ptr<float>();
  float* target = products.data_ptr<float>();
  int64_t width = matrix.columns();
  at::parallel_for(0, batches, 1, [&](int64_t begin, int64_t end) {
    c10::InferenceMode inference;
    auto total = at::empty({size, width}, normed.options()), next = at::empty_like(total);
    for (int64_t batch = begin; batch < end; ++batch) {
      int64_t first = batch * size, count = std::min(size, places - first);
      if (count <= 0) break;
      auto sum = total.narrow(0, 0, count), other = next.narrow(0, 0, count);
      for (int64_t i = 0; i < results; ++i) {
        auto& to = i == 0 ? sum : other;
        multiply(source + (first * slots + i * stride) * channels, slots * channels, count, matrix, to.data_ptr<float>(), width);
        at::relu_(to);
        if (i > 0) sum.add_(other);
      }
      if (results > 1) sum.div_(static_cast<double>(results));
      taps.rows(sum.const_data_ptr<float>(), count, target + first * taps.out());
    }
  });
  return products;
}

Tensor Head::sum_cpu(const std::vector<Tensor>& products) const {
  const auto& shifts = layer_.folded().bias;
  int64_t samples = products[0].size(0), height = 16 * products[0].size(1), width = 16 * products[0].size(2), channels = shifts.size(0);
  auto map = at::empty({samples, 1, height, width}, products[0].options());
  const float *bias = shifts.const_data_ptr<float>(), *weight = logits_.weight.const_data_ptr<float>(), shift = logits_.bias.item<float>();
  float* target = map.data_ptr<float>();
  at::parallel_for(0, samples * height, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> sum(static_cast<size_t>(width * channels)), scratch;
    for (int64_t row = begin; row < end; ++row) {
      for (size_t i = 0; i < products.size(); ++i) {
        UpsampledTaps taps{products[i].size(1), products[i].size(2), channels, int64_t{16} >> i, 1};
        taps.row(products[i].const_data_ptr<float>() + row / height * products[i][0].numel(), row % height, i > 0, sum.data(), scratch);
      }
      for (int64_t column = 0; column < width; ++column) {
        float* place = sum.data() + column * channels;
        add_relu(place, bias, channels);
        target[row * width + column] = 1 / (1 + std::exp(-(dot(place, weight, channels) + shift)));
      }
    }
  });
  return map;
}

}  // namespace diffsal
