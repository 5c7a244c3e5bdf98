#include "network/interaction.h"

#include "ops/modulation.h"
#include "ops/side.h"

namespace diffsal {

Interaction::Interaction(const Scope& scope, int64_t channels, InteractionKind kind) : kind_(kind) {
  auto pointwise = [&](const char* name, int64_t in) { return Linear::pointwise(scope / name, in, channels, 3); };
  if (kind == InteractionKind::concatenation) fuse_.emplace(pointwise("fuse", 2 * channels));
  if (kind == InteractionKind::bilinear || kind == InteractionKind::residual) {
    fuse_x_.emplace(pointwise("fuse_x", channels));
    fuse_a_.emplace(pointwise("fuse_a", channels));
  }
  if (kind == InteractionKind::residual) fuse_out_.emplace(pointwise("fuse_out", channels));
}

Tensor Interaction::fuse_map(const Tensor& x) const {
  auto half = [&] { return Linear(fuse_->matrix().slice(1, 0, fuse_->weight.size(0)), Tensor()); };
  return wants_gradients(fuse_->weight) ? half()(x) : of_map_.of({fuse_->weight, fuse_->bias}, half)(x);
}

Tensor Interaction::fuse_sound(const Tensor& sound) const {
  auto half = [&] { return Linear(fuse_->matrix().slice(1, fuse_->weight.size(0)), fuse_->bias); };
  return wants_gradients(fuse_->weight, fuse_->bias) ? half()(sound) : of_sound_.of({fuse_->weight, fuse_->bias}, half)(sound);
}

Tensor Interaction::hear(const Tensor& aligned) const {
  if (kind_ == InteractionKind::off) return {};
  if (fuse_) return fuse_sound(aligned);
  return fuse_a_ ? (*fuse_a_)(aligned) : aligned;
}

Interacted Interaction::operator()(const Tensor& x, const Tensor& sound) const {
  if (!sound.defined()) return {x, {}};
  switch (kind_) {
    case InteractionKind::mim:
      return {x, {sound, agreement(x, sound)}};
    case InteractionKind::addition:
      return {x, {join_sound(x, sound, Join::add), {}}};
    case InteractionKind::bilinear:
      return {x, {join_sound((*fuse_x_)(x), sound, Join::multiply), {}}};
    case InteractionKind::concatenation:
      return {x, {join_sound(fuse_map(x), sound, Join::add), {}}};
    case InteractionKind::residual:
      return {fuse_out_->onto(x, join_sound((*fuse_x_)(x), sound, Join::multiply)), {}};
    case InteractionKind::off:
      return {x, {}};
  }
  return {x, {}};
}

}  // namespace diffsal
