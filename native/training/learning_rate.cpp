#include "training/learning_rate.h"

#include <algorithm>
#include <cmath>

namespace diffsal {

double LearningRate::after(int64_t done, double rate) const {
  double rise = done < warmup ? static_cast<double>(done + 1) / static_cast<double>(warmup + 1) : 1;
  if (kind == Kind::multistep) {
    auto passed = std::count_if(milestones.begin(), milestones.end(), [done](int64_t milestone) { return milestone <= done; });
    return rate * rise * std::pow(gamma, static_cast<double>(passed));
  }
  if (kind == Kind::constant || done < warmup) return rate * rise;
  const double pi = 3.14159265358979323846;
  double part = std::min(1.0, static_cast<double>(done - warmup) / static_cast<double>(total - warmup));
  return rate * (1 + std::cos(pi * part)) / 2;
}

}  // namespace diffsal
