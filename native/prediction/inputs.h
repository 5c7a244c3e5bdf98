#pragma once
#include <ATen/core/Tensor.h>

#include <future>
#include <string>
#include <vector>

#include "network/config.h"
#include "runtime/upload.h"

namespace diffsal {

// Mono sound of one clip.
struct Sound {
  at::Tensor samples;  // (n,) float32
  int64_t rate;
};

// What a caller hands over for B clips: pixels or frames, mel or sounds; undefined and empty where absent.
struct ClipInputs {
  Upload pixels;                         // uint8 (B, T, h, w, 3), any size
  Upload frames;                         // float32 (B, 3, T, H, W), already normalised
  Upload mel;                            // float32 (B, 1, slots, H/2, W/2)
  std::vector<Sound> sounds;             // B of them
  std::shared_future<at::Tensor> heard;  // slices_of(sounds), where another thread makes them
};

// What the encoders take, on the device; undefined where absent.
struct EncoderInputs {
  at::Tensor frames, mel;
};

// Seconds of sound the network hears of a clip, in samples at its rate: all its slices and a little more, 1.6 s for nine.
int64_t excerpt_samples(int64_t slots);

// The log-mel slices of sounds, float32 (B, 1, slots, H/2, W/2) on the CPU.
at::Tensor slices_of(const std::vector<Sound>& sounds, const Config& config);

// Normalises pictures and turns sounds into log-mel slices. NaN and infinity are refused.
EncoderInputs prepare(const ClipInputs& inputs, const Config& config, at::Device device);

// Refuses NaN and infinity in a float32 tensor on the CPU, naming `argument` and the first of them.
void check_finite(const at::Tensor& tensor, const std::string& argument);

// As check_finite, for what the network computes from: also refuses what would become infinite on its way.
void check_input(const at::Tensor& tensor, const std::string& argument);

// Refuses what is no map: a value that is not finite or not from 0 to 1.
void check_unit(const at::Tensor& map, const std::string& argument);

}  // namespace diffsal
