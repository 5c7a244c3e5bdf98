#include "sides.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/randn.h>

#include <cmath>
#include <cstdio>
#include <limits>
#include <sstream>
#include <stdexcept>

#include "marks.h"
#include "runtime/random.h"

namespace diffsal::test {
namespace {

struct Named {
  std::string name;
  std::function<void()> run;
};

std::vector<Named>& cases() {
  static std::vector<Named> list;
  return list;
}

std::vector<Tensor> copies(const std::vector<Tensor>& inputs, bool differentiable) {
  std::vector<Tensor> list;
  for (const auto& input : inputs) list.push_back(input.defined() ? input.detach().clone().set_requires_grad(differentiable) : input);
  return list;
}

std::vector<Tensor> packed(const std::vector<Tensor>& inputs, const Operation& operation) {
  at::NoGradGuard no_grad;
  return operation(copies(inputs, false));
}

std::vector<Tensor> by_torch(const std::vector<Tensor>& inputs, const Operation& operation) {
  auto results = operation(copies(inputs, true));
  for (auto& result : results) {
    if (!result.requires_grad()) throw std::runtime_error("libtorch's side gave a result without gradients");
    result = result.detach();
  }
  return results;
}

[[noreturn]] void fail(const std::string& what, size_t index, const std::string& why) {
  throw std::runtime_error(what + ", result " + std::to_string(index) + ": " + why);
}

void hold(const std::string& what, const std::vector<Tensor>& got, const std::vector<Tensor>& wanted, double bound) {
  if (got.size() != wanted.size()) throw std::runtime_error(what + ": another number of results");
  for (size_t i = 0; i < got.size(); ++i) {
    if (got[i].sizes() != wanted[i].sizes()) {
      std::ostringstream text;
      text << got[i].sizes() << " instead of " << wanted[i].sizes();
      fail(what, i, text.str());
    }
    auto worst = ((got[i] - wanted[i]).abs() / (1 + wanted[i].abs())).max().item().toDouble();
    if (!(worst <= bound)) fail(what, i, "off by " + std::to_string(worst));
  }
}

void hold_broken(const std::string& what, const std::vector<Tensor>& got, const std::vector<Tensor>& wanted, bool spread) {
  for (size_t i = 0; i < got.size(); ++i) {
    if (spread && !at::isfinite(got[i]).all().item().toBool()) continue;
    auto lost = at::isfinite(got[i]) & at::isfinite(wanted[i]).logical_not();
    if (lost.any().item().toBool()) fail(what, i, std::to_string(lost.sum().item().toLong()) + " values look like numbers that are none");
  }
}

}  // namespace

Case::Case(std::string name, std::function<void()> run) { cases().push_back({std::move(name), std::move(run)}); }

Tensor Drawn::tensor(const ParameterInfo& info) {
  auto values = at::randn(info.shape, make_generator(derive_seed(7, info.name)), at::TensorOptions(at::kFloat));
  if (info.name.ends_with("running_var")) return values.abs().add(0.5);
  if (info.init == Init::ones) return values.mul(0.2).add(1);
  return values.mul(info.fan_in > 0 ? 1 / std::sqrt(static_cast<double>(info.fan_in)) : 0.3);
}

Tensor draw(at::IntArrayRef shape, uint64_t seed) { return at::randn(shape, make_generator(seed), at::TensorOptions(at::kFloat)); }

void compare(const std::string& what, const std::vector<Tensor>& inputs, const Operation& operation, double bound, bool spread) {
  for (int threads : {1, 3}) {
    at::set_num_threads(threads);
    hold(what + " on " + std::to_string(threads) + " threads", packed(inputs, operation), by_torch(inputs, operation), bound);
  }
  for (double value : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!inputs[i].defined()) continue;
      auto broken = copies(inputs, false);
      broken[i].view(-1)[broken[i].numel() / 2].fill_(value);
      hold_broken(what + " with " + std::to_string(value) + " in input " + std::to_string(i), packed(broken, operation), by_torch(broken, operation),
                  spread);
    }
  }
}

}  // namespace diffsal::test

// --marks runs each side once for an emulator that counts its instructions, and tests nothing.
int main(int count, char** arguments) {
  if (count > 1 && std::string(arguments[1]) == "--marks") return diffsal::test::mark_sides();
  int failures = 0;
  for (const auto& [name, run] : diffsal::test::cases()) {
    try {
      run();
      std::printf("ok %s\n", name.c_str());
    } catch (const std::exception& error) {
      ++failures;
      std::printf("not ok %s: %s\n", name.c_str(), error.what());
    }
  }
  std::printf("%zu operations, %d failures\n", diffsal::test::cases().size(), failures);
  return failures == 0 ? 0 : 1;
}
