#pragma once
#include <cstdint>
#include <vector>

#include "scenes/motion.h"
#include "scenes/scene.h"

namespace diffsal {

// Draws a scene's frames.
class Painter {
 public:
  explicit Painter(const Scene& scene);
  // RGB (height, width, 3) into `pixels`: the shapes at their places over the background.
  void draw(int64_t frame, const std::vector<Point>& places, uint8_t* pixels);

 private:
  void paint_ground();
  void paint_shape(const Shape& shape, const Point& centre, double seconds);

  const Scene& scene_;
  std::vector<float> ground_, canvas_;
};

}  // namespace diffsal
