#include "scenes/motion.h"

#include <algorithm>
#include <cmath>

namespace diffsal {
namespace {

constexpr double slowest = 0.15, fastest = 0.5;  // heights a second
constexpr double overlap = 0.9;                  // the distance at which shapes meet, of the sum of their greatest radii
constexpr int steps = 4, tries = 200;

double length(const Point& p) { return std::sqrt(p.x * p.x + p.y * p.y); }

Point direction(Random& random) {
  for (;;) {
    Point p{random.between(-1, 1), random.between(-1, 1)};
    double size = length(p);
    if (size > 0.1 && size <= 1) return {p.x / size, p.y / size};
  }
}

}  // namespace

Motion::Motion(const Scene& scene) : width_(static_cast<double>(scene.options.width) / scene.options.height), rate_(scene.options.rate) {
  auto random = scene.random(movement);
  for (const auto& shape : scene.shapes) {
    reach_.push_back(std::min({shape.radius * (1 + swell), 0.49 * width_, 0.49}));
    speed_.push_back(random.between(slowest, fastest));
    auto towards = direction(random);
    velocities_.push_back({towards.x * speed_.back(), towards.y * speed_.back()});
  }
  place(random);
}

void Motion::place(Random& random) {
  // Where there is too little room for all, they may begin closer to one another.
  for (double apart = overlap;; apart *= 0.9) {
    for (int i = 0; i < tries; ++i) {
      places_.clear();
      for (double r : reach_) places_.push_back({random.between(r, width_ - r), random.between(r, 1 - r)});
      bool clear = true;
      for (size_t a = 0; a < places_.size(); ++a) {
        for (size_t b = 0; b < a; ++b) {
          clear &= length({places_[a].x - places_[b].x, places_[a].y - places_[b].y}) >= apart * (reach_[a] + reach_[b]);
        }
      }
      if (clear) return;
    }
  }
}

void Motion::advance() {
  for (int i = 0; i < steps; ++i) step(1.0 / (steps * rate_));
}

void Motion::step(double seconds) {
  auto reflect = [](double& at, double& velocity, double low, double high) {
    if (at < low) at = 2 * low - at, velocity = std::abs(velocity);
    if (at > high) at = 2 * high - at, velocity = -std::abs(velocity);
    at = std::clamp(at, low, high);
  };
  for (size_t i = 0; i < places_.size(); ++i) {
    auto &p = places_[i], &v = velocities_[i];
    p.x += v.x * seconds, p.y += v.y * seconds;
    reflect(p.x, v.x, reach_[i], width_ - reach_[i]);
    reflect(p.y, v.y, reach_[i], 1 - reach_[i]);
  }
  for (size_t a = 0; a < places_.size(); ++a) {
    for (size_t b = 0; b < a; ++b) {
      Point between{places_[a].x - places_[b].x, places_[a].y - places_[b].y};
      double distance = length(between);
      if (distance >= overlap * (reach_[a] + reach_[b]) || distance == 0) continue;
      between = {between.x / distance, between.y / distance};
      auto &va = velocities_[a], &vb = velocities_[b];
      double closing = (vb.x - va.x) * between.x + (vb.y - va.y) * between.y;
      if (closing <= 0) continue;
      va = {va.x + closing * between.x, va.y + closing * between.y};
      vb = {vb.x - closing * between.x, vb.y - closing * between.y};
      // Each keeps its pace, whatever it met.
      for (size_t i : {a, b}) {
        auto& v = velocities_[i];
        double now = length(v);
        if (now > 0) v = {v.x * speed_[i] / now, v.y * speed_[i] / now};
      }
    }
  }
}

}  // namespace diffsal
