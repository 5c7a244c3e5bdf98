#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace diffsal {

// The network's sizes and choices. lib/config.ts documents each, gives the defaults and checks the values.

enum class Dialect { paper, released };
enum class Attention { eca, sca, none };

enum class VideoEncoderKind { mvitv2_s, s3d, swin3d_t, resnet3d_50 };

// `width` is S3D's; the other fields but kind and embed_dim are MViT's.
struct VideoEncoderConfig {
  VideoEncoderKind kind;
  int64_t embed_dim, depth, heads;
  std::vector<int64_t> downscale_at;
  std::array<int64_t, 3> pretrain_size, kv_stride;
  double mlp_ratio, width;
};

struct AudioEncoderConfig {
  // Widths of VGGish's convolutions, one list a resolution; a 2x2 max pooling follows each list.
  std::vector<std::vector<int64_t>> widths;
  int64_t heads, head_dim, hidden;

  int64_t channels() const { return widths.back().back(); }
};

struct Config {
  Dialect dialect;
  int64_t height, width, clip_length;
  bool video, audio;
  VideoEncoderConfig video_encoder;
  AudioEncoderConfig audio_encoder;
  int64_t unet_width, norm_groups;
  Attention attention;
  std::string interaction;  // one of network/interaction.cpp's
  int64_t mam_stages;       // the coarsest ones, at most four
  std::vector<int64_t> kv_kernel;
  int64_t attention_heads;
  double dropout;
  int64_t timesteps;
  double pixel_scale;
  std::array<double, 3> mean, std;

  bool released() const { return dialect == Dialect::released; }
  // One slot a pair of frames, and one for the noise.
  int64_t slots() const { return clip_length / 2 + 1; }
  // Channels of the encoder's maps, coarse to fine: the width doubles at each downscale.
  std::vector<int64_t> channels() const {
    std::vector<int64_t> widths;
    for (size_t i = 0; i <= video_encoder.downscale_at.size(); ++i) widths.insert(widths.begin(), video_encoder.embed_dim << i);
    return widths;
  }
  // A log-mel slice is half the frame's size, so that VGGish's map has the coarsest video map's.
  int64_t mel_height() const { return height / 2; }
  int64_t mel_width() const { return width / 2; }
};

}  // namespace diffsal
