#include "ops/linear.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>

#include "ops/side.h"

namespace diffsal {
namespace {

Tensor linear_torch(const Linear& layer, const Tensor& x) {
  auto [weight, bias] = layer.in(x.scalar_type());
  return at::linear(x, weight.dim() == 2 ? weight : weight.flatten(1), bias);
}

}  // namespace

Linear::Linear(const Scope& scope, int64_t in, int64_t out, bool with_bias) : weight(scope.parameter("weight", {out, in}, Init::fan_in, in)) {
  if (with_bias) bias = scope.parameter("bias", {out}, Init::fan_in, in);
}

Linear Linear::pointwise(const Scope& scope, int64_t in, int64_t out, int64_t dimensions, Init bias_init) {
  Sizes shape(static_cast<size_t>(2 + dimensions), 1);
  shape[0] = out;
  shape[1] = in;
  auto weight = scope.parameter("weight", shape, Init::fan_in, in);
  return {weight, scope.parameter("bias", {out}, bias_init, in)};
}

const PackedLinear& Linear::packed() const {
  return packed_.of({weight, bias}, [&] { return PackedLinear(matrix(), bias); });
}

Weights Linear::in(at::ScalarType type) const { return cast_.of(weight, bias, type); }

Tensor Linear::operator()(const Tensor& x) const { return on_packed_side(x, weight, bias) ? packed()(x.contiguous()) : linear_torch(*this, x); }

Tensor Linear::onto(const Tensor& residual, const Tensor& x) const {
  if (!on_packed_side(x, weight, bias, residual)) return residual + linear_torch(*this, x);
  auto sum = residual;
  packed().add_to(sum, x.contiguous());
  return sum;
}

}  // namespace diffsal
