#include "checkpoint/pretrained_source.h"

#include <algorithm>

namespace diffsal {

at::Tensor PretrainedSource::tensor(const ParameterInfo& info) {
  auto begins = [&](const std::string& prefix) { return info.name.rfind(prefix, 0) == 0; };
  for (auto& part : parts_) {
    if (!begins(part.prefix)) continue;
    bool drawn = !part.file->has(info.name) && std::any_of(part.initial.begin(), part.initial.end(), begins);
    if (!drawn) return part.file->tensor(info);
  }
  return random_.tensor(info);
}

void PretrainedSource::finish() const {
  for (const auto& part : parts_) part.file->finish();
}

}  // namespace diffsal
