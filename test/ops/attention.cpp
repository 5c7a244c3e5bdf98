#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>

#include "ops/cross_attention.h"
#include "ops/modulation.h"
#include "ops/position_attention.h"
#include "ops/token_pooling.h"
#include "sides.h"

namespace diffsal::test {
namespace {

const Case pooled("pooling of tokens", [] {
  for (int64_t stride : {1, 2, 4}) {
    for (int64_t channels : {4, 13, 48}) {
      Grid grid = {3, 5, 7};
      Drawn drawn;
      TokenPooling pool(drawn.scope("pool"), channels, {1, stride, stride});
      LayerNorm norm(drawn.scope("norm"), channels);
      auto what = "stride " + std::to_string(stride) + ", channels " + std::to_string(channels);
      // Two heads as they lie in a projection's result.
      compare(what, {draw({2, 1 + 105, 3, 2, channels})}, [&](const auto& i) {
        auto to = grid;
        return std::vector{pool(i[0].select(2, 1).transpose(1, 2), to, norm)};
      });
      compare(
          what + ", greatest", {draw({2, 1 + 105, channels})},
          [&](const auto& i) { return std::vector{max_pool_tokens(i[0], grid, {1, stride, stride})}; }, 0);
    }
  }
});

const Case positions("attention with relative positions", [] {
  for (auto [queries, keys, channels] : {std::tuple{Grid{2, 4, 6}, Grid{2, 2, 3}, 16},
                                         {Grid{1, 1, 1}, Grid{1, 1, 1}, 8},
                                         {Grid{4, 7, 5}, Grid{4, 7, 5}, 11},
                                         {Grid{8, 6, 10}, Grid{4, 3, 2}, 24}}) {
    Drawn drawn;
    RelativePositions layer;
    auto scope = drawn.scope("positions");
    layer.t = scope.parameter("t", {7, channels}, Init::normal);
    layer.h = scope.parameter("h", {9, channels}, Init::normal);
    layer.w = scope.parameter("w", {9, channels}, Init::normal);
    auto tokens = [](const Grid& grid) { return 1 + grid[0] * grid[1] * grid[2]; };
    compare(std::to_string(tokens(queries)) + " queries, " + std::to_string(tokens(keys)) + " keys",
            {draw({2, 3, tokens(queries), channels}), draw({2, 3, tokens(keys), channels}, 2), draw({2, 3, tokens(keys), channels}, 3)},
            [&, queries = queries, keys = keys](const auto& i) { return std::vector{layer.attend(i[0], i[1], i[2], queries, keys)}; });
  }
});

const Case modulation("sound that meets a map", [] {
  for (auto [repeat, channels] : {std::array{1, 8}, {2, 5}, {4, 33}}) {
    auto sound = draw({2, 5, 2, 3, channels}), x = draw({2, 5, 2 * repeat, 3 * repeat, channels}, 2);
    auto what = "repeat " + std::to_string(repeat);
    compare(what, {x, sound}, [](const auto& i) {
      return std::vector{agreement(i[0], i[1]), join_sound(i[0], i[1], Join::add), join_sound(i[0], i[1], Join::multiply)};
    });
    compare(what + ", modulated", {sound, x.select(1, 0)}, [](const auto& i) { return std::vector{modulate(i[0], i[1])}; });
  }
});

const Case compression("spatio-temporal compression, eq. 8", [] {
  for (int64_t channels : {3, 32, 70}) {
    Drawn drawn;
    auto around = Compression::around(drawn.scope("q"), channels);
    auto x = draw({2, 5, 8, 12, channels});
    compare("around places", {x}, [&](const auto& i) { return std::vector{around.around_places(i[0])}; });
    for (int64_t kernel : {1, 3, 4}) {
      auto patches = Compression::patches(drawn.scope("k" + std::to_string(kernel)), channels, kernel);
      auto what = "patches of " + std::to_string(kernel);
      compare(what, {x}, [&](const auto& i) { return std::vector{patches.tokens(i[0])}; });
      compare(what + ", modulated", {draw({2, 5, 4, 6, channels}, 2), draw({2, 8, 12, channels}, 3)},
              [&](const auto& i) { return std::vector{patches.tokens(Modulated{i[0], i[1]})}; });
    }
  }
});

const Case cross("cross-attention and what follows it, eq. 7", [] {
  for (bool by_slot : {false, true}) {
    for (bool compressed : {true, false}) {
      // Many keys are not folded into their projections.
      for (auto [h, w, channels, heads] : {std::array{4, 6, 16, 2}, {3, 5, 9, 3}, {12, 14, 8, 2}}) {
        int64_t slots = 9, read = by_slot ? 5 : 9, groups = by_slot ? 2 * slots : 2;
        Drawn drawn;
        std::optional<int64_t> kernel;
        if (compressed) kernel = 1;
        CrossAttention attention(drawn.scope("attn"), channels, heads, kernel);
        MLP mlp{LayerNorm(drawn.scope("norm2"), channels), Linear(drawn.scope("fc1"), channels, 2 * channels),
                Linear(drawn.scope("fc2"), 2 * channels, channels)};
        LayerNorm next(drawn.scope("next"), channels);
        std::vector<int64_t> map = {2, slots, h, w, channels}, tokens = {groups, 2 * slots * h * w / groups, channels};
        auto what = std::to_string(h) + "x" + std::to_string(w) + (by_slot ? " by slot" : "") + (compressed ? ", compressed" : "");
        compare(
            what, {draw(map), draw(map, 2), draw(tokens, 3), draw(tokens, 4)},
            [&](const auto& i) {
              auto [x, normed] = attend(i[0], i[1], i[2], i[3], attention, mlp, next, {by_slot, read, false});
              return std::vector{x, normed};
            },
            1e-4);
      }
    }
  }
});

// The side with gradients is given the still, and the other one the clip whose slots it stands for.
const Case still("attention of a still, and of a clip of it far from its ends", [] {
  int64_t channels = 16, h = 4, w = 6;
  Drawn drawn;
  CrossAttention attention(drawn.scope("attn"), channels, 2, 1);
  MLP mlp{LayerNorm(drawn.scope("norm2"), channels), Linear(drawn.scope("fc1"), channels, 2 * channels),
          Linear(drawn.scope("fc2"), 2 * channels, channels)};
  LayerNorm next(drawn.scope("next"), channels);
  std::vector<int64_t> map = {2, 1, h, w, channels}, tokens = {2, 30, channels};
  compare(
      "two slots", {draw(map), draw(map, 2), draw(tokens, 3), draw(tokens, 4)},
      [&](const auto& i) {
        bool two = at::GradMode::is_enabled();
        const auto &picture = i[0], &noise = i[1];
        auto slots = two ? at::cat({picture, noise}, 1) : at::cat({picture, picture, picture, picture, noise}, 1);
        int64_t count = slots.size(1), shown = two ? 0 : 1;
        auto [x, normed] = attend(slots, slots.clone(), i[2], i[3], attention, mlp, next, {false, count, false, two});
        return std::vector{x.select(1, shown), x.select(1, count - 1), normed.select(3, shown), normed.select(3, count - 1)};
      },
      1e-4);
});

}  // namespace
}  // namespace diffsal::test
