#pragma once
#include <memory>
#include <optional>

#include "network/saliency_unet.h"
#include "network/temporal_enhancement.h"
#include "network/vggish.h"
#include "network/video_encoder.h"

namespace diffsal {

// The parts of DiffSal, section 4. What a configuration leaves out is not there.
struct Parts {
  Parts(const Scope& root, const Config& config);

  std::unique_ptr<VideoEncoder> visual_net;
  std::optional<VGGish> audio_net;
  std::optional<TemporalEnhancement> spatiotemp_net;
  std::optional<SaliencyUNet> decoder_net;
};

}  // namespace diffsal
