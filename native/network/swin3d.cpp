#include "network/swin3d.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/roll.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/zeros.h>

namespace diffsal {
namespace {

constexpr Grid full_window = {8, 7, 7};

// For every pair of tokens of a full window, the row of the bias table: (8 7 7, 8 7 7).
Tensor position_index(const at::TensorOptions& options) {
  auto [t, h, w] = full_window;
  auto difference = [](const Tensor& x, int64_t size) { return x.unsqueeze(1) - x.unsqueeze(0) + (size - 1); };
  auto token = at::arange(t * h * w, options);
  auto slot = token.div(h * w, "floor"), row = token.div(w, "floor").remainder(h), column = token.remainder(w);
  return (difference(slot, t) * (2 * h - 1) + difference(row, h)) * (2 * w - 1) + difference(column, w);
}

// (B, t, h, w, C), all multiples of the window's -> (B windows, tokens of one, C), and back.
Tensor to_windows(const Tensor& x, const Grid& window) {
  auto y = x.unflatten(3, {-1, window[2]}).unflatten(2, {-1, window[1]}).unflatten(1, {-1, window[0]});
  return y.permute({0, 1, 3, 5, 2, 4, 6, 7}).flatten(4, 6).flatten(0, 3);
}
Tensor from_windows(const Tensor& x, const Grid& window, const Grid& grid) {
  auto y = x.unflatten(0, {-1, grid[0] / window[0], grid[1] / window[1], grid[2] / window[2]}).unflatten(4, {window[0], window[1], window[2]});
  return y.permute({0, 1, 4, 2, 5, 3, 6, 7}).flatten(5, 6).flatten(3, 4).flatten(1, 2);
}

// After the shift a window holds parts of the grid that are not neighbours: -100 between tokens of different parts,
// (windows, 1, tokens, tokens).
Tensor shift_mask(const Grid& grid, const Grid& window, const Grid& shift, const at::TensorOptions& options) {
  auto part = at::zeros({1, grid[0], grid[1], grid[2], 1}, options);
  for (int axis = 0; axis < 3; ++axis) {
    if (shift[axis] == 0) continue;
    // Three parts an axis: before the last window, in it, and what was wrapped around.
    part.mul_(3);
    part.slice(axis + 1, grid[axis] - window[axis]).add_(1);
    part.slice(axis + 1, grid[axis] - shift[axis]).add_(1);
  }
  auto parts = to_windows(part, window).squeeze(2);
  return (parts.unsqueeze(1) != parts.unsqueeze(2)).to(options.dtype()).mul(-100).unsqueeze(1);
}

}  // namespace

WindowAttention::WindowAttention(const Scope& scope, int64_t channels, int64_t heads, bool shifted)
    : qkv_(scope / "qkv", channels, 3 * channels), proj_(scope / "proj", channels, channels), heads_(heads), shifted_(shifted) {
  auto [t, h, w] = full_window;
  relative_position_bias_table_ = scope.parameter("relative_position_bias_table", {(2 * t - 1) * (2 * h - 1) * (2 * w - 1), heads}, Init::zeros);
}

Tensor WindowAttention::position_bias(const Grid& window) const {
  int64_t tokens = window[0] * window[1] * window[2];
  // A smaller window takes the first rows and columns of the full one's table, as published weights expect.
  auto index = position_index(relative_position_bias_table_.options().dtype(at::kLong)).slice(0, 0, tokens).slice(1, 0, tokens);
  return relative_position_bias_table_.index_select(0, index.flatten()).view({1, tokens, tokens, heads_}).permute({0, 3, 1, 2});
}

Tensor WindowAttention::operator()(const Tensor& input) const {
  Grid size = {input.size(1), input.size(2), input.size(3)}, window = full_window, shift{}, grid{};
  for (int axis = 0; axis < 3; ++axis) {
    bool smaller = size[axis] <= window[axis];
    if (smaller) window[axis] = size[axis];
    shift[axis] = shifted_ && !smaller ? window[axis] / 2 : 0;
    grid[axis] = (size[axis] + window[axis] - 1) / window[axis] * window[axis];
  }
  auto x = at::constant_pad_nd(input, {0, 0, 0, grid[2] - size[2], 0, grid[1] - size[1], 0, grid[0] - size[0]});
  x = to_windows(at::roll(x, {-shift[0], -shift[1], -shift[2]}, {1, 2, 3}), window);

  auto bias = position_bias(window);
  if (shift != Grid{0, 0, 0}) {
    auto mask = shift_mask(grid, window, shift, bias.options());
    bias = (bias + mask).repeat({input.size(0), 1, 1, 1});
  }
  auto qkv = qkv_(x).unflatten(2, {3, heads_, -1}).permute({2, 0, 3, 1, 4});
  auto y = at::scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], bias.to(qkv.scalar_type()));
  y = from_windows(proj_(y.transpose(1, 2).flatten(2)), window, grid);
  return at::roll(y, {shift[0], shift[1], shift[2]}, {1, 2, 3}).slice(1, 0, size[0]).slice(2, 0, size[1]).slice(3, 0, size[2]);
}

Swin3D::Swin3D(const Scope& scope)
    : proj_(scope / "patch_embed" / "proj", 3, 96, {2, 4, 4}, {.stride = {2, 4, 4}}), norm_(scope / "patch_embed" / "norm", 96) {
  const struct {
    int64_t blocks, heads;
  } stages[] = {{2, 3}, {2, 6}, {6, 12}, {2, 24}};
  int64_t width = 96, index = 0;
  for (auto [blocks, heads] : stages) {
    auto& stage = stages_.emplace_back();
    if (index > 0) {
      auto merging = scope / "features" / index++;
      stage.merging.emplace(Merging{LayerNorm(merging / "norm", 4 * width), Linear(merging / "reduction", 4 * width, 2 * width, false)});
      width *= 2;
    }
    auto list = scope / "features" / index++;
    for (int64_t i = 0; i < blocks; ++i) {
      auto block = list / i;
      stage.blocks.push_back(
          {LayerNorm(block / "norm1", width), WindowAttention(block / "attn", width, heads, i % 2 == 1),
           MLP{LayerNorm(block / "norm2", width), Linear(block / "mlp" / 0, width, 4 * width), Linear(block / "mlp" / 3, 4 * width, width)}});
    }
  }
}

std::vector<Tensor> Swin3D::operator()(const Tensor& frames, const Pass&) const {
  auto x = norm_(proj_(frames).permute({0, 2, 3, 4, 1}));  // B t h w C
  std::vector<Tensor> maps;
  for (const auto& stage : stages_) {
    if (stage.merging) {
      auto even = x.slice(2, 0, {}, 2), odd = x.slice(2, 1, {}, 2);
      x = at::cat({even.slice(3, 0, {}, 2), odd.slice(3, 0, {}, 2), even.slice(3, 1, {}, 2), odd.slice(3, 1, {}, 2)}, 4);
      x = stage.merging->reduction(stage.merging->norm(x));
    }
    for (const auto& block : stage.blocks) {
      stop_point(x);
      x = block.mlp((x + block.attn(block.norm1(x))).contiguous());
    }
    maps.push_back(x.permute({0, 4, 1, 2, 3}));
  }
  return maps;
}

}  // namespace diffsal
