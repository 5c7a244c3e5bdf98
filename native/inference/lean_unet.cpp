#include "inference/lean_unet.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/relu.h>

#include "inference/cast_source.h"
#include "inference/folding.h"
#include "runtime/cancellation.h"

namespace diffsal {
namespace {

// Of the stage's map.
std::array<int64_t, 2> size_of(const Config& config, size_t stage) { return {(config.height / 32) << stage, (config.width / 32) << stage}; }

// The convolution over the slots as one of two dimensions, slots and places. Its results' mean is the sum of what is so many times smaller,
// which ReLU leaves as it is.
Convolution over_slots(Convolution convolution, int64_t slots, at::ScalarType type) {
  int64_t results = (slots - 5) / convolution.options.stride[0] + 1;
  convolution.weight = channels_last(convolution.weight.squeeze(4).div(static_cast<double>(results)).to(type));
  convolution.options.stride = {convolution.options.stride[0], 1};
  convolution.options.padding = {0, 0};
  convolution.options.dilation = {1, 1};
  return convolution;
}

}  // namespace

LeanHead LeanUNet::head_of(const SaliencyUNet& unet, const Config& config, at::ScalarType type) {
  auto folded = fold(unet.mt_proj_, unet.mt_norm_);
  std::vector<std::array<int64_t, 2>> sizes;
  for (size_t i = 0; i < unet.stages_.size(); ++i) sizes.push_back(size_of(config, i));
  return LeanHead(folded.weight, folded.bias, unet.linear_pred_, sizes, type);
}

LeanUNet::LeanUNet(const SaliencyUNet& unet, const Config& config, at::ScalarType type)
    : type_(type), height_(config.height), width_(config.width), noise_(unet.noise_encoder_, type), head_(head_of(unet, config, type)) {
  for (const auto& stage : unet.stages_) {
    std::optional<Up> up;
    if (stage.patch_embed) {
      const auto& embed = *stage.patch_embed;
      auto first = fold(embed.conv1_, embed.norm1_), second = fold(embed.conv2_, embed.norm2_);
      auto [height, width] = size_of(config, stages_.size() - 1);
      up = Up{DoubledConvolution(first.weight, first.bias, height, width, type), embed.conv2_};
      up->conv2.weight = channels_last(second.weight.to(type));
      up->conv2.bias = second.bias.to(type);
    }
    stages_.push_back({std::move(up), LeanBlock(stage.block, config, type), cast(stage.norm, type), over_slots(stage.reduce, config.slots(), type)});
  }
}

PreparedClip LeanUNet::prepare(const std::vector<Tensor>& video, const Tensor& audio) const {
  PreparedClip clip;
  for (size_t i = 0; i < stages_.size(); ++i) {
    clip.video.push_back(video[i].permute({0, 2, 3, 4, 1}).to(type_).contiguous());
    clip.sound.push_back(audio.defined() ? stages_[i].block.hear(audio.to(type_)) : Tensor());
  }
  return clip;
}

Tensor LeanUNet::Up::operator()(const Tensor& x) const {
  auto y = conv2(conv1(x.flatten(0, 1)).permute({0, 3, 1, 2}));
  return at::relu_(y).permute({0, 2, 3, 1}).contiguous().unflatten(0, {x.size(0), x.size(1)});
}

Tensor LeanUNet::Stage::reduce(const Tensor& x) const {
  auto y = temporal(norm(x).flatten(2, 3).permute({0, 3, 1, 2}));  // (B, width, results, places)
  y = at::relu_(y).permute({0, 2, 3, 1});
  auto sum = y.select(1, 0);
  for (int64_t i = 1; i < y.size(1); ++i) sum.add_(y.select(1, i));
  return sum.reshape({x.size(0), x.size(2), x.size(3), y.size(3)});
}

Tensor LeanUNet::operator()(const Tensor& noisy, const Tensor& t, const PreparedClip& clip) const {
  auto noise = noise_(noisy, t);
  Tensor x;
  std::vector<Tensor> maps;
  for (size_t i = 0; i < stages_.size(); ++i) {
    throw_if_cancelled();
    const auto& stage = stages_[i];
    const auto& video = clip.video[i];
    if (!stage.up) {
      x = at::cat({video, noise[i].unsqueeze(1)}, 1).contiguous();  // the noise takes the last slot
    } else {
      x = (*stage.up)(x);
      if (i < noise.size()) {
        x.narrow(1, 0, video.size(1)).add_(video);
        x.select(1, video.size(1)).add_(noise[i]);
      }
    }
    x = stage.block(x, clip.sound[i]);
    maps.push_back(stage.reduce(x));
  }
  return resize_bilinear(head_(maps), height_, width_);
}

}  // namespace diffsal
