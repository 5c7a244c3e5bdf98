#include "ops/compression.h"

#include "ops/modulation.h"
#include "ops/side.h"

namespace diffsal {

Tensor Modulated::map() const { return factor.defined() ? modulate(sound, factor) : sound; }

Compression Compression::around(const Scope& scope, int64_t channels) {
  Convolution conv(scope / "conv", channels, channels, {3, 3, 3}, {.padding = {1, 1, 1}, .groups = channels, .bias = false});
  return {std::move(conv), LayerNorm(scope / "bn", channels)};
}

Compression Compression::patches(const Scope& scope, int64_t channels, int64_t kernel) {
  Sizes patch = {1, kernel, kernel};
  Convolution conv(scope / "conv", channels, channels, patch, {.stride = patch, .groups = channels, .bias = false});
  return {std::move(conv), LayerNorm(scope / "bn", channels)};
}

const Tensor& Compression::taps() const {
  return taps_.of({conv.weight}, [&] { return conv.weight.flatten(1).t().contiguous(); });
}

Tensor Compression::cells() const {
  auto make = [&] { return conv.weight.flatten(1, 2).permute({2, 1, 3, 0}).contiguous(); };
  return wants_gradients(conv.weight) ? make() : cells_.of({conv.weight}, make);
}

bool Compression::packed_for(const Tensor& x, const Tensor& y) const { return on_packed_side(x, y, conv.weight, norm.weight, norm.bias); }

Tensor Compression::around_places(const Tensor& x) const {
  return packed_for(x, {}) ? around_cpu(x.contiguous(), packed_around()) : around_torch(x, *this);
}

Tensor Compression::tokens(const Tensor& x) const { return packed_for(x, {}) ? packed_patches()(x.contiguous()) : patches_torch(x, *this); }

Tensor Compression::tokens(const Modulated& x) const {
  if (!x.factor.defined() || conv.weight.size(3) % x.repeat() != 0) return tokens(x.map());
  return packed_for(x.sound, x.factor) ? packed_patches().modulated(x.sound.contiguous(), x.factor) : patches_torch(x, *this);
}

}  // namespace diffsal
