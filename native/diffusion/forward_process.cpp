#include "diffusion/forward_process.h"

#include <ATen/TensorOperators.h>

namespace diffsal {

at::Tensor q_sample(const at::Tensor& s0, const at::Tensor& t, const at::Tensor& noise, const at::Tensor& bars) {
  auto a = bars.index_select(0, t).view({-1, 1, 1, 1});
  return a.sqrt() * s0 + (1 - a).sqrt() * noise;
}

}  // namespace diffsal
