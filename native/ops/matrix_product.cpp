#include "ops/matrix_product.h"

#include <ATen/Version.h>
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <algorithm>

#include "ops/lanes.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace diffsal {
namespace {

// Of b, a panel is two vectors of columns wide, one row after the other. The sums of a tile, `height` rows of a panel, are in registers while
// k is run through.
template <typename Lanes>
constexpr int64_t panel = 2 * sizeof(Lanes) / sizeof(float);

// Rows of b, and bytes of it, that are kept in a core's cache while rows of a go by; and how many of these.
constexpr int64_t depth = 384, cached_bytes = 256 << 10, cached_rows = 240;

#if defined(__aarch64__)
// Adds the products of a row of b with one of the four values of each row of a.
template <int lane, int height>
DIFFSAL_INLINE void add_lane(const float32x4_t (&values)[height], const float* b, Lanes4 (&sums)[height][2]) {
  float32x4_t left = vld1q_f32(b), right = vld1q_f32(b + panel<Lanes4> / 2);
#pragma GCC unroll 16
  for (int i = 0; i < height; ++i) {
    sums[i][0] = vfmaq_laneq_f32(sums[i][0], left, values[i], lane);
    sums[i][1] = vfmaq_laneq_f32(sums[i][1], right, values[i], lane);
  }
}

// The same of four rows of b, which take one load of each row of a, as NEON multiplies by any lane of a register.
template <int height>
DIFFSAL_INLINE void add_four(const float* a, int64_t a_step, const float* b, Lanes4 (&sums)[height][2]) {
  float32x4_t values[height];
#pragma GCC unroll 16
  for (int i = 0; i < height; ++i) values[i] = vld1q_f32(a + i * a_step);
  add_lane<0>(values, b, sums);
  add_lane<1>(values, b + panel<Lanes4>, sums);
  add_lane<2>(values, b + 2 * panel<Lanes4>, sums);
  add_lane<3>(values, b + 3 * panel<Lanes4>, sums);
}
#endif

template <typename Lanes, int height>
DIFFSAL_INLINE void tile_product(const float* a, int64_t a_step, const float* b, int64_t k, float* to, int64_t to_step, const float* bias,
                                 bool held) {
  constexpr int64_t half = panel<Lanes> / 2;
  Lanes sums[height][2], left, right;
#pragma GCC unroll 16
  for (int i = 0; i < height; ++i) sums[i][0] = sums[i][1] = Lanes{};
  int64_t p = 0;
#if defined(__aarch64__)
  for (; p + 4 <= k; p += 4, b += 4 * panel<Lanes>) add_four(a + p, a_step, b, sums);
#endif
  for (; p < k; ++p, b += panel<Lanes>) {
    load(left, b);
    load(right, b + half);
#pragma GCC unroll 16
    for (int i = 0; i < height; ++i) {
      float value = a[i * a_step + p];
      sums[i][0] += left * value;
      sums[i][1] += right * value;
    }
  }
  if (bias) {
    load(left, bias);
    load(right, bias + half);
#pragma GCC unroll 16
    for (int i = 0; i < height; ++i) {
      sums[i][0] += left;
      sums[i][1] += right;
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < height; ++i) {
    float* place = to + i * to_step;
    if (held) {
      load(left, place);
      load(right, place + half);
      sums[i][0] += left;
      sums[i][1] += right;
    }
    store(place, sums[i][0]);
    store(place + half, sums[i][1]);
  }
}

// A tile of which the last `panel - columns` columns are not there.
template <typename Lanes, int height>
DIFFSAL_INLINE void narrow_tile(const float* a, int64_t a_step, const float* b, int64_t k, float* to, int64_t to_step, const float* bias, bool held,
                                int64_t columns) {
  alignas(64) float whole[height][panel<Lanes>], whole_bias[panel<Lanes>] = {};
  if (bias) std::copy_n(bias, columns, whole_bias);
  for (int i = 0; i < height; ++i) {
    std::fill_n(whole[i], panel<Lanes>, 0.0f);
    if (held) std::copy_n(to + i * to_step, columns, whole[i]);
  }
  tile_product<Lanes, height>(a, a_step, b, k, whole[0], panel<Lanes>, whole_bias, true);
  for (int i = 0; i < height; ++i) std::copy_n(whole[i], columns, to + i * to_step);
}

// `height` rows of a with some rows and columns of b.
template <typename Lanes, int height>
DIFFSAL_INLINE void strip(const float* a, int64_t a_step, const float* b, int64_t b_step, int64_t k, int64_t columns, float* to, int64_t to_step,
                          const float* bias, bool held) {
  int64_t j = 0;
  for (; j + panel<Lanes> <= columns; j += panel<Lanes>) {
    tile_product<Lanes, height>(a, a_step, b + j * b_step, k, to + j, to_step, bias ? bias + j : nullptr, held);
  }
  if (j < columns) narrow_tile<Lanes, height>(a, a_step, b + j * b_step, k, to + j, to_step, bias ? bias + j : nullptr, held, columns - j);
}

template <typename Lanes, int height>
DIFFSAL_INLINE void product(const float* a, int64_t a_step, int64_t m, const float* b, int64_t k, int64_t n, float* to, int64_t to_step,
                            const Onto& onto) {
  for (int64_t first = 0; first < m; first += cached_rows) {
    int64_t last = std::min(first + cached_rows, m);
    for (int64_t p = 0; p < k; p += depth) {
      int64_t rows = std::min(depth, k - p);
      int64_t width = std::max<int64_t>(cached_bytes / static_cast<int64_t>(sizeof(float)) / rows / panel<Lanes> * panel<Lanes>, panel<Lanes>);
      const float* bias = p == 0 ? onto.bias : nullptr;
      bool held = p > 0 || onto.held;
      for (int64_t j = 0; j < n; j += width) {
        int64_t columns = std::min(width, n - j), i = first;
        const float *from = b + j * k + p * panel<Lanes>, *shift = bias ? bias + j : nullptr;
        for (; i + height <= last; i += height) {
          strip<Lanes, height>(a + i * a_step + p, a_step, from, k, rows, columns, to + i * to_step + j, to_step, shift, held);
        }
        // The few rows that are left, in powers of two.
        if constexpr (height > 8) {
          if (last - i >= 8) strip<Lanes, 8>(a + i * a_step + p, a_step, from, k, rows, columns, to + i * to_step + j, to_step, shift, held), i += 8;
        }
        if constexpr (height > 4) {
          if (last - i >= 4) strip<Lanes, 4>(a + i * a_step + p, a_step, from, k, rows, columns, to + i * to_step + j, to_step, shift, held), i += 4;
        }
        if (last - i >= 2) strip<Lanes, 2>(a + i * a_step + p, a_step, from, k, rows, columns, to + i * to_step + j, to_step, shift, held), i += 2;
        if (last - i >= 1) strip<Lanes, 1>(a + i * a_step + p, a_step, from, k, rows, columns, to + i * to_step + j, to_step, shift, held);
      }
    }
  }
}

using Product = void (*)(const float*, int64_t, int64_t, const float*, int64_t, int64_t, float*, int64_t, const Onto&);

// How the processor at hand multiplies, and how wide its panels are.
struct Multiplier {
  Product product;
  int64_t panel;
};

// NEON has 32 registers, of which eight hold values of a; what all of x86-64 has is half of that.
#if defined(__aarch64__)
constexpr int height4 = 8;
#else
constexpr int height4 = 4;
#endif

void product4(const float* a, int64_t a_step, int64_t m, const float* b, int64_t k, int64_t n, float* to, int64_t to_step, const Onto& onto) {
  product<Lanes4, height4>(a, a_step, m, b, k, n, to, to_step, onto);
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) void product8(const float* a, int64_t a_step, int64_t m, const float* b, int64_t k, int64_t n, float* to,
                                                  int64_t to_step, const Onto& onto) {
  product<Lanes8, 6>(a, a_step, m, b, k, n, to, to_step, onto);
}

__attribute__((target("avx512f"))) void product16(const float* a, int64_t a_step, int64_t m, const float* b, int64_t k, int64_t n, float* to,
                                                  int64_t to_step, const Onto& onto) {
  product<Lanes16, 12>(a, a_step, m, b, k, n, to, to_step, onto);
}
#endif

Multiplier choose() {
#if defined(__x86_64__)
  // libtorch's word, so that ATEN_CPU_CAPABILITY is obeyed.
  auto capability = at::get_cpu_capability();
  if (capability == "AVX512") return {product16, panel<Lanes16>};
  if (capability == "AVX2") return {product8, panel<Lanes8>};
#endif
  return {product4, panel<Lanes4>};
}

const Multiplier& multiplier() {
  static const Multiplier chosen = choose();
  return chosen;
}

}  // namespace

Packed::Packed(const float* data, int64_t k, int64_t n, int64_t row_step, int64_t column_step) : k_(k), n_(n) {
  TORCH_INTERNAL_ASSERT(k > 0);
  int64_t width = multiplier().panel, panels = (n + width - 1) / width;
  memory_ = at::empty({panels, k, width}, at::kFloat);
  float* to = memory_.data_ptr<float>();
  for (int64_t first = 0; first < n; first += width) {
    int64_t columns = std::min(width, n - first);
    for (int64_t i = 0; i < k; ++i, to += width) {
      const float* from = data + i * row_step + first * column_step;
      for (int64_t j = 0; j < columns; ++j) to[j] = from[j * column_step];
      std::fill(to + columns, to + width, 0.0f);
    }
  }
}

Packed::Packed(const at::Tensor& matrix)
    : Packed(matrix.const_data_ptr<float>(), matrix.size(0), matrix.size(1), matrix.stride(0), matrix.stride(1)) {}

void multiply(const float* a, int64_t a_step, int64_t m, const Packed& b, float* to, int64_t to_step, const Onto& onto) {
  multiplier().product(a, a_step, m, b.data(), b.rows(), b.columns(), to, to_step, onto);
}

}  // namespace diffsal
