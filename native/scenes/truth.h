#pragma once
#include <cstdint>
#include <vector>

#include "scenes/motion.h"
#include "scenes/scene.h"

namespace diffsal {

// The true map's standard deviation in heights of the picture, and how many fixations are drawn from it.
constexpr double gaze_deviation = 0.1;
constexpr int gaze_count = 20;

// A Gaussian of height 1 at a place, (height, width), rows one after the other.
std::vector<float> gaussian_map(const SceneOptions& options, const Point& centre);

// Different pixels drawn from that Gaussian, (height, width), 0 or 1.
std::vector<uint8_t> draw_fixations(const Scene& scene, const Point& centre);

}  // namespace diffsal
