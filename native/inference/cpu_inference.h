#pragma once
#include <optional>

#include "inference/inference.h"
#include "inference/prepared_mvit.h"
#include "inference/prepared_unet.h"
#include "inference/prepared_vggish.h"

namespace diffsal {

// The form for the CPU in float32: less arithmetic and memory traffic, channels-last. Each part is made when it is first used; a network
// belongs to one thread.
class CpuInference : public Inference {
 public:
  CpuInference(const Parts& parts, const Config& config) : parts_(parts), config_(config) {}

  std::vector<Tensor> see(const Tensor& frames) const override;
  Tensor hear(const Tensor& mel) const override;
  Tensor denoise(const Tensor& x, const Tensor& t, const PreparedClip& clip) const override;

 private:
  PreparedClip make_clip(const std::vector<Tensor>& video, const Tensor& audio) const override;
  const PreparedUNet& unet() const;

  const Parts& parts_;
  Config config_;
  mutable std::optional<PreparedMViT> video_;
  mutable std::optional<PreparedVGGish> audio_;
  mutable std::optional<PreparedUNet> unet_;
};

}  // namespace diffsal
