#include "network/s3d.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/max_pool3d.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <variant>

namespace diffsal {
namespace {

// What every layer is made with.
struct Style {
  double width;
  // The published statistics move by a thousandth, which fits weights that are fine-tuned. A network of another width has no published
  // weights; one that begins at nothing must follow its own activations faster.
  double momentum() const { return width == 1 ? 1e-3 : 0.1; }
  int64_t channels(int64_t published) const { return std::max<int64_t>(8, 8 * std::llround(static_cast<double>(published) * width / 8)); }
};

// How many slots a clip has after a layer of this kernel.
int64_t slots_after(int64_t slots, int64_t kernel, int64_t stride, int64_t padding) { return (slots + 2 * padding - kernel) / stride + 1; }

// In what share of its results a kernel over `slots` of a clip has each tap in the clip, and not in the zeros around it: (1, 1, kernel, 1, 1).
Tensor tap_shares(int64_t slots, int64_t kernel, int64_t stride) {
  int64_t results = slots_after(slots, kernel, stride, kernel / 2);
  std::vector<float> shares(static_cast<size_t>(kernel));
  for (int64_t tap = 0; tap < kernel; ++tap) {
    int64_t seen = 0;
    for (int64_t result = 0; result < results; ++result) {
      int64_t at = result * stride + tap - kernel / 2;
      seen += at >= 0 && at < slots;
    }
    shares[static_cast<size_t>(tap)] = static_cast<float>(seen) / static_cast<float>(results);
  }
  return at::tensor(shares).view({1, 1, kernel, 1, 1});
}

// Convolution without bias, BatchNorm, ReLU, over space or over time as the kernel is (1, k, k) or (k, 1, 1). slots: of a clip that comes to it.
struct Unit {
  Unit(const Scope& scope, const Style& style, int64_t in, int64_t out, Sizes kernel, int64_t stride, int64_t slots = 0)
      : over_time(kernel[0] > 1),
        layer(Convolution(scope / 0, in, out, kernel,
                          {.stride = {stride, over_time ? 1 : stride},
                           .padding = {kernel[over_time ? 0 : 1] / 2, kernel[2] / 2},
                           .dilation = {1, 1},
                           .bias = false}),
              BatchNorm(scope / 1, out, {.epsilon = 1e-3, .momentum = style.momentum()})) {
    if (over_time) shares = tap_shares(slots, kernel[0], stride);
  }
  Tensor operator()(const Tensor& x, const Pass& pass, bool still) const {
    if (over_time && still) return of_still(x, pass);
    if (over_time) return layer(x.flatten(2, 3), pass, {.relu = true}).unflatten(2, {x.size(2), x.size(3)});
    return layer(x.flatten(0, 1), pass, {.relu = true}).unflatten(0, {x.size(0), x.size(1)});
  }
  // Of a picture (N, 1, H, W, C) that is in all slots of a clip: the mean of the results over these, before the norm.
  Tensor of_still(const Tensor& x, const Pass& pass) const {
    auto weight = layer.convolution.weight;
    Convolution taps((weight * shares.to(weight.options())).sum(2, true), {},
                     {.stride = {1, 1}, .padding = {0, 0}, .dilation = {1, 1}, .bias = false});
    return norm_maps(convolve(x.squeeze(1), taps), layer.norm, pass, true).unsqueeze(1);
  }
  bool over_time;
  NormedConvolution layer;
  Tensor shares;
};

Unit pointwise(const Scope& scope, const Style& style, int64_t in, int64_t out) { return Unit(scope, style, in, out, {1, 1, 1}, 1); }

// Space first, then time.
struct Separable {
  Separable(const Scope& scope, const Style& style, int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t slots)
      : space(scope / 0, style, in, out, {1, kernel, kernel}, stride), time(scope / 1, style, out, out, {kernel, 1, 1}, stride, slots) {}
  Tensor operator()(const Tensor& x, const Pass& pass, bool still) const { return time(space(x, pass, still), pass, still); }
  Unit space, time;
};

// With its channels innermost libtorch's pooling is ten times as fast.
struct Pool {
  Sizes kernel, stride, padding;
  Tensor operator()(const Tensor& x, const Pass&, bool still) const {
    // The greatest over time of a picture that is in all slots is itself.
    Sizes over = {still ? 1 : kernel[0], kernel[1], kernel[2]}, around = {still ? 0 : padding[0], padding[1], padding[2]};
    return at::max_pool3d(x.permute({0, 4, 1, 2, 3}), over, stride, around).permute({0, 2, 3, 4, 1});
  }
};

// Channels of an Inception's branches.
struct Branches {
  int64_t b0, b1_mid, b1, b2_mid, b2, b3;
  int64_t out() const { return b0 + b1 + b2 + b3; }
};

struct Inception {
  Inception(const Scope& scope, const Style& style, int64_t in, const Branches& w, int64_t slots)
      : branch0(pointwise(scope / "branch0", style, in, w.b0)),
        branch1_in(pointwise(scope / "branch1" / 0, style, in, w.b1_mid)),
        branch1(scope / "branch1" / 1, style, w.b1_mid, w.b1, 3, 1, slots),
        branch2_in(pointwise(scope / "branch2" / 0, style, in, w.b2_mid)),
        branch2(scope / "branch2" / 1, style, w.b2_mid, w.b2, 3, 1, slots),
        branch3(pointwise(scope / "branch3" / 1, style, in, w.b3)) {}
  Tensor operator()(const Tensor& x, const Pass& pass, bool still) const {
    auto pooled = pool(x, pass, still);
    return at::cat({branch0(x, pass, still), branch1(branch1_in(x, pass, still), pass, still), branch2(branch2_in(x, pass, still), pass, still),
                    branch3(pooled, pass, still)},
                   4);
  }
  Unit branch0, branch1_in;
  Separable branch1;
  Unit branch2_in;
  Separable branch2;
  Pool pool{{3, 3, 3}, {1, 1, 1}, {1, 1, 1}};
  Unit branch3;
};

}  // namespace

struct S3D::Layer {
  std::variant<Unit, Separable, Pool, Inception> layer;  // of clips (N, T, H, W, C)
  Tensor operator()(const Tensor& x, const Pass& pass, bool still) const {
    return std::visit([&](const auto& f) { return f(x, pass, still); }, layer);
  }
};

S3D::~S3D() = default;

S3D::S3D(const Scope& scope, double width, int64_t clip_length) {
  Style style{width};
  int64_t channels = 3, slots = clip_length;
  auto features = scope / "features";
  auto next = [&] { return features / static_cast<int64_t>(features_.size()); };
  auto add = [&](auto layer) { features_.push_back(std::make_unique<Layer>(Layer{std::move(layer)})); };
  auto pool = [&](Sizes kernel, Sizes stride, Sizes padding) {
    slots = slots_after(slots, kernel[0], stride[0], padding[0]);
    add(Pool{std::move(kernel), std::move(stride), std::move(padding)});
  };
  auto separable = [&](int64_t published, int64_t kernel, int64_t stride) {
    auto out = style.channels(published);
    add(Separable(next(), style, std::exchange(channels, out), out, kernel, stride, slots));
    slots = slots_after(slots, kernel, stride, kernel / 2);
  };
  auto inception = [&](Branches w) {
    for (auto* branch : {&w.b0, &w.b1_mid, &w.b1, &w.b2_mid, &w.b2, &w.b3}) *branch = style.channels(*branch);
    add(Inception(next(), style, std::exchange(channels, w.out()), w, slots));
  };
  separable(64, 7, 2);
  pool({1, 3, 3}, {1, 2, 2}, {0, 1, 1});
  add(pointwise(next(), style, channels, channels));
  separable(192, 3, 1);
  widths_.push_back(channels);
  pool({1, 3, 3}, {1, 2, 2}, {0, 1, 1});
  inception({64, 96, 128, 16, 32, 32});
  inception({128, 128, 192, 32, 96, 64});
  widths_.push_back(channels);
  pool({3, 3, 3}, {2, 2, 2}, {1, 1, 1});
  inception({192, 96, 208, 16, 48, 64});
  inception({160, 112, 224, 24, 64, 64});
  inception({128, 128, 256, 24, 64, 64});
  inception({112, 144, 288, 32, 64, 64});
  inception({256, 160, 320, 32, 128, 128});
  widths_.push_back(channels);
  pool({2, 2, 2}, {2, 2, 2}, {0, 0, 0});
  inception({256, 160, 320, 32, 128, 128});
  inception({384, 192, 384, 48, 128, 128});
  widths_.push_back(channels);
}

std::vector<Tensor> S3D::operator()(const Tensor& frames, const Pass& pass) const {
  auto x = frames.permute({0, 2, 3, 4, 1}).contiguous();
  auto outermost = [](const Tensor& map) { return map.permute({0, 4, 1, 2, 3}); };
  const bool still = frames.size(2) == 1;
  std::vector<Tensor> maps;
  for (const auto& layer : features_) {
    stop_point(x);
    auto y = (*layer)(x, pass, still);
    // The last map before each halving, from 1/4 on.
    if (y.size(2) < x.size(2) && 4 * x.size(2) <= frames.size(3)) maps.push_back(outermost(x));
    x = y;
  }
  maps.push_back(outermost(x));
  return maps;
}

}  // namespace diffsal
