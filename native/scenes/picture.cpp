#include "scenes/picture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "scenes/outline.h"
#include "scenes/two_pi.h"

namespace diffsal {
namespace {

using Colour = std::array<float, 3>;

// OKLCH as sRGB, 0 to 1: hues at equal steps look equally far apart and equally light. `turn` is the hue, 0 to 1.
Colour colour(double lightness, double chroma, double turn) {
  double a = chroma * std::cos(two_pi * turn), b = chroma * std::sin(two_pi * turn);
  auto cube = [](double x) { return x * x * x; };
  double l = cube(lightness + 0.3963377774 * a + 0.2158037573 * b);
  double m = cube(lightness - 0.1055613458 * a - 0.0638541728 * b);
  double s = cube(lightness - 0.0894841775 * a - 1.2914855480 * b);
  auto encoded = [](double x) {
    x = std::clamp(x, 0.0, 1.0);
    return static_cast<float>(x <= 0.0031308 ? 12.92 * x : 1.055 * std::pow(x, 1 / 2.4) - 0.055);
  };
  return {encoded(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s), encoded(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
          encoded(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s)};
}

// A smooth noise of -1 to 1, of about one bump a unit.
float smooth_noise(uint64_t seed, float x, float y) {
  auto corner = [&](int64_t u, int64_t v) {
    uint64_t place = static_cast<uint64_t>(u) * 0x9e3779b97f4a7c15u + static_cast<uint64_t>(v);
    return static_cast<float>(mix(seed ^ mix(place)) >> 40) * 0x1p-23f - 1;
  };
  float fx = std::floor(x), fy = std::floor(y), u = x - fx, v = y - fy;
  auto ix = static_cast<int64_t>(fx), iy = static_cast<int64_t>(fy);
  u = u * u * (3 - 2 * u), v = v * v * (3 - 2 * v);
  float top = corner(ix, iy) + u * (corner(ix + 1, iy) - corner(ix, iy));
  float bottom = corner(ix, iy + 1) + u * (corner(ix + 1, iy + 1) - corner(ix, iy + 1));
  return top + v * (bottom - top);
}

constexpr double first_hue = 25.0 / 360;
// A shape's lightness at the low and the high of its pulse, and what its halo reaches to in radii.
constexpr double dim = 0.56, bright = 0.84, halo = 1.9;

}  // namespace

Painter::Painter(const Scene& scene) : scene_(scene) { paint_ground(); }

void Painter::paint_ground() {
  auto [height, width] = std::pair(scene_.options.height, scene_.options.width);
  Random random(scene_.background);
  auto base = colour(random.between(0.24, 0.36), random.between(0.015, 0.045), random.uniform());
  auto seed = random.next();
  auto tilt_x = static_cast<float>(random.between(-0.25, 0.25)), tilt_y = static_cast<float>(random.between(-0.25, 0.25));
  auto scale = static_cast<float>(random.between(2.5, 5));
  ground_.resize(static_cast<size_t>(height) * static_cast<size_t>(width) * 3);
  float* out = ground_.data();
  auto unit = static_cast<float>(height);
  for (int row = 0; row < height; ++row) {
    for (int column = 0; column < width; ++column) {
      float x = (static_cast<float>(column) + 0.5f) / unit, y = (static_cast<float>(row) + 0.5f) / unit;
      float noise = 0, weight = 0.5f, size = scale;
      for (uint64_t octave = 0; octave < 4; ++octave, weight *= 0.55f, size *= 2) {
        noise += weight * smooth_noise(seed + octave, x * size, y * size);
      }
      float light = 1 + 0.45f * noise + tilt_x * (x - 0.75f) + tilt_y * (y - 0.5f);
      for (float part : base) *out++ = part * light;
    }
  }
}

void Painter::draw(int64_t frame, const std::vector<Point>& places, uint8_t* pixels) {
  canvas_ = ground_;
  double seconds = scene_.seconds(frame);
  for (size_t i = 0; i < places.size(); ++i) paint_shape(scene_.shapes[i], places[i], seconds);
  for (size_t i = 0; i < canvas_.size(); ++i) pixels[i] = static_cast<uint8_t>(std::clamp(canvas_[i], 0.f, 1.f) * 255 + 0.5f);
}

void Painter::paint_shape(const Shape& shape, const Point& centre, double seconds) {
  int height = scene_.options.height, width = scene_.options.width;
  double pulse = shape.rhythm.at(seconds), turn = two_pi * shape.angle + shape.spin * seconds;
  auto body = colour(dim + (bright - dim) * pulse, 0.145, first_hue + static_cast<double>(shape.hue) / scene_.options.hues);
  auto radius = static_cast<float>(swollen(shape, seconds) * height);
  float cx = static_cast<float>(centre.x * height), cy = static_cast<float>(centre.y * height), reach = static_cast<float>(halo) * radius;
  float cosine = static_cast<float>(std::cos(turn)) / radius, sine = static_cast<float>(std::sin(turn)) / radius;
  float glow = 0.08f + 0.3f * static_cast<float>(pulse);
  int top = std::max(0, static_cast<int>(cy - reach)), bottom = std::min(height, static_cast<int>(cy + reach) + 1);
  int left = std::max(0, static_cast<int>(cx - reach)), right = std::min(width, static_cast<int>(cx + reach) + 1);
  for (int row = top; row < bottom; ++row) {
    for (int column = left; column < right; ++column) {
      float dx = static_cast<float>(column) + 0.5f - cx, dy = static_cast<float>(row) + 0.5f - cy;
      float squared = (dx * dx + dy * dy) / (reach * reach);
      if (squared >= 1) continue;
      float* pixel = &canvas_[(static_cast<size_t>(row) * static_cast<size_t>(width) + static_cast<size_t>(column)) * 3];
      float around = glow * (1 - squared) * (1 - squared) * (1 - squared);
      for (size_t c = 0; c < 3; ++c) pixel[c] += around * (body[c] - pixel[c]);
      // No shape reaches beyond 1.25 radii.
      if (squared > (1.3f / static_cast<float>(halo)) * (1.3f / static_cast<float>(halo))) continue;
      float x = cosine * dx + sine * dy, y = cosine * dy - sine * dx, distance = outline(shape.kind, x, y);
      float cover = std::clamp(0.5f - distance * radius, 0.f, 1.f);
      if (cover == 0) continue;
      // Lit from above left, a light rim, and the pattern.
      float rim = std::clamp(1 + distance / 0.14f, 0.f, 1.f);
      float light = 0.13f * pattern(shape.pattern, x, y) - 0.1f * (dx + dy) / radius + 0.22f * rim * rim;
      for (size_t c = 0; c < 3; ++c) {
        float lit = light > 0 ? body[c] + light * (1 - body[c]) : body[c] * (1 + light);
        pixel[c] += cover * (lit - pixel[c]);
      }
    }
  }
}

}  // namespace diffsal
