#include "model/interaction.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/softmax.h>

namespace diffsal {

Interaction::Interaction(const Scope& scope, int64_t channels, InteractionKind kind) : kind_(kind) {
  Sizes one = {1, 1, 1};
  if (kind == InteractionKind::concatenation) fuse_.emplace(scope / "fuse", 2 * channels, channels, one);
  if (kind == InteractionKind::bilinear || kind == InteractionKind::residual) {
    fuse_x_.emplace(scope / "fuse_x", channels, channels, one);
    fuse_a_.emplace(scope / "fuse_a", channels, channels, one);
  }
  if (kind == InteractionKind::residual) fuse_out_.emplace(scope / "fuse_out", channels, channels, one);
}

Interacted Interaction::operator()(const Tensor& x, const Tensor& a) const {
  switch (kind_) {
    case InteractionKind::mim:
      return {x, a * at::softmax((a * x).mean({2}, true), -1)};  // the softmax runs along the width
    case InteractionKind::addition:
      return {x, x + a};
    case InteractionKind::bilinear:
      return {x, (*fuse_x_)(x) * (*fuse_a_)(a)};
    case InteractionKind::concatenation:
      return {x, (*fuse_)(at::cat({x, a}, 1))};
    case InteractionKind::residual:
      return {x + (*fuse_out_)((*fuse_x_)(x) * (*fuse_a_)(a)), {}};
    case InteractionKind::off:
      return {x, {}};
  }
  return {x, {}};
}

}  // namespace diffsal
