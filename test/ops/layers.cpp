#include "ops/convolution.h"
#include "ops/head.h"
#include "ops/max_pool.h"
#include "ops/mlp.h"
#include "ops/upsampled_convolution.h"
#include "sides.h"

namespace diffsal::test {
namespace {

std::string sized(at::IntArrayRef sizes) {
  std::string text;
  for (auto size : sizes) text += (text.empty() ? "" : "x") + std::to_string(size);
  return text;
}

const Case linear("linear layers", [] {
  for (auto [rows, in, out] : {std::array{1, 1, 1}, {1, 7, 33}, {5, 96, 96}, {77, 13, 1}, {250, 400, 65}}) {
    for (bool bias : {true, false}) {
      Drawn drawn;
      LayerNorm norm(drawn.scope("norm"), in);
      Linear layer(drawn.scope("linear"), in, out, bias);
      auto x = draw({2, rows, in}), residual = draw({2, rows, out}, 2);
      auto what = sized({rows, in, out});
      compare(what, {x}, [&](const auto& i) { return std::vector{layer(i[0])}; });
      compare(what + " onto a residual", {x, residual}, [&](const auto& i) { return std::vector{layer.onto(i[1], i[0])}; });
      compare(what + " of the norm", {x}, [&](const auto& i) { return std::vector{linear_of_norm(i[0], norm, layer)}; });
    }
  }
});

const Case mlp("multi-layer perceptrons", [] {
  for (auto [rows, channels, hidden] : {std::array{1, 8, 16}, {3, 5, 9}, {700, 32, 64}, {130, 96, 192}}) {
    Drawn drawn;
    MLP layers{LayerNorm(drawn.scope("norm"), channels), Linear(drawn.scope("fc1"), channels, hidden), Linear(drawn.scope("fc2"), hidden, channels)};
    compare(sized({rows, channels, hidden}), {draw({rows, channels})}, [&](const auto& i) { return std::vector{layers(i[0])}; });
  }
});

// Kernel, stride, padding, further zeros after, dilation, channels in and out, rows and columns.
struct Shape {
  int64_t kernel, stride, padding, after, dilation, in, out, height, width;
};

const Case convolution("convolutions", [] {
  for (auto s : {Shape{3, 1, 1, 0, 1, 8, 8, 4, 4},
                 {3, 1, 1, 0, 1, 1, 5, 7, 9},
                 {3, 1, 1, 0, 1, 17, 33, 5, 3},
                 {3, 1, 2, 0, 2, 6, 10, 9, 13},
                 {3, 1, 2, 0, 2, 3, 520, 3, 5},
                 {3, 2, 0, 1, 1, 7, 9, 8, 6},
                 {5, 4, 1, 0, 1, 1, 12, 16, 8},
                 {1, 1, 0, 0, 1, 9, 4, 3, 5},
                 {3, 1, 1, 0, 1, 4, 4, 1, 1}}) {
    Drawn drawn;
    Convolution layer(drawn.scope("conv"), s.in, s.out, {s.kernel, s.kernel},
                      {.stride = {s.stride, s.stride}, .padding = {s.padding, s.padding}, .dilation = {s.dilation, s.dilation}, .after = s.after});
    auto x = draw({6, s.height, s.width, s.in});
    auto what = sized({s.kernel, s.stride, s.dilation, s.in, s.out, s.height, s.width});
    compare(what, {x}, [&](const auto& i) { return std::vector{convolve(i[0], layer)}; }, 1e-4);
    compare(what + " and ReLU", {x}, [&](const auto& i) { return std::vector{convolve(i[0], layer, {.relu = true})}; }, 1e-4);
    if (s.stride > 1) continue;
    auto residual = draw({6, s.height, s.width, s.out}, 2), bias = draw({6, s.out}, 3);
    compare(
        what + " and a residual", {x, bias, residual},
        [&](const auto& i) { return std::vector{convolve(i[0], layer, {.image_bias = i[1], .residual = i[2]})}; }, 1e-4);
    auto others = draw({2, 2, s.height, s.width, s.out}, 4), last = draw({2, s.height, s.width, s.out}, 5);
    compare(
        what + " and residuals of slots", {x, others, last},
        [&](const auto& i) { return std::vector{convolve(i[0], layer, {.relu = true, .residual = i[1], .last = i[2]})}; }, 1e-4);
  }
});

const Case flat("convolutions of flat kernels of three dimensions", [] {
  struct Flat {
    Sizes kernel, stride;
    int64_t in, out, height, width;
  };
  for (const auto& s : {Flat{{1, 3, 3}, {1, 1}, 5, 8, 6, 7},
                        {{1, 7, 7}, {2, 2}, 3, 9, 16, 12},
                        {{3, 1, 1}, {1, 1}, 8, 8, 4, 30},
                        {{7, 1, 1}, {2, 1}, 6, 5, 8, 21},
                        {{3, 1, 1}, {1, 1}, 4, 7, 1, 3},
                        {{1, 1, 1}, {1, 1}, 9, 4, 3, 5}}) {
    Drawn drawn;
    bool over_time = s.kernel[0] > 1;
    NormedConvolution layer(
        Convolution(drawn.scope("conv"), s.in, s.out, s.kernel,
                    {.stride = s.stride, .padding = {s.kernel[over_time ? 0 : 1] / 2, s.kernel[2] / 2}, .dilation = {1, 1}, .bias = false}),
        BatchNorm(drawn.scope("norm"), s.out, {.epsilon = 1e-3}));
    auto x = draw({6, s.height, s.width, s.in});
    auto what = sized({s.kernel[0], s.kernel[1], s.stride[0], s.in, s.out, s.height, s.width});
    compare(what, {x}, [&](const auto& i) { return std::vector{convolve(i[0], layer.convolution)}; }, 1e-4);
    compare(what + " and its normalisation", {x}, [&](const auto& i) { return std::vector{layer(i[0], {}, {.relu = true})}; }, 1e-4);
  }
});

const Case upsampled("UpEmbed's first convolution", [] {
  for (auto [in, out, h, w] : {std::array{8, 4, 1, 1}, {5, 7, 2, 3}, {6, 16, 9, 7}, {3, 9, 14, 12}}) {
    Drawn drawn;
    Convolution dilated(drawn.scope("conv"), in, out, {3, 3}, {.padding = {2, 2}, .dilation = {2, 2}, .bias = false});
    UpsampledConvolution layer(std::move(dilated), BatchNorm(drawn.scope("norm"), out));
    compare(sized({in, out, h, w}), {draw({3, h, w, in})}, [&](const auto& i) { return std::vector{layer(i[0], {})}; }, 1e-4, true);
  }
});

const Case head("the head's folds and sums", [] {
  for (int64_t stride : {4, 5}) {
    Drawn drawn;
    Convolution convolution(drawn.scope("conv"), 12, 6, {3, 3}, {.padding = {1, 1}});
    Head layer(std::move(convolution), BatchNorm(drawn.scope("norm"), 6), Linear::pointwise(drawn.scope("logits"), 6, 1, 2));
    std::vector<Convolution> reduce;
    std::vector<Tensor> stages;
    for (int64_t i = 0; i < 3; ++i) {
      int64_t channels = 12 - 4 * i;
      reduce.emplace_back(drawn.scope("reduce" + std::to_string(i)), channels, 12, Sizes{5, 1, 1},
                          ConvolutionOptions{.stride = {stride, 1, 1}, .bias = false});
      stages.push_back(draw({2, 2 << i, 3 << i, stride == 4 ? 9 : 5, channels}, 10 + i));
    }
    compare(
        "stride " + std::to_string(stride), stages,
        [&](const auto& i) {
          std::vector<Tensor> parts;
          for (size_t stage = 0; stage < i.size(); ++stage) parts.push_back(layer.part(i[stage], reduce[stage], {}));
          return std::vector{layer(parts, {})};
        },
        2e-5, true);
  }
});

const Case pooling("max pooling of maps", [] {
  for (auto [h, w, channels] : {std::array{2, 2, 1}, {5, 7, 9}, {4, 6, 64}}) {
    compare(sized({h, w, channels}), {draw({3, h, w, channels})}, [&](const auto& i) { return std::vector{max_pool(i[0])}; }, 0);
  }
});

}  // namespace
}  // namespace diffsal::test
