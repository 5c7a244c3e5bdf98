#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "scenes/random.h"

namespace diffsal {

// Clips to train on, clips to test on, and scenes of any length. No two have a scene in common, whatever their seeds.
enum Domain : uint32_t { training_clips, test_clips, whole_scenes };

// Which scene, and of what kind. lib/ has checked it.
struct SceneOptions {
  uint32_t seed;
  uint32_t domain;
  uint32_t index;    // below 2^30
  int fewest, most;  // shapes
  int hues;
  bool pitch_cue, loudness_cue;
  double changes;  // how many of the clips have a change of sound
  int height, width, rate;
  int64_t frames;
};

// The seconds of a whole scene after which another shape sounds.
constexpr int shortest_turn = 1, longest_turn = 2;

constexpr int shape_kinds = 6, shape_patterns = 5;

// A pulse between 0 and 1. It needs no cosine, whose last bit is not the same everywhere.
struct Rhythm {
  double rate, phase;
  double at(double seconds) const;
};

// A shape's looks. Lengths are in heights of the picture.
struct Shape {
  // `angle` in turns, `spin` in radians a second.
  int kind, hue, pattern;
  double radius, angle, spin;
  Rhythm rhythm;
};

// From `frame` on (half a frame before its instant), `shape` sounds.
struct Turn {
  int64_t frame;
  int shape;
};

// How far a shape swells and shrinks about its radius.
constexpr double swell = 0.2;
inline double swollen(const Shape& shape, double seconds) { return shape.radius * (1 - swell + 2 * swell * shape.rhythm.at(seconds)); }

// All that was drawn by lot for a scene, a pure function of its options. What is seen, how it moves and what sounds come from
// generators of their own, so that what is seen tells nothing of what sounds.
struct Scene {
  SceneOptions options;
  std::vector<Shape> shapes;  // the last one in front
  Rhythm beat;                // the sound's where it follows no shape
  std::vector<Turn> turns;    // the first is of frame 0
  uint64_t background;

  explicit Scene(const SceneOptions& options);
  // The turn that frame belongs to; the first one before frame 0.
  size_t turn_of(int64_t frame) const;
  int sounding(int64_t frame) const { return turns[turn_of(frame)].shape; }
  double seconds(int64_t frame) const { return static_cast<double>(frame) / options.rate; }
  // A generator for one purpose.
  Random random(uint64_t purpose) const;
};

enum Purpose : uint64_t { looks, movement, sounds, gazes, ground };

}  // namespace diffsal
