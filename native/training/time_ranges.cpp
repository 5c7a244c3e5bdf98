#include "training/time_ranges.h"

#include <ATen/ops/empty.h>

namespace diffsal {

at::Tensor draw_times(const std::vector<TimeRange>& ranges, int64_t count, at::Generator& generator) {
  double whole = 0;
  for (const auto& range : ranges) whole += range.weight;
  auto uniform = at::empty({count, 2}, at::kDouble).uniform_(0, 1, generator);
  auto times = at::empty({count}, at::kLong);
  for (int64_t i = 0; i < count; ++i) {
    const double* drawn = uniform.const_data_ptr<double>() + 2 * i;
    double left = drawn[0] * whole;
    size_t chosen = 0;
    while (chosen + 1 < ranges.size() && left >= ranges[chosen].weight) left -= ranges[chosen++].weight;
    const auto& range = ranges[chosen];
    times.mutable_data_ptr<int64_t>()[i] = range.first + static_cast<int64_t>(drawn[1] * static_cast<double>(range.last - range.first + 1));
  }
  return times;
}

}  // namespace diffsal
