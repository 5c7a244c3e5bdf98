#include "prediction/inputs.h"

#include <ATen/ops/stack.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "audio/excerpt.h"
#include "audio/log_mel.h"
#include "runtime/error.h"
#include "runtime/transfer.h"
#include "video/frames.h"

namespace diffsal {

int64_t excerpt_samples(int64_t slots) { return 25600 + (slots - 9) * 1760; }

namespace {

// Far beyond any picture or sound, and near enough to zero that squares and sums of it are finite.
constexpr float greatest_input = 1e12f;

std::string text_of(float value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

// Refuses NaN, infinity and values farther from zero than `greatest`, naming `argument` and the first of them.
void check_within(const at::Tensor& tensor, const std::string& argument, float greatest) {
  const float* data = tensor.const_data_ptr<float>();
  int64_t count = tensor.numel(), first = 0;
  // Blocks without a branch, which the compiler makes vectors of: a batch of frames is hundreds of megabytes.
  constexpr int64_t block = 4096;
  auto fits = [&](int64_t from, int64_t to) {
    int bad = 0;
    for (int64_t i = from; i < to; ++i) bad |= !(std::abs(data[i]) <= greatest);
    return bad == 0;
  };
  while (first < count && fits(first, std::min(first + block, count))) first += block;
  for (int64_t i = first; i < count; ++i) {
    if (std::abs(data[i]) <= greatest) continue;
    auto at = " at element " + std::to_string(i);
    if (std::isfinite(data[i]))
      throw invalid_argument(argument, "of values from -1e12 to 1e12, as what is far larger overflows on its way", text_of(data[i]) + at);
    throw invalid_argument(argument, "finite", (std::isnan(data[i]) ? "NaN" : data[i] > 0 ? "Infinity" : "-Infinity") + at);
  }
}

}  // namespace

void check_finite(const at::Tensor& tensor, const std::string& argument) { check_within(tensor, argument, std::numeric_limits<float>::max()); }

void check_input(const at::Tensor& tensor, const std::string& argument) { check_within(tensor, argument, greatest_input); }

void check_unit(const at::Tensor& map, const std::string& argument) {
  check_finite(map, argument);
  const float* data = map.const_data_ptr<float>();
  for (int64_t i = 0, count = map.numel(); i < count; ++i) {
    if (data[i] < 0 || data[i] > 1)
      throw invalid_argument(argument, "of values from 0 to 1", std::to_string(data[i]) + " at element " + std::to_string(i));
  }
}

at::Tensor slices_of(const std::vector<Sound>& sounds, const Config& config) {
  std::vector<at::Tensor> slices;
  int64_t length = excerpt_samples(config.slots());
  for (const auto& sound : sounds) {
    check_input(sound.samples, "audio.samples");
    // Cut before resampling, so that a long sound costs no more than a clip's.
    auto samples = sound.samples;
    int64_t limit = (length + network_rate) * sound.rate / network_rate;
    if (samples.size(0) > limit) samples = centre(samples, limit);
    samples = centre(resample(samples, sound.rate, network_rate), length);
    slices.push_back(mel_slices(samples, config.mel_height(), config.mel_width(), config.slots(), network_rate));
  }
  return at::stack(slices);
}

EncoderInputs prepare(const ClipInputs& inputs, const Config& config, at::Device device) {
  EncoderInputs prepared;
  if (inputs.pixels.defined()) prepared.frames = normalise_frames(inputs.pixels.on(device), config);
  if (inputs.frames.defined()) {
    check_input(inputs.frames.host(), "frames");
    prepared.frames = inputs.frames.on(device);
  }
  if (inputs.mel.defined()) {
    check_input(inputs.mel.host(), "mel");
    prepared.mel = inputs.mel.on(device);
  }
  if (!inputs.sounds.empty()) prepared.mel = to_device(inputs.heard.valid() ? inputs.heard.get() : slices_of(inputs.sounds, config), device);
  return prepared;
}

}  // namespace diffsal
