#include "model/saliency_unet.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>

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

}  // namespace

UpEmbed::UpEmbed(const Scope& scope, int64_t in, int64_t out)
    : conv1_(dilated(scope / "proj" / 1, in, out)),
      norm1_(scope / "proj" / 2, out),
      conv2_(dilated(scope / "proj" / 4, out, out)),
      norm2_(scope / "proj" / 5, out) {}

Tensor UpEmbed::operator()(const Tensor& x, const Pass& pass) const {
  return per_slot(x, [&](const Tensor& y) {
    auto z = resize_bilinear(y, 2 * y.size(2), 2 * y.size(3));
    z = at::relu(norm1_(conv1_(z), pass));
    return at::relu(norm2_(conv2_(z), pass));
  });
}

SaliencyUNet::SaliencyUNet(const Scope& scope, const Config& c)
    : noise_encoder_(scope, c),
      mt_proj_(scope / "invpt_decoder" / "mt_proj" / 0, c.channels().front(), c.channels().back(), {3, 3}, {.padding = {1, 1}}),
      mt_norm_(scope / "invpt_decoder" / "mt_proj" / 1, c.channels().back()),
      linear_pred_(scope / "logits" / "linear_pred", c.channels().back(), 1, {1, 1}, {.bias_init = Init::rare}),
      height_(c.height),
      width_(c.width) {
  auto decoder = scope / "invpt_decoder";
  auto channels = c.channels();
  for (int64_t index = 0; index < c.mam_stages; ++index) {
    auto i = static_cast<size_t>(index);
    auto stage = decoder / "mid_stages" / index;
    std::optional<UpEmbed> up;
    if (i > 0) up.emplace(stage / "patch_embed" / 0, channels[i - 1], channels[i]);
    stages_.push_back({std::move(up), MAMBlock(stage / "blocks" / 0, channels[i], c.kv_kernel[i], c), LayerNorm(decoder / "norm_mts" / index, channels[i]),
                       temporal(decoder / "redu_chan_up" / index / "proj" / 0, channels[i], channels[0], c.released())});
  }
}

Tensor SaliencyUNet::operator()(const Tensor& noisy, const Tensor& t, const std::vector<Tensor>& video, const Tensor& audio, const Pass& pass) const {
  auto noise = noise_encoder_(noisy, t, pass);
  Tensor x, total;
  // The stages are summed at half the clip's size.
  int64_t height = 16 * video[0].size(3), width = 16 * video[0].size(4);
  for (size_t i = 0; i < stages_.size(); ++i) {
    stop_point(x);
    const auto& stage = stages_[i];
    if (stage.patch_embed) x = (*stage.patch_embed)(x, pass);
    if (i < noise.size()) {
      stop_point(noise[i]);
      auto skip = at::cat({video[i], noise[i]}, 2);  // the noise takes the last slot
      x = x.defined() ? x + skip : skip;
    }
    x = stage.block(x, audio, pass);
    // The next stage takes the block's output, not its norm.
    auto y = at::relu(stage.reduce(stage.norm.over_channels(x))).mean({2});
    y = resize_bilinear(y, height, width);
    total = total.defined() ? total + y : y;
  }
  auto y = at::relu(mt_norm_(mt_proj_(total), pass));
  return resize_bilinear(at::sigmoid(linear_pred_(y)), height_, width_);
}

}  // namespace diffsal
