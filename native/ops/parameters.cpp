#include "ops/parameters.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "runtime/random.h"

namespace diffsal {

at::Tensor RandomSource::tensor(const ParameterInfo& info) {
  if (info.init == Init::zeros) return at::zeros(info.shape, at::kFloat);
  if (info.init == Init::ones) return at::ones(info.shape, at::kFloat);
  if (info.init == Init::rare) return at::full(info.shape, std::log(0.02 / 0.98), at::kFloat);
  auto generator = make_generator(derive_seed(seed_, info.name));
  auto values = at::empty(info.shape, at::kFloat);
  if (info.init == Init::normal) return values.normal_(0, 1, generator);
  double bound = 1.0 / std::sqrt(static_cast<double>(info.fan_in));
  return values.uniform_(-bound, bound, generator);
}

at::Tensor ShapeSource::tensor(const ParameterInfo& info) { return at::empty(info.shape, at::TensorOptions(at::kFloat).device(at::kMeta)); }

Scope Scope::operator/(const std::string& name) const {
  Scope inner = *this;
  inner.prefix_ += name + ".";
  return inner;
}

at::Tensor Scope::parameter(const std::string& name, std::vector<int64_t> shape, Init init, int64_t fan_in) const {
  return add({prefix_ + name, std::move(shape), init, fan_in, false});
}

at::Tensor Scope::buffer(const std::string& name, std::vector<int64_t> shape, Init init) const {
  return add({prefix_ + name, std::move(shape), init, 0, true});
}

at::Tensor Scope::add(ParameterInfo info) const {
  auto tensor = source_.tensor(info).to(device_);
  list_.push_back({std::move(info), tensor});
  return tensor;
}

}  // namespace diffsal
