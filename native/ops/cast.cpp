#include "ops/cast.h"

#include <c10/core/MemoryFormat.h>

#include "ops/side.h"

namespace diffsal {

at::Tensor channels_last(const at::Tensor& weight) {
  bool flat = weight.dim() == 4;
  auto moved = weight.contiguous(flat ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::ChannelsLast3d);
  // A single channel has its weights' memory in either order; the strides tell a convolution which to choose.
  return moved.as_strided(moved.sizes(), flat ? c10::get_channels_last_strides_2d(moved.sizes()) : c10::get_channels_last_strides_3d(moved.sizes()));
}

Weights WeightCast::of(const at::Tensor& weight, const at::Tensor& bias, at::ScalarType type, bool convolution) const {
  bool as_it_is = weight.scalar_type() == type && (!convolution || weight.is_cpu());
  if (as_it_is || wants_gradients(weight, bias)) return {weight, bias};
  return kept_.of({weight, bias, type},
                  [&] { return Weights{convolution ? channels_last(weight.to(type)) : weight.to(type), bias.defined() ? bias.to(type) : bias}; });
}

}  // namespace diffsal
