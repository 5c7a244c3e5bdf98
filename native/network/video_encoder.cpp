#include "network/video_encoder.h"

#include "network/encoder_adapter.h"
#include "network/mvit.h"
#include "network/resnet3d.h"
#include "network/s3d.h"
#include "network/swin3d.h"

namespace diffsal {

std::unique_ptr<VideoEncoder> make_video_encoder(const Scope& scope, const Config& config) {
  auto channels = config.channels();
  switch (config.video_encoder.kind) {
    case VideoEncoderKind::mvitv2_s: return std::make_unique<MViT>(scope, config.video_encoder);
    case VideoEncoderKind::s3d:
      return std::make_unique<EncoderAdapter>(scope, std::make_unique<S3D>(scope / "net", config.video_encoder.width, config.clip_length), channels);
    case VideoEncoderKind::swin3d_t: return std::make_unique<EncoderAdapter>(scope, std::make_unique<Swin3D>(scope / "net"), channels);
    case VideoEncoderKind::resnet3d_50: return std::make_unique<EncoderAdapter>(scope, std::make_unique<ResNet3D>(scope / "net"), channels);
  }
  return nullptr;
}

}  // namespace diffsal
