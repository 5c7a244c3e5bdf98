#pragma once
#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace diffsal {

// How an untrained parameter is drawn. fan_in is PyTorch's default for linear and convolution layers: uniform within
// ±1/sqrt(fan_in). rare is the logit of 0.02, the bias of an output that is mostly dark: a training then begins with where the light is, and
// not with large gradients that put it out everywhere.
enum class Init { zeros, ones, normal, fan_in, rare };

struct ParameterInfo {
  std::string name;
  std::vector<int64_t> shape;
  Init init;
  int64_t fan_in;
  // Running statistics are saved with the parameters but are not trained.
  bool buffer;
};

struct Parameter {
  ParameterInfo info;
  at::Tensor tensor;
};

// Where a network's parameters come from while it is built: a seed or a file.
class ParameterSource {
 public:
  virtual ~ParameterSource() = default;
  // A float32 tensor of info.shape on the CPU.
  virtual at::Tensor tensor(const ParameterInfo& info) = 0;
};

// Draws each parameter from a stream of its own, named after it.
class RandomSource : public ParameterSource {
 public:
  explicit RandomSource(uint64_t seed) : seed_(seed) {}
  at::Tensor tensor(const ParameterInfo& info) override;

 private:
  uint64_t seed_;
};

// Shapes alone: tensors without memory.
class ShapeSource : public ParameterSource {
 public:
  at::Tensor tensor(const ParameterInfo& info) override;
};

// A place in the tree of parameter names while the network is built. Layers ask it for their tensors.
class Scope {
 public:
  Scope(ParameterSource& source, std::vector<Parameter>& list, at::Device device) : source_(source), list_(list), device_(device) {}

  Scope operator/(const std::string& name) const;
  Scope operator/(int64_t index) const { return *this / std::to_string(index); }

  at::Tensor parameter(const std::string& name, std::vector<int64_t> shape, Init init, int64_t fan_in = 0) const;
  at::Tensor buffer(const std::string& name, std::vector<int64_t> shape, Init init) const;

 private:
  at::Tensor add(ParameterInfo info) const;

  ParameterSource& source_;
  std::vector<Parameter>& list_;
  at::Device device_;
  std::string prefix_;
};

}  // namespace diffsal
