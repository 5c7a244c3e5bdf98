#include "network/parts.h"

namespace diffsal {

Parts::Parts(const Scope& root, const Config& config) {
  if (config.video) visual_net = make_video_encoder(root / "visual_net", config);
  if (config.audio) {
    audio_net.emplace(root / "audio_net", config.audio_encoder);
    spatiotemp_net.emplace(root / "spatiotemp_net", config);
  }
  decoder_net.emplace(root / "decoder_net", config);
}

}  // namespace diffsal
