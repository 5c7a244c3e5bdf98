#include "scenes/outline.h"

#include <algorithm>
#include <cmath>

namespace diffsal {
namespace {

constexpr float pi = 3.14159265f;

float disc(float x, float y) { return std::sqrt(x * x + y * y) - 0.9f; }

float box(float x, float y, float half_width, float half_height, float corner) {
  float u = std::abs(x) - half_width + corner, v = std::abs(y) - half_height + corner;
  float outside = std::sqrt(std::max(u, 0.f) * std::max(u, 0.f) + std::max(v, 0.f) * std::max(v, 0.f));
  return outside + std::min(std::max(u, v), 0.f) - corner;
}

float square(float x, float y) { return box(x, y, 0.8f, 0.8f, 0.18f); }

float triangle(float x, float y) {
  const float k = 1.7320508f, corner = 0.14f, side = 0.95f - corner;
  y -= 0.12f;
  x = std::abs(x) - side;
  y = -y + side / k;
  if (x + k * y > 0) {
    float u = (x - k * y) / 2, v = (-k * x - y) / 2;
    x = u, y = v;
  }
  x -= std::clamp(x, -2 * side, 0.f);
  float distance = std::sqrt(x * x + y * y);
  return (y > 0 ? -distance : distance) - corner;
}

float star(float x, float y) {
  const float corner = 0.06f, size = 1.05f - corner, inner = 0.5f;
  const float ax = 0.809016994f, ay = -0.587785252f;
  y = -y;
  x = std::abs(x);
  float along = std::max(ax * x + ay * y, 0.f);
  x -= 2 * along * ax, y -= 2 * along * ay;
  along = std::max(-ax * x + ay * y, 0.f);
  x += 2 * along * ax, y -= 2 * along * ay;
  x = std::abs(x);
  y -= size;
  const float bx = inner * -ay, by = inner * ax - 1;
  float h = std::clamp((x * bx + y * by) / (bx * bx + by * by), 0.f, size);
  float u = x - bx * h, v = y - by * h, distance = std::sqrt(u * u + v * v);
  return (y * bx - x * by > 0 ? distance : -distance) - corner;
}

float ring(float x, float y) { return std::abs(std::sqrt(x * x + y * y) - 0.66f) - 0.27f; }

float cross(float x, float y) { return std::min(box(x, y, 0.95f, 0.34f, 0.12f), box(x, y, 0.34f, 0.95f, 0.12f)); }

}  // namespace

float outline(int kind, float x, float y) {
  switch (kind) {
    case 0: return disc(x, y);
    case 1: return square(x, y);
    case 2: return triangle(x, y);
    case 3: return star(x, y);
    case 4: return ring(x, y);
    default: return cross(x, y);
  }
}

float pattern(int which, float x, float y) {
  switch (which) {
    case 0: return std::sin(2.2f * pi * x);                                                // stripes
    case 1: return std::sin(2.f * pi * x) * std::sin(2.f * pi * y) > 0 ? 0.8f : -0.8f;     // checks
    case 2: return std::cos(2.6f * pi * x) * std::cos(2.6f * pi * y) > 0.35f ? 1 : -0.4f;  // dots
    case 3: return std::cos(3.f * pi * std::sqrt(x * x + y * y));                          // circles
    default: return std::sin(2.2f * pi * y + 1.2f * std::sin(1.6f * pi * x));              // waves
  }
}

}  // namespace diffsal
