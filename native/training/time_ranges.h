#pragma once
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <vector>

namespace diffsal {

// Diffusion times first..last, which a training draws from in proportion to the weight. lib/training/times.ts documents it.
struct TimeRange {
  int64_t first, last;
  double weight;
};

// `count` times, int64 (count,): for each a range by weight, then a time of it, all as likely as each other.
at::Tensor draw_times(const std::vector<TimeRange>& ranges, int64_t count, at::Generator& generator);

}  // namespace diffsal
