#pragma once
#include <ATen/core/Generator.h>

#include <optional>

namespace diffsal {

// What a pass through the network is for: while training, BatchNorm uses and updates the batch's statistics and dropout
// is drawn from `generator`, which is the CPU's.
struct Pass {
  bool training = false;
  std::optional<at::Generator> generator;
  // Instead of the configuration's.
  std::optional<double> dropout = {};
  // Of a still, in how many of the clip's slots its picture is. Maps that are normalised then come in pairs, the picture's and the noise's.
  int64_t picture_slots = 1;

  bool still() const { return picture_slots > 1; }
};

}  // namespace diffsal
