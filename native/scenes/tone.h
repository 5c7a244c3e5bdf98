#pragma once
#include <cstdint>
#include <vector>

#include "scenes/scene.h"

namespace diffsal {

constexpr int sound_rate = 16000;

// The fundamental of a hue in Hz: `hues` of them at equal ratios from 150 to 6000.
double pitch_of(int hue, int hues);

// Samples from ... to - 1 of a scene's sound; sample 0 is the instant of frame 0. A harmonic tone of the sounding shape's pitch, its
// loudness the shape's pulse; where a cue is off, the same pitch for all, or a rhythm that is no shape's.
std::vector<float> draw_sound(const Scene& scene, int64_t from, int64_t to);

}  // namespace diffsal
