#include "inference/cast_source.h"

#include "runtime/error.h"

namespace diffsal {
namespace {

std::string parent(const std::string& name) { return name.substr(0, name.rfind('.')); }

}  // namespace

at::Tensor channels_last(const at::Tensor& weight) {
  if (weight.dim() == 4) return weight.contiguous(at::MemoryFormat::ChannelsLast);
  if (weight.dim() == 5) return weight.contiguous(at::MemoryFormat::ChannelsLast3d);
  return weight;
}

CastSource::CastSource(const std::vector<Parameter>& parameters, at::ScalarType type) : type_(type) {
  for (const auto& [info, tensor] : parameters) {
    tensors_.emplace(info.name, tensor);
    if (info.buffer) normalised_.insert(parent(info.name));
  }
}

at::Tensor CastSource::tensor(const ParameterInfo& info) {
  auto found = tensors_.find(info.name);
  if (found == tensors_.end()) throw Error(ErrorCode::internal, "A network has no parameter '" + info.name + "' to cast.");
  if (normalised_.count(parent(info.name)) > 0) return found->second;
  return channels_last(found->second.to(type_));
}

}  // namespace diffsal
