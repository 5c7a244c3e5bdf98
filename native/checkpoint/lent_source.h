#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ops/parameters.h"

namespace diffsal {

// Parameters that are there already, as they are: a network made of them shares their memory.
class LentSource : public ParameterSource {
 public:
  explicit LentSource(const std::vector<Parameter>& parameters) {
    for (const auto& [info, tensor] : parameters) tensors_.emplace(info.name, tensor);
  }
  at::Tensor tensor(const ParameterInfo& info) override { return tensors_.at(info.name); }
  void finish() const {}

 private:
  std::map<std::string, at::Tensor> tensors_;
};

}  // namespace diffsal
