#pragma once
#include <memory>

#include "model/config.h"
#include "model/features.h"
#include "model/parts.h"

namespace diffsal {

// A network in another form for predicting: the same function without gradients, in a form that a device is fast with. It is made of the
// parameters as they are, refers to some and copies others, so it ends with them, or with their change.
class Inference {
 public:
  virtual ~Inference() = default;

  // The maps of what is seen, coarse to fine, of normalised frames (B, 3, T, H, W).
  virtual std::vector<Tensor> see(const Tensor& frames) const = 0;
  // The enhanced sound of log-mel slices (B, 1, slots, H/2, W/2).
  virtual Tensor hear(const Tensor& mel) const = 0;
  // What denoise() takes of a clip. video: maps as see() gives them; audio: as hear() does, or undefined.
  PreparedClip prepare(const std::vector<Tensor>& video, const Tensor& audio) const;
  // All that is made of a clip once: of frames (B, 3, T, H, W) or, where they are undefined, of `maps` as see() gives them, and of mel slices,
  // which may be undefined. Unless they are to be kept, they may lie in memory that the next call is going to use.
  virtual Features encode(const Tensor& frames, const std::vector<Tensor>& maps, const Tensor& mel, bool keep) const;
  // One Saliency-UNet pass. x: (B, 1, H, W) noisy map; t: (B,) times; clip: of this object -> (B, 1, H, W).
  virtual Tensor denoise(const Tensor& x, const Tensor& t, const PreparedClip& clip) const = 0;

  // Whether this object, and no other, made the clip.
  bool made(const PreparedClip& clip) const { return clip.maker == serial_; }

 protected:
  Inference();
  // prepare(), without signing it.
  virtual PreparedClip make_clip(const std::vector<Tensor>& video, const Tensor& audio) const = 0;
  // Says of a clip that this object made it, and that it is a new one.
  void sign(PreparedClip& clip) const;

 private:
  uint64_t serial_;
};

// Which way a network calculates: as a device predicts fastest; by model/'s layers, as a trainer; or by the form that CUDA has, on any device.
// The last two are for tests.
enum class Form { fast, plain, lean };

// The form for the device that the parameters are on, which calculates in `precision`; null for the layers themselves. `parts` and
// `parameters` must outlive it.
std::unique_ptr<Inference> make_inference(const Parts& parts, const std::vector<Parameter>& parameters, const Config& config, at::Device device,
                                          at::ScalarType precision, Form form);

}  // namespace diffsal
