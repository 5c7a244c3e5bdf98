#include "tracing/trace.h"

#include <torch/csrc/jit/frontend/tracer.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/passes/constant_propagation.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>

#include <map>
#include <memory>

#include "runtime/error.h"

namespace diffsal {
namespace {

namespace jit = torch::jit;

// Makes a Trace of libtorch's graph.
class Reader {
 public:
  Trace read(const jit::Graph& graph) {
    for (const auto* input : graph.inputs()) trace_.inputs.push_back(made(input));
    for (const auto* node : graph.nodes()) {
      if (node->kind() == c10::prim::Constant || node->kind() == c10::prim::ListConstruct) continue;  // read where they are used
      Trace::Step step{node->kind().toQualString(), {}, {}};
      if (node->kind() == c10::prim::ListUnpack) {
        step.arguments.push_back(argument(node->input()));
      } else {
        for (const auto* input : node->inputs()) step.arguments.push_back(argument(input));
      }
      // Of several tensors in a list, those that it is unpacked to are told.
      for (const auto* output : node->outputs()) step.results.push_back(output->type()->cast<c10::ListType>() ? list(output) : made(output));
      trace_.steps.push_back(std::move(step));
    }
    for (const auto* output : graph.outputs()) trace_.outputs.push_back(tensor(output));
    return std::move(trace_);
  }

 private:
  int64_t list(const jit::Value* value) { return number(value, {{}, at::kFloat}); }

  int64_t made(const jit::Value* value) {
    auto type = value->type()->cast<c10::TensorType>();
    auto sizes = type ? type->sizes().concrete_sizes() : std::nullopt;
    auto scalar = type ? type->scalarType() : std::nullopt;
    if (!sizes || !scalar) throw Error(ErrorCode::internal, "A traced tensor has no shape.");
    return number(value, {*sizes, *scalar});
  }

  int64_t number(const jit::Value* value, Trace::Made what) {
    numbers_[value] = static_cast<int64_t>(trace_.values.size());
    trace_.values.push_back(std::move(what));
    return numbers_[value];
  }

  int64_t constant(const at::Tensor& tensor) {
    trace_.constants.push_back(tensor.detach().to(at::kCPU));
    return static_cast<int64_t>(trace_.constants.size()) - 1;
  }

  std::variant<Trace::Value, Trace::Constant> tensor(const jit::Value* value) {
    if (auto found = numbers_.find(value); found != numbers_.end()) return Trace::Value{found->second};
    auto known = jit::toIValue(value);
    if (!known || !known->isTensor()) throw Error(ErrorCode::internal, "A traced operator takes what is neither made nor known.");
    if (auto held = held_.find(value); held != held_.end()) return Trace::Constant{held->second};
    return Trace::Constant{held_[value] = constant(known->toTensor())};
  }

  Trace::Argument argument(const jit::Value* value) {
    if (value->node()->kind() == c10::prim::ListConstruct) {
      auto inputs = value->node()->inputs();
      bool tensors = value->type()->expectRef<c10::ListType>().getElementType()->kind() == c10::TypeKind::TensorType;
      if (!tensors) throw Error(ErrorCode::internal, "A traced size depends on values.");
      Trace::Tensors list;
      for (const auto* input : inputs) list.push_back(tensor(input));
      return list;
    }
    auto known = jit::toIValue(value);
    if (!known || known->isTensor()) return std::visit([](auto one) -> Trace::Argument { return one; }, tensor(value));
    if (known->isNone()) return std::monostate();
    if (known->isInt()) return known->toInt();
    if (known->isDouble()) return known->toDouble();
    if (known->isBool()) return known->toBool();
    if (known->isIntList()) return known->toIntVector();
    if (known->isDoubleList()) return known->toDoubleVector();
    if (known->isTensorList()) {
      Trace::Tensors list;
      for (const auto& one : known->toTensorVector()) list.push_back(Trace::Constant{constant(one)});
      return list;
    }
    if (known->isDevice() || known->isString()) return std::monostate();
    throw Error(ErrorCode::internal, "A traced operator takes what is not known: " + known->tagKind() + ".");
  }

  Trace trace_;
  std::map<const jit::Value*, int64_t> numbers_, held_;
};

// While one lives, parameters want gradients.
class WantingGradients {
 public:
  explicit WantingGradients(const std::vector<at::Tensor>& parameters) {
    for (const auto& parameter : parameters) {
      if (!parameter.requires_grad()) changed_.push_back(parameter.set_requires_grad(true));
    }
  }
  ~WantingGradients() {
    for (auto& parameter : changed_) parameter.set_requires_grad(false);
  }
  WantingGradients(const WantingGradients&) = delete;
  WantingGradients& operator=(const WantingGradients&) = delete;

 private:
  std::vector<at::Tensor> changed_;
};

// Puts constants in the place of the graph's inputs from `first` on.
void fix_inputs(jit::Graph& graph, size_t first, const std::vector<at::Tensor>& values) {
  jit::WithInsertPoint at_start(*graph.nodes().begin());
  for (size_t i = values.size(); i-- > 0;) {
    auto* input = graph.inputs()[first + i];
    input->replaceAllUsesWith(graph.insertConstant(values[i].detach()));
    graph.eraseInput(first + i);
  }
}

}  // namespace

Trace trace(const std::vector<at::Tensor>& inputs, const std::vector<at::Tensor>& parameters,
            const std::function<std::vector<at::Tensor>(const std::vector<at::Tensor>&)>& function) {
  c10::InferenceMode ordinary(false);
  at::AutoGradMode grad(true);
  WantingGradients wanting(parameters);
  function(inputs);
  auto traced = [&](const jit::Stack& stack) {
    std::vector<at::Tensor> given;
    for (size_t i = 0; i < inputs.size(); ++i) given.push_back(stack[i].toTensor());
    jit::Stack results;
    for (const auto& result : function(given)) results.emplace_back(result);
    return results;
  };
  jit::Stack stack;
  for (const auto& input : inputs) stack.emplace_back(input);
  for (const auto& parameter : parameters) stack.emplace_back(parameter);
  auto graph = jit::tracer::trace(stack, traced, [](const torch::autograd::Variable&) { return std::string(); }).first->graph;
  fix_inputs(*graph, inputs.size(), parameters);
  jit::ConstantPropagation(graph);
  jit::EliminateDeadCode(graph);
  return Reader().read(*graph);
}

}  // namespace diffsal
