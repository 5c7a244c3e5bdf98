#pragma once
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>

#include <vector>

namespace diffsal {

using at::Tensor;

// A still, a picture that is in all video slots of a clip, is calculated in two slots along `axis`: its own and the noise's. These in `slots`, where
// the picture's is in all but the last.
inline Tensor in_slots(const Tensor& two, int64_t axis, int64_t slots) {
  std::vector<int64_t> sizes = two.sizes().vec();
  sizes[static_cast<size_t>(axis)] = slots - 1;
  return at::cat({two.narrow(axis, 0, 1).expand(sizes), two.narrow(axis, 1, 1)}, axis);
}

// How much each of the two counts in a mean over `slots`: (2, 1, 1, 1), with a mean of 1.
inline Tensor slot_counts(int64_t slots, const Tensor& like) {
  auto share = 2 / static_cast<double>(slots);
  return at::tensor({share * static_cast<double>(slots - 1), share}, like.options()).view({2, 1, 1, 1});
}

}  // namespace diffsal
