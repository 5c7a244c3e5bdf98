#include "ops/interpolation.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include "ops/between.h"

namespace diffsal {

at::Tensor tap_interpolation(int64_t size, int64_t factor) {
  auto matrix = at::zeros({factor * size, size, 3}, at::kFloat);
  auto values = matrix.accessor<float, 3>();
  for (int64_t to = 0; to < factor * size; ++to) {
    for (int64_t tap = 0; tap < 3; ++tap) {
      int64_t place = to + tap - 1;
      if (place < 0 || place >= factor * size) continue;
      auto [first, second, to_first, to_second] = between(place, factor, size);
      values[to][first][tap] += to_first;
      values[to][second][tap] += to_second;
    }
  }
  return matrix.flatten(1);
}

// s the short axis, w the kernel, c = w * s its convolution with zeros around: the extended axis and its convolution are
//   s[0]      0         0      s[0]  ...  s[n-1]  0     0             s[n-1]
//   w[1]s[0]  w[0]s[0]  c[-1]  c[0]  ...  c[n-1]  c[n]  w[2]s[n-1]    w[1]s[n-1]
at::Tensor doubling_places(int64_t size) {
  auto places = at::empty({size + 6}, at::kLong);
  auto values = places.accessor<int64_t, 1>();
  for (int64_t i = 0; i < size; ++i) values[i + 3] = i;
  for (int64_t i : {int64_t{1}, int64_t{2}, size + 3, size + 4}) values[i] = -1;
  values[0] = 0;
  values[size + 5] = size - 1;
  return places;
}

at::Tensor doubling_interpolation(int64_t size) {
  auto matrix = at::zeros({2 * size, size + 6}, at::kFloat);
  auto values = matrix.accessor<float, 2>();
  for (int64_t i = 0; i < size; ++i) {
    values[2 * i][i + 2] += 0.25f;
    values[2 * i][i + 3] += 0.75f;
    values[2 * i + 1][i + 3] += 0.75f;
    values[2 * i + 1][i + 4] += 0.25f;
  }
  // At an end, upsampling repeats the last place where c has a zero beside it: the middle tap lacks a quarter of it in the last result, the
  // outer tap in the third. In the second, the outer tap reads padding, and c between that and the last place.
  int64_t last = 2 * size - 1, end = size + 5;
  values[0][0] += 0.25f;
  values[last][end] += 0.25f;
  values[1][1] -= 0.25f;
  values[last - 1][end - 1] -= 0.25f;
  if (size > 1) {
    values[2][1] += 0.25f;
    values[last - 2][end - 1] += 0.25f;
  }
  return matrix;
}

}  // namespace diffsal
