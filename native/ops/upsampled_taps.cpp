#include "ops/upsampled_taps.h"

#include "ops/between.h"
#include "ops/rows.h"

namespace diffsal {

void UpsampledTaps::row(const float* products, int64_t y, bool add, float* to, std::vector<float>& scratch) const {
  // Down the columns first: a row of the small map's width for each of the three taps across.
  int64_t three = 3 * channels;
  scratch.resize(static_cast<size_t>(width * three));
  Between down[3];
  bool inside[3];
  for (int64_t i = 0; i < 3; ++i) {
    int64_t place = y + (i - 1) * dilation;
    inside[i] = place >= 0 && place < rows();
    down[i] = between(inside[i] ? place : y, factor, height);
  }
  const float* from[6];
  float factors[6];
  for (int64_t x = 0; x < width; ++x) {
    for (int64_t i = 0; i < 3; ++i) {
      const auto& [first, second, to_first, to_second] = down[i];
      from[2 * i] = products + ((first * width + x) * 3 + i) * three;
      from[2 * i + 1] = products + ((second * width + x) * 3 + i) * three;
      factors[2 * i] = inside[i] ? to_first : 0;
      factors[2 * i + 1] = inside[i] ? to_second : 0;
    }
    weigh_six(from, factors, three, false, scratch.data() + x * three);
  }
  for (int64_t x = 0; x < columns(); ++x) {
    for (int64_t i = 0; i < 3; ++i) {
      int64_t place = x + (i - 1) * dilation;
      bool within = place >= 0 && place < columns();
      auto across = between(within ? place : x, factor, width);
      from[2 * i] = scratch.data() + across.first * three + i * channels;
      from[2 * i + 1] = scratch.data() + across.second * three + i * channels;
      factors[2 * i] = within ? across.to_first : 0;
      factors[2 * i + 1] = within ? across.to_second : 0;
    }
    weigh_six(from, factors, channels, add, to + x * channels);
  }
}

at::Tensor tap_matrix(const at::Tensor& weight) { return weight.permute({2, 3, 0, 1}).reshape({9 * weight.size(0), weight.size(1)}); }

}  // namespace diffsal
