#pragma once
#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

#include "ops/parameters.h"

// Tests of operations that have two sides. Which one runs is chosen by whether a gradient is wanted, so one call of each kind is made and compared.
namespace diffsal::test {

using at::Tensor;

// An operation of some inputs; its results.
using Operation = std::function<std::vector<Tensor>(const std::vector<Tensor>& inputs)>;

// Registers itself for main().
struct Case {
  Case(std::string name, std::function<void()> run);
};

// Where layers get parameters from: drawn ones, none of which is what it is in an untrained network.
class Drawn : public ParameterSource {
 public:
  Tensor tensor(const ParameterInfo& info) override;
  Scope scope(const std::string& name) { return Scope(*this, list_, at::kCPU) / name; }

 private:
  std::vector<Parameter> list_;
};

Tensor draw(at::IntArrayRef shape, uint64_t seed = 1);

// Holds the packed side to libtorch's within `bound` of 1 + the value, with one thread and with three; and where an input holds a NaN or an infinity,
// whatever libtorch makes no number of is none on the packed side; `spread` says that libtorch's products with zeros spread it over a whole map, so
// that something on the packed side is to be none.
void compare(const std::string& what, const std::vector<Tensor>& inputs, const Operation& operation, double bound = 2e-5, bool spread = false);

}  // namespace diffsal::test
