#pragma once
#include <cstdint>
#include <vector>

namespace diffsal {

// How the learning rate changes from the full one; lengths are in steps. lib/training/learning-rate.ts documents it.
struct LearningRate {
  enum class Kind { constant, multistep, cosine };

  Kind kind = Kind::constant;
  int64_t warmup = 0;
  std::vector<int64_t> milestones = {};
  double gamma = 1;
  int64_t total = 0;

  // Of the step after `done` steps, where `rate` is the full one.
  double after(int64_t done, double rate) const;
};

}  // namespace diffsal
