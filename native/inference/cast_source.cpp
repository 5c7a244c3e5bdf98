#include "inference/cast_source.h"

#include <c10/core/MemoryFormat.h>

#include "runtime/error.h"

namespace diffsal {
namespace {

std::string parent(const std::string& name) { return name.substr(0, name.rfind('.')); }

}  // namespace

at::Tensor channels_last(const at::Tensor& weight) {
  if (weight.dim() != 4 && weight.dim() != 5) return weight;
  bool flat = weight.dim() == 4;
  auto moved = weight.contiguous(flat ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::ChannelsLast3d);
  // A single channel has its weights' memory in either order; the strides tell a convolution which to choose.
  return moved.as_strided(moved.sizes(), flat ? c10::get_channels_last_strides_2d(moved.sizes()) : c10::get_channels_last_strides_3d(moved.sizes()));
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
