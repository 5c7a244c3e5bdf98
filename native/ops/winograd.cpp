#include "ops/winograd.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/tensor.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstring>

#include "ops/vectorised.h"

namespace diffsal {
namespace {

constexpr int64_t lanes = 16, tile = 4, reach = 6, points = 36;

// B^T d of one column or row of six.
inline __attribute__((always_inline)) void enter(const float (&d)[reach][lanes], float (&v)[reach][lanes]) {
  for (int64_t i = 0; i < lanes; ++i) {
    float a = d[4][i] - 4 * d[2][i], b = d[3][i] - 4 * d[1][i], c = d[4][i] - d[2][i], e = 2 * (d[3][i] - d[1][i]);
    v[0][i] = 4 * d[0][i] - 5 * d[2][i] + d[4][i];
    v[1][i] = a + b;
    v[2][i] = a - b;
    v[3][i] = c + e;
    v[4][i] = c - e;
    v[5][i] = 4 * d[1][i] - 5 * d[3][i] + d[5][i];
  }
}

// A^T m of one column or row of six.
inline __attribute__((always_inline)) void leave(const float (&m)[reach][lanes], float (&y)[tile][lanes]) {
  for (int64_t i = 0; i < lanes; ++i) {
    float a = m[1][i] + m[2][i], b = m[1][i] - m[2][i], c = m[3][i] + m[4][i], e = m[3][i] - m[4][i];
    y[0][i] = m[0][i] + a + c;
    y[1][i] = b + 2 * e;
    y[2][i] = a + 4 * c;
    y[3][i] = b + 8 * e + m[5][i];
  }
}

// A tile's 36 transformed places, `stride` floats apart, from its 36 places, of which those outside the map are null.
DIFFSAL_VECTORISED
void transform_input(const float* const (&from)[points], int64_t channels, float* to, int64_t stride) {
  for (int64_t c = 0; c < channels; c += lanes) {
    int64_t count = std::min(lanes, channels - c);
    float d[reach][lanes], rows[reach][reach][lanes], v[reach][lanes];
    for (int64_t x = 0; x < reach; ++x) {
      for (int64_t y = 0; y < reach; ++y) {
        const float* place = from[y * reach + x];
        if (place && count == lanes) {
          for (int64_t i = 0; i < lanes; ++i) d[y][i] = place[c + i];
        } else {
          for (int64_t i = 0; i < lanes; ++i) d[y][i] = place && i < count ? place[c + i] : 0;
        }
      }
      enter(d, v);
      for (int64_t y = 0; y < reach; ++y) std::memcpy(rows[y][x], v[y], sizeof(v[y]));
    }
    for (int64_t y = 0; y < reach; ++y) {
      enter(rows[y], v);
      for (int64_t x = 0; x < reach; ++x) {
        float* place = to + (y * reach + x) * stride + c;
        if (count == lanes) {
          for (int64_t i = 0; i < lanes; ++i) place[i] = v[x][i];
        } else {
          for (int64_t i = 0; i < count; ++i) place[i] = v[x][i];
        }
      }
    }
  }
}

// A tile's 16 results from its 36 products, `stride` floats apart; those outside the map have no place to go to.
DIFFSAL_VECTORISED
void transform_output(const float* from, int64_t stride, int64_t channels, const float* bias, bool relu, const float* const (&residual)[tile * tile],
                      float* const (&to)[tile * tile]) {
  for (int64_t c = 0; c < channels; c += lanes) {
    int64_t count = std::min(lanes, channels - c);
    float m[reach][lanes], rows[tile][reach][lanes], y[tile][lanes];
    for (int64_t column = 0; column < reach; ++column) {
      for (int64_t row = 0; row < reach; ++row) {
        const float* place = from + (row * reach + column) * stride + c;
        for (int64_t i = 0; i < lanes; ++i) m[row][i] = i < count ? place[i] : 0;
      }
      leave(m, y);
      for (int64_t row = 0; row < tile; ++row) std::memcpy(rows[row][column], y[row], sizeof(y[row]));
    }
    float added[lanes];
    for (int64_t i = 0; i < lanes; ++i) added[i] = i < count ? bias[c + i] : 0;
    for (int64_t row = 0; row < tile; ++row) {
      leave(rows[row], y);
      for (int64_t column = 0; column < tile; ++column) {
        float* place = to[row * tile + column];
        if (!place) continue;
        float value[lanes];
        for (int64_t i = 0; i < lanes; ++i) value[i] = y[column][i] + added[i];
        if (relu) {
          for (int64_t i = 0; i < lanes; ++i) value[i] = value[i] < 0 ? 0 : value[i];
        }
        const float* other = residual[row * tile + column];
        if (other) {
          for (int64_t i = 0; i < count; ++i) value[i] += other[c + i];
        }
        if (count == lanes) {
          for (int64_t i = 0; i < lanes; ++i) place[c + i] = value[i];
        } else {
          for (int64_t i = 0; i < count; ++i) place[c + i] = value[i];
        }
      }
    }
  }
}

// Where the tiles of all images and grids lie.
struct Tiling {
  int64_t height, width, dilation;
  // A grid of every d-th place has as many places as the first one, or one fewer.
  int64_t down() const { return ((height + dilation - 1) / dilation + tile - 1) / tile; }
  int64_t across() const { return ((width + dilation - 1) / dilation + tile - 1) / tile; }
  int64_t of_image() const { return dilation * dilation * down() * across(); }

  struct Place {
    int64_t image, y, x;  // of the tile's first result
  };
  Place place(int64_t index) const {
    int64_t image = index / of_image(), rest = index % of_image();
    int64_t x = rest % across(), y = rest / across() % down(), grid = rest / (across() * down());
    return {image, grid / dilation + y * tile * dilation, grid % dilation + x * tile * dilation};
  }
  // The number of a place in its image, or -1.
  int64_t number(int64_t y, int64_t x) const { return y >= 0 && y < height && x >= 0 && x < width ? y * width + x : -1; }
};

std::vector<Packed> transform_filters(const at::Tensor& weight) {
  auto g = at::tensor({1.0 / 4, 0.0, 0.0, -1.0 / 6, -1.0 / 6, -1.0 / 6, -1.0 / 6, 1.0 / 6, -1.0 / 6, 1.0 / 24, 1.0 / 12, 1.0 / 6, 1.0 / 24, -1.0 / 12,
                       1.0 / 6, 0.0, 0.0, 1.0},
                      at::TensorOptions(at::kDouble))
               .view({reach, 3})
               .to(weight.scalar_type());
  auto transformed = at::matmul(at::matmul(g, weight), g.t());  // (out, in, 6, 6)
  std::vector<Packed> filters;
  for (const auto& filter : transformed.permute({2, 3, 1, 0}).flatten(0, 1).unbind()) filters.emplace_back(filter);
  return filters;
}

}  // namespace

WinogradConvolution::WinogradConvolution(const at::Tensor& weight, int64_t dilation) : filters_(transform_filters(weight)), dilation_(dilation) {}

at::Tensor WinogradConvolution::operator()(const at::Tensor& x, const Epilogue& epilogue) const {
  int64_t in = filters_[0].rows(), out = filters_[0].columns(), places = x.size(1) * x.size(2);
  Tiling tiling{x.size(1), x.size(2), dilation_};
  auto y = at::empty({x.size(0), x.size(1), x.size(2), out}, x.options());
  const float* source = x.const_data_ptr<float>();
  float* target = y.data_ptr<float>();
  const float* bias = epilogue.bias.const_data_ptr<float>();
  int64_t bias_step = epilogue.bias.dim() == 2 ? out : 0;

  // A batch of tiles stays in a core's cache between the transforms and the products.
  int64_t tiles = x.size(0) * tiling.of_image(), threads = at::get_num_threads();
  int64_t batches = (tiles + 59) / 60;
  batches = (batches + threads - 1) / threads * threads;
  int64_t size = (tiles + batches - 1) / batches;
  at::parallel_for(0, batches, 1, [&](int64_t begin, int64_t end) {
    c10::InferenceMode inference;
    auto entered = at::empty({points, size, in}, x.options()), products = at::empty({points, size, out}, x.options());
    for (int64_t batch = begin; batch < end; ++batch) {
      int64_t first = batch * size, count = std::min(size, tiles - first);
      if (count <= 0) break;
      for (int64_t i = 0; i < count; ++i) {
        auto [image, top, left] = tiling.place(first + i);
        const float* from[points];
        for (int64_t p = 0; p < points; ++p) {
          int64_t number = tiling.number(top + (p / reach - 1) * dilation_, left + (p % reach - 1) * dilation_);
          from[p] = number < 0 ? nullptr : source + (image * places + number) * in;
        }
        transform_input(from, in, entered.data_ptr<float>() + i * in, size * in);
      }
      for (int64_t p = 0; p < points; ++p) {
        multiply(entered.const_data_ptr<float>() + p * size * in, in, count, filters_[static_cast<size_t>(p)],
                 products.data_ptr<float>() + p * size * out, out);
      }
      for (int64_t i = 0; i < count; ++i) {
        auto [image, top, left] = tiling.place(first + i);
        const float* residual = epilogue.residual ? epilogue.residual(image) : nullptr;
        float* to[tile * tile];
        const float* other[tile * tile];
        for (int64_t p = 0; p < tile * tile; ++p) {
          int64_t number = tiling.number(top + p / tile * dilation_, left + p % tile * dilation_);
          to[p] = number < 0 ? nullptr : target + (image * places + number) * out;
          other[p] = number < 0 || !residual ? nullptr : residual + number * out;
        }
        transform_output(products.const_data_ptr<float>() + i * out, size * out, out, bias + image * bias_step, epilogue.relu, other, to);
      }
    }
  });
  return y;
}

}  // namespace diffsal
