#include "model/interaction.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/softmax.h>

namespace diffsal {

Interaction::Interaction(const Scope& scope, int64_t channels, InteractionKind kind) : kind_(kind) {
  Sizes one = {1, 1, 1};
  if (kind == InteractionKind::concatenation) fuse_.emplace(scope / "fuse", 2 * channels, channels, one);
  if (kind == InteractionKind::bilinear) {
    fuse_x_.emplace(scope / "fuse_x", channels, channels, one);
    fuse_a_.emplace(scope / "fuse_a", channels, channels, one);
  }
}

Tensor Interaction::operator()(const Tensor& x, const Tensor& a) const {
  switch (kind_) {
    case InteractionKind::mim:
      return a * at::softmax((a * x).mean({2}, true), -1);  // the softmax runs along the width
    case InteractionKind::addition:
      return x + a;
    case InteractionKind::bilinear:
      return (*fuse_x_)(x) * (*fuse_a_)(a);
    case InteractionKind::concatenation:
      return (*fuse_)(at::cat({x, a}, 1));
    case InteractionKind::off:
      return {};
  }
  return {};
}

}  // namespace diffsal
