#include "scenes/truth.h"

#include <cmath>

namespace diffsal {

std::vector<float> gaussian_map(const SceneOptions& options, const Point& centre) {
  auto axis = [&](int size, double at) {
    std::vector<double> values;
    for (int i = 0; i < size; ++i) {
      double distance = ((i + 0.5) / options.height - at) / gaze_deviation;
      values.push_back(std::exp(-0.5 * distance * distance));
    }
    return values;
  };
  auto rows = axis(options.height, centre.y), columns = axis(options.width, centre.x);
  std::vector<float> map;
  map.reserve(rows.size() * columns.size());
  for (double row : rows) {
    for (double column : columns) map.push_back(static_cast<float>(row * column));
  }
  return map;
}

std::vector<uint8_t> draw_fixations(const Scene& scene, const Point& centre) {
  const auto& options = scene.options;
  auto random = scene.random(gazes);
  // The sum of twelve uniform numbers: as good as normal here, and the same on every machine.
  auto normal = [&] {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += random.uniform();
    return sum;
  };
  std::vector<uint8_t> fixated(static_cast<size_t>(options.height) * static_cast<size_t>(options.width));
  for (int left = gaze_count; left > 0;) {
    auto x = static_cast<int>(std::floor((centre.x + gaze_deviation * normal()) * options.height));
    auto y = static_cast<int>(std::floor((centre.y + gaze_deviation * normal()) * options.height));
    if (x < 0 || y < 0 || x >= options.width || y >= options.height) continue;
    auto& pixel = fixated[static_cast<size_t>(y) * static_cast<size_t>(options.width) + static_cast<size_t>(x)];
    if (pixel == 0) pixel = 1, --left;
  }
  return fixated;
}

}  // namespace diffsal
