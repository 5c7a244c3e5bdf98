#include "ops/modulation.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/softmax.h>

#include "ops/side.h"

namespace diffsal {
namespace {

// A map (B, t, h, w, C) with each place of the coarse grid on axes of its own, (B, t, ha, h / ha, wa, w / wa, C), and the sound beside it.
at::Tensor in_cells(const at::Tensor& x, const at::Tensor& sound) {
  int64_t ha = sound.size(2), wa = sound.size(3);
  return x.unflatten(3, {wa, x.size(3) / wa}).unflatten(2, {ha, x.size(2) / ha});
}
at::Tensor over_cells(const at::Tensor& sound) { return sound.unsqueeze(4).unsqueeze(3); }
at::Tensor out_of_cells(const at::Tensor& y) { return y.flatten(4, 5).flatten(2, 3); }

}  // namespace

at::Tensor agreement(const at::Tensor& x, const at::Tensor& sound) {
  return on_packed_side(x, sound) ? agreement_cpu(x.contiguous(), sound.contiguous()) : agreement_torch(x, sound);
}

at::Tensor join_sound(const at::Tensor& x, const at::Tensor& sound, Join join) {
  return on_packed_side(x, sound) ? join_sound_cpu(x, sound.contiguous(), join) : join_sound_torch(x, sound, join);
}

at::Tensor modulate(const at::Tensor& sound, const at::Tensor& factor) {
  return on_packed_side(sound, factor) ? modulate_cpu(sound.contiguous(), factor) : modulate_torch(sound, factor);
}

at::Tensor agreement_torch(const at::Tensor& x, const at::Tensor& sound) {
  auto mean = (in_cells(x, sound) * over_cells(sound)).sum(1, false, at::kFloat) / static_cast<double>(x.size(1));
  return at::softmax(mean.flatten(3, 4).flatten(1, 2), 2);
}

at::Tensor join_sound_torch(const at::Tensor& x, const at::Tensor& sound, Join join) {
  auto cells = in_cells(x, sound), heard = over_cells(sound);
  return out_of_cells(join == Join::add ? cells + heard : cells * heard);
}

at::Tensor modulate_torch(const at::Tensor& sound, const at::Tensor& factor) {
  return out_of_cells(in_cells(factor.to(sound.scalar_type()).unsqueeze(1), sound) * over_cells(sound));
}

}  // namespace diffsal
