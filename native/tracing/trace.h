#pragma once
#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <variant>
#include <vector>

namespace diffsal {

// A computation as the operators of libtorch that it is made of, for one shape of each input: what the equations in network/ and ops/ come down to,
// without a second copy of them. All sizes are numbers; what does not depend on an input is a constant.
struct Trace {
  // A tensor that an operator makes, or an input, by its number in `values`.
  struct Value {
    int64_t number;
  };
  // A tensor that does not depend on an input, by its number in `constants`.
  struct Constant {
    int64_t number;
  };
  // What an operator is given: nothing, a tensor, some tensors, a number, numbers.
  using Tensors = std::vector<std::variant<Value, Constant>>;
  using Argument = std::variant<std::monostate, Value, Constant, Tensors, int64_t, double, bool, std::vector<int64_t>, std::vector<double>>;
  struct Step {
    std::string op;  // `aten::linear`
    std::vector<Argument> arguments;
    std::vector<int64_t> results;
  };
  struct Made {
    std::vector<int64_t> shape;
    at::ScalarType type;
  };

  std::vector<Made> values;
  std::vector<at::Tensor> constants;
  std::vector<int64_t> inputs;
  std::vector<Step> steps;
  Tensors outputs;
};

// What `function` does with inputs like these and with parameters, which are constants of it. It must do the same operations whatever the values are.
// It is run once before, so that tables that it keeps are made and no part of the trace. Meanwhile the parameters want gradients: by that all
// operations take libtorch's side (ops/side.h), and none works in place.
Trace trace(const std::vector<at::Tensor>& inputs, const std::vector<at::Tensor>& parameters,
            const std::function<std::vector<at::Tensor>(const std::vector<at::Tensor>&)>& function);

}  // namespace diffsal
