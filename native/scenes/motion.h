#pragma once
#include <vector>

#include "scenes/scene.h"

namespace diffsal {

struct Point {
  double x, y;
};

// Where the shapes' centres are, frame after frame, in heights of the picture: at a steady pace each, thrown back by the edges and by
// one another (a little overlap is allowed, so that one may be in front). Sums, products and square roots only, which are the same on
// every machine.
class Motion {
 public:
  explicit Motion(const Scene& scene);
  // At the frame that has been reached; 0 at first.
  const std::vector<Point>& places() const { return places_; }
  // Goes on to the next frame.
  void advance();

 private:
  void place(Random& random);
  void step(double seconds);

  double width_;
  int rate_;
  std::vector<double> reach_, speed_;
  std::vector<Point> places_, velocities_;
};

}  // namespace diffsal
