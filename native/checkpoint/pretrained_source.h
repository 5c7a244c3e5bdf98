#pragma once
#include <memory>
#include <string>
#include <vector>

#include "checkpoint/mapped_source.h"

namespace diffsal {

// A part of a network that was trained on its own, and the file that has it.
struct PretrainedPart {
  std::string prefix;                // visual_net.
  std::vector<std::string> initial;  // beginnings of names under it that such files lack: drawn where the file has none
  std::unique_ptr<MappedSource> file;
};

// Gives a network the tensors of pre-trained parts, and draws the rest.
class PretrainedSource : public ParameterSource {
 public:
  PretrainedSource(uint64_t seed, std::vector<PretrainedPart> parts) : random_(seed), parts_(std::move(parts)) {}
  at::Tensor tensor(const ParameterInfo& info) override;

  // Throws when a part lacks a name, or has one that the network does not.
  void finish() const;

 private:
  RandomSource random_;
  std::vector<PretrainedPart> parts_;
};

}  // namespace diffsal
