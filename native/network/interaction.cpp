#include "network/interaction.h"

#include <ATen/TensorOperators.h>

#include <memory>

#include "ops/modulation.h"
#include "ops/side.h"
#include "runtime/error.h"

namespace diffsal {
namespace {

using Layer = std::shared_ptr<const Linear>;

Interacted key(const Tensor& x, Modulated key) { return {x, std::move(key)}; }

// W (x, a), of a map and a sound of as many channels one after the other, by its half for each: the sound's is the same at every step.
struct Fused {
  Fused(const Scope& scope, int64_t channels) : whole(Linear::pointwise(scope / "fuse", 2 * channels, channels, 3)) {}

  Tensor map(const Tensor& x) const {
    auto half = [&] { return Linear(whole.matrix().slice(1, 0, whole.weight.size(0)), Tensor()); };
    return wants_gradients(whole.weight) ? half()(x) : of_map.of({whole.weight, whole.bias}, half)(x);
  }
  Tensor sound(const Tensor& a) const {
    auto half = [&] { return Linear(whole.matrix().slice(1, whole.weight.size(0)), whole.bias); };
    return wants_gradients(whole.weight, whole.bias) ? half()(a) : of_sound.of({whole.weight, whole.bias}, half)(a);
  }

  Linear whole;
  Derived<Linear> of_map, of_sound;
};

}  // namespace

// A kind of interaction is declared here, and its name in lib/config.ts; nowhere else.
Interaction::Interaction(const Scope& scope, int64_t channels, const std::string& kind) {
  auto pointwise = [&](const char* name) -> Layer { return std::make_shared<const Linear>(Linear::pointwise(scope / name, channels, channels, 3)); };
  if (kind == "mim") {
    meet_ = [](const Tensor& x, const Tensor& a, const Tensor& counts) { return key(x, {a, agreement(x, counts.defined() ? a * counts : a)}); };
  } else if (kind == "addition") {
    meet_ = [](const Tensor& x, const Tensor& a, const Tensor&) { return key(x, {join_sound(x, a, Join::add), {}}); };
  } else if (kind == "concatenation") {
    auto fused = std::make_shared<const Fused>(scope, channels);
    hear_ = [fused](const Tensor& a) { return fused->sound(a); };
    meet_ = [fused](const Tensor& x, const Tensor& a, const Tensor&) { return key(x, {join_sound(fused->map(x), a, Join::add), {}}); };
  } else if (kind == "bilinear") {
    Layer u = pointwise("fuse_x"), v = pointwise("fuse_a");
    hear_ = [v](const Tensor& a) { return (*v)(a); };
    meet_ = [u](const Tensor& x, const Tensor& a, const Tensor&) { return key(x, {join_sound((*u)(x), a, Join::multiply), {}}); };
  } else if (kind == "residual") {
    Layer u = pointwise("fuse_x"), v = pointwise("fuse_a"), w = pointwise("fuse_out");
    hear_ = [v](const Tensor& a) { return (*v)(a); };
    meet_ = [u, w](const Tensor& x, const Tensor& a, const Tensor&) -> Interacted {
      return {w->onto(x, join_sound((*u)(x), a, Join::multiply)), {}};
    };
  } else if (kind == "off") {
    hear_ = [](const Tensor&) { return Tensor(); };
  } else {
    throw Error(ErrorCode::internal, "An unchecked kind of interaction.");
  }
}

}  // namespace diffsal
