#include "network/saliency_unet.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/mean.h>

#include "network/still.h"

namespace diffsal {
namespace {

Convolution dilated(const Scope& scope, int64_t in, int64_t out) {
  return Convolution(scope, in, out, {3, 3}, {.padding = {2, 2}, .dilation = {2, 2}, .bias = false});
}

// Folds the slots: kernel 5 over the nine of them. The released stride of 5 reads slots 0-4 alone and so never the
// noise's; a stride of 4 reads 0-4 and 4-8 with the same weights.
Convolution temporal(const Scope& scope, int64_t in, int64_t out, bool released) {
  return Convolution(scope, in, out, {5, 1, 1}, {.stride = {released ? 5 : 4, 1, 1}, .bias = false});
}

Head head_of(const Scope& scope, const Config& c) {
  int64_t in = c.channels().front(), out = c.channels().back();
  Convolution convolution(scope / "invpt_decoder" / "mt_proj" / 0, in, out, {3, 3}, {.padding = {1, 1}});
  BatchNorm norm(scope / "invpt_decoder" / "mt_proj" / 1, out);
  return Head(std::move(convolution), std::move(norm), Linear::pointwise(scope / "logits" / "linear_pred", out, 1, 2, Init::rare));
}

}  // namespace

UpEmbed::UpEmbed(const Scope& scope, int64_t in, int64_t out)
    : first_{dilated(scope / "proj" / 1, in, out), BatchNorm(scope / "proj" / 2, out)},
      second_{dilated(scope / "proj" / 4, out, out), BatchNorm(scope / "proj" / 5, out)} {}

Tensor UpEmbed::operator()(const Tensor& x, const Tensor& video, const Tensor& noise, const Pass& pass) const {
  auto y = first_(x.flatten(0, 1), pass);
  return second_(y, pass, {.relu = true, .residual = video, .last = noise}).unflatten(0, {x.size(0), x.size(1)});
}

SaliencyUNet::SaliencyUNet(const Scope& scope, const Config& c)
    : noise_encoder_(scope, c), head_(head_of(scope, c)), height_(c.height), width_(c.width), slots_(c.slots()) {
  auto decoder = scope / "invpt_decoder";
  auto channels = c.channels();
  for (int64_t index = 0; index < c.mam_stages; ++index) {
    auto i = static_cast<size_t>(index);
    auto stage = decoder / "mid_stages" / index;
    std::optional<UpEmbed> up;
    if (i > 0) up.emplace(stage / "patch_embed" / 0, channels[i - 1], channels[i]);
    stages_.push_back({std::move(up), MAMBlock(stage / "blocks" / 0, channels[i], c.kv_kernel[i], c),
                       LayerNorm(decoder / "norm_mts" / index, channels[i]),
                       temporal(decoder / "redu_chan_up" / index / "proj" / 0, channels[i], channels[0], c.released())});
  }
}

PreparedClip SaliencyUNet::prepare(const std::vector<Tensor>& video, const Tensor& audio, at::ScalarType type) const {
  PreparedClip clip;
  auto heard = audio;
  // The mean of what is heard with the picture.
  if (audio.defined() && video[0].size(2) == 1) {
    heard = at::cat({audio.narrow(2, 0, slots_ - 1).mean({2}, true), audio.narrow(2, slots_ - 1, 1)}, 2);
  }
  for (size_t i = 0; i < stages_.size(); ++i) {
    clip.video.push_back(video[i].permute({0, 2, 3, 4, 1}).to(type).contiguous());
    clip.sound.push_back(heard.defined() ? stages_[i].block.hear(heard.permute({0, 2, 3, 4, 1}).to(type)) : Tensor());
  }
  return clip;
}

Tensor SaliencyUNet::operator()(const Tensor& noisy, const Tensor& t, const PreparedClip& clip, const Pass& pass,
                                std::vector<Tensor>* activity) const {
  if (activity) activity->assign(stages_.size(), {});
  // The stages' pass, which tells of a still; the noise encoder and the head see no slots.
  auto slots = pass;
  if (clip.video[0].size(1) == 1) slots.picture_slots = slots_ - 1;
  auto noise = noise_encoder_(noisy, t, clip.video[0].scalar_type(), pass);
  Tensor x;
  std::vector<Tensor> parts;
  for (size_t i = 0; i < stages_.size(); ++i) {
    stop_point(x);
    const auto& [patch_embed, block, norm, reduce] = stages_[i];
    // The noise takes the last slot.
    bool noised = i < noise.size();
    auto video = noised ? clip.video[i] : Tensor(), last = noised ? noise[i] : Tensor();
    stop_point(last);
    x = patch_embed ? (*patch_embed)(x, video, last, slots) : at::cat({video, last.unsqueeze(1)}, 1);
    // The slots that the fold reads. The next stage takes the block's output, not its norm.
    int64_t stride = reduce.options.stride[0], read = (slots_ - 5) / stride * stride + 5;
    auto done = block(x, clip.sound[i], norm, slots.still() ? 2 : read, i + 1 == stages_.size(), slots, activity ? &(*activity)[i] : nullptr);
    x = done.x;
    parts.push_back(head_.part(slots.still() ? in_slots(done.normed, 3, slots_).narrow(3, 0, read) : done.normed, reduce, pass));
  }
  return resize_bilinear(head_(parts, pass), height_, width_);
}

}  // namespace diffsal
