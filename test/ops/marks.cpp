#include "marks.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <unistd.h>

#include <cstdio>

#include "ops/convolution.h"
#include "ops/cross_attention.h"
#include "ops/mlp.h"
#include "ops/position_attention.h"
#include "ops/token_pooling.h"
#include "sides.h"

namespace diffsal::test {
namespace {

void run(const Operation& operation, const std::vector<Tensor>& inputs, bool differentiable) {
  at::AutoGradMode mode(differentiable);
  std::vector<Tensor> copies;
  for (const auto& input : inputs) copies.push_back(input.detach().clone().set_requires_grad(differentiable));
  operation(copies);
}

void mark(const std::string& what, const std::vector<Tensor>& inputs, const Operation& operation) {
  for (bool by_torch : {false, true}) {
    // The first call packs weights, or chooses a kernel.
    run(operation, inputs, by_torch);
    std::printf("%s, %s\n", what.c_str(), by_torch ? "libtorch" : "packed");
    std::fflush(stdout);
    getsid(0);
    run(operation, inputs, by_torch);
    getsid(0);
  }
}

}  // namespace

int mark_sides() {
  at::set_num_threads(1);
  Drawn drawn;
  Linear linear(drawn.scope("linear"), 192, 768);
  mark("linear layer", {draw({960, 192})}, [&](const auto& i) { return std::vector{linear(i[0])}; });
  MLP mlp{LayerNorm(drawn.scope("norm"), 192), Linear(drawn.scope("fc1"), 192, 768), Linear(drawn.scope("fc2"), 768, 192)};
  mark("multi-layer perceptron", {draw({480, 192})}, [&](const auto& i) { return std::vector{mlp(i[0])}; });
  Convolution convolution(drawn.scope("conv"), 96, 96, {3, 3}, {.padding = {1, 1}});
  mark("3x3 convolution", {draw({1, 28, 48, 96})}, [&](const auto& i) { return std::vector{convolve(i[0], convolution)}; });
  TokenPooling pool(drawn.scope("pool"), 96, {1, 2, 2});
  LayerNorm norm(drawn.scope("pooled"), 96);
  mark("pooling of tokens", {draw({1, 1 + 4 * 14 * 24, 1, 1, 96})}, [&](const auto& i) {
    Grid to = {4, 14, 24};
    return std::vector{pool(i[0].select(2, 0).transpose(1, 2), to, norm)};
  });
  RelativePositions positions;
  auto scope = drawn.scope("positions");
  positions.t = scope.parameter("t", {7, 96}, Init::normal);
  positions.h = scope.parameter("h", {13, 96}, Init::normal);
  positions.w = scope.parameter("w", {23, 96}, Init::normal);
  Grid grid = {4, 7, 12};
  std::vector<int64_t> tokens = {1, 2, 1 + 4 * 7 * 12, 96};
  mark("attention with positions", {draw(tokens), draw(tokens, 2), draw(tokens, 3)},
       [&](const auto& i) { return std::vector{positions.attend(i[0], i[1], i[2], grid, grid)}; });
  CrossAttention attention(drawn.scope("attn"), 96, 2, 1);
  LayerNorm next(drawn.scope("next"), 96);
  MLP after{LayerNorm(drawn.scope("norm2"), 96), Linear(drawn.scope("fc3"), 96, 384), Linear(drawn.scope("fc4"), 384, 96)};
  std::vector<int64_t> map = {1, 9, 14, 24, 96}, keys = {1, 54, 96};
  mark("cross-attention", {draw(map), draw(map, 2), draw(keys, 3), draw(keys, 4)}, [&](const auto& i) {
    auto [x, normed] = attend(i[0], i[1], i[2], i[3], attention, after, next, {false, 9, false});
    return std::vector{x, normed};
  });
  return 0;
}

}  // namespace diffsal::test
