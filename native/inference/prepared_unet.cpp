#include "inference/prepared_unet.h"

#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/relu.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>

#include "inference/folding.h"
#include "inference/rows.h"
#include "runtime/cancellation.h"

namespace diffsal {
namespace {

// Places that go through the temporal convolution together.
constexpr int64_t batch_places = 240;

}  // namespace

PreparedUNet::PreparedUNet(const SaliencyUNet& unet, const Config& config)
    : unet_(unet), config_(config), noise_(unet.noise_encoder_), stride_(unet.stages_[0].reduce.options.stride[0]) {
  for (const auto& stage : unet.stages_) {
    std::optional<Up> up;
    if (stage.patch_embed) {
      auto first = fold(stage.patch_embed->conv1_, stage.patch_embed->norm1_), second = fold(stage.patch_embed->conv2_, stage.patch_embed->norm2_);
      up = Up{PackedLinear(tap_matrix(first.weight), {}), first.bias, WinogradConvolution(second.weight, 2), second.bias};
    }
    auto temporal = stage.reduce.weight;  // (width, C, 5, 1, 1)
    stages_.push_back({std::move(up), PreparedBlock(stage.block, config), Packed(temporal.permute({2, 1, 0, 3, 4}).reshape({-1, temporal.size(0)}))});
  }
  auto folded = fold(unet.mt_proj_, unet.mt_norm_);
  taps_ = PackedLinear(tap_matrix(folded.weight), {});
  bias_ = folded.bias;
}

PreparedClip PreparedUNet::prepare(const std::vector<Tensor>& video, const Tensor& audio) const {
  PreparedClip clip;
  for (size_t i = 0; i < stages_.size(); ++i) {
    clip.video.push_back(video[i].permute({0, 2, 3, 4, 1}).contiguous());
    clip.sound.push_back(audio.defined() ? stages_[i].block.hear(audio) : Tensor());
  }
  return clip;
}

Tensor PreparedUNet::operator()(const Tensor& noisy, const Tensor& t, const PreparedClip& clip) const {
  auto noise = noise_(noisy, t);
  Tensor x;
  std::vector<Tensor> products;
  for (size_t i = 0; i < stages_.size(); ++i) {
    throw_if_cancelled();
    const auto& stage = stages_[i];
    auto mapped = i < noise.size() ? noise[i].unsqueeze(1) : Tensor();  // the noise takes the last slot
    x = stage.up ? enlarge(*stage.up, x, clip.video[i], mapped) : at::cat({clip.video[i], mapped}, 1);
    int64_t slots = x.size(1), read = (slots - 5) / stride_ * stride_ + 5;
    auto normed = at::empty({x.size(0), x.size(2), x.size(3), read, x.size(4)}, x.options());
    stage.block(x, clip.sound[i], i + 1 == stages_.size(), {unet_.stages_[i].norm, normed});
    products.push_back(reduce(stage, normed));
  }
  return resize_bilinear(predict(products), config_.height, config_.width);
}

// UpEmbed, and the sum with the stage's video and noise where it has one.
Tensor PreparedUNet::enlarge(const Up& up, const Tensor& x, const Tensor& video, const Tensor& noise) const {
  int64_t slots = x.size(1), channels = up.bias.size(0);
  auto products = up.taps(x);
  UpsampledTaps taps{x.size(2), x.size(3), channels, 2, 2};
  auto y = at::empty({x.size(0) * slots, taps.rows(), taps.columns(), channels}, x.options());
  const float *source = products.const_data_ptr<float>(), *bias = up.bias.const_data_ptr<float>();
  float* target = y.data_ptr<float>();
  at::parallel_for(0, y.size(0) * taps.rows(), 1, [&](int64_t begin, int64_t end) {
    std::vector<float> scratch;
    for (int64_t row = begin; row < end; ++row) {
      float* to = target + row * taps.columns() * channels;
      taps.row(source + row / taps.rows() * taps.height * taps.width * 9 * channels, row % taps.rows(), false, to, scratch);
      for (int64_t column = 0; column < taps.columns(); ++column) add_relu(to + column * channels, bias, channels);
    }
  });
  Epilogue epilogue{.bias = up.bias2, .relu = true};
  if (noise.defined()) {
    int64_t size = y[0].numel();
    epilogue.residual = [=, shown = video.const_data_ptr<float>(), added = noise.const_data_ptr<float>()](int64_t image) {
      int64_t sample = image / slots, slot = image % slots;
      return slot + 1 < slots ? shown + (sample * (slots - 1) + slot) * size : added + sample * size;
    };
  }
  return up.conv2(y, epilogue).view({x.size(0), slots, taps.rows(), taps.columns(), channels});
}

// From a stage's norms (B, h, w, slots, C): the temporal convolution, its results' mean, and the products of the last convolution's taps,
// (B, h, w, 9, out).
Tensor PreparedUNet::reduce(const Stage& stage, const Tensor& normed) const {
  int64_t slots = normed.size(3), channels = normed.size(4), places = normed.numel() / (slots * channels), results = (slots - 5) / stride_ + 1;
  int64_t threads = at::get_num_threads(), batches = (places + batch_places - 1) / batch_places;
  batches = (batches + threads - 1) / threads * threads;
  int64_t size = (places + batches - 1) / batches;
  auto products = at::empty({normed.size(0), normed.size(1), normed.size(2), taps_.out()}, normed.options());
  const float* source = normed.const_data_ptr<float>();
  float* target = products.data_ptr<float>();
  int64_t width = stage.reduce.columns();
  at::parallel_for(0, batches, 1, [&](int64_t begin, int64_t end) {
    c10::InferenceMode inference;
    auto total = at::empty({size, width}, normed.options()), next = at::empty_like(total);
    for (int64_t batch = begin; batch < end; ++batch) {
      int64_t first = batch * size, count = std::min(size, places - first);
      if (count <= 0) break;
      auto sum = total.narrow(0, 0, count), other = next.narrow(0, 0, count);
      for (int64_t i = 0; i < results; ++i) {
        auto& to = i == 0 ? sum : other;
        multiply(source + (first * slots + i * stride_) * channels, slots * channels, count, stage.reduce, to.data_ptr<float>(), width);
        at::relu_(to);
        if (i > 0) sum.add_(other);
      }
      if (results > 1) sum.div_(static_cast<double>(results));
      taps_.rows(sum.const_data_ptr<float>(), count, target + first * taps_.out());
    }
  });
  return products;
}

// The last convolution on the sum of the enlarged stages, and the logits' sigmoid.
Tensor PreparedUNet::predict(const std::vector<Tensor>& products) const {
  int64_t samples = products[0].size(0), height = 16 * products[0].size(1), width = 16 * products[0].size(2), channels = bias_.size(0);
  auto map = at::empty({samples, 1, height, width}, products[0].options());
  const auto& last = unet_.linear_pred_;
  const float *bias = bias_.const_data_ptr<float>(), *weight = last.weight.const_data_ptr<float>(), shift = last.bias.item<float>();
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
