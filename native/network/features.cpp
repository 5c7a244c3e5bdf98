#include "network/features.h"

#include <ATen/ops/as_strided.h>

namespace diffsal {
namespace {

std::vector<Tensor> each(const std::vector<Tensor>& tensors, const std::function<Tensor(const Tensor&)>& function) {
  std::vector<Tensor> list;
  for (const auto& tensor : tensors) list.push_back(tensor.defined() ? function(tensor) : tensor);
  return list;
}

// `view`, which shows the memory of `whole`, as a view of the memory of `other`, which is laid out as `whole` is.
Tensor moved(const Tensor& view, const Tensor& whole, const Tensor& other) {
  return other.as_strided(view.sizes(), view.strides(), other.storage_offset() + view.storage_offset() - whole.storage_offset());
}

}  // namespace

PreparedClip PreparedClip::map(const std::function<Tensor(const Tensor&)>& function) const {
  return {each(video, function), each(sound, function), maker, number};
}

int64_t Features::bytes() const {
  int64_t total = audio.defined() ? static_cast<int64_t>(audio.nbytes()) : 0;
  for (const auto& map : video) total += static_cast<int64_t>(map.nbytes());
  for (const auto& map : clip.sound) {
    if (map.defined()) total += static_cast<int64_t>(map.nbytes());
  }
  return total;
}

Features Features::copy() const {
  auto clone = [](const Tensor& tensor) { return tensor.clone(); };
  Features copied{{}, audio.defined() ? audio.clone() : audio, clip.map(clone)};
  for (size_t i = 0; i < video.size(); ++i) {
    bool shared = i < clip.video.size() && video[i].is_alias_of(clip.video[i]) && copied.clip.video[i].strides() == clip.video[i].strides();
    copied.video.push_back(shared ? moved(video[i], clip.video[i], copied.clip.video[i]) : video[i].clone());
  }
  return copied;
}

void Features::assign(const Features& other) {
  auto take = [](const std::vector<Tensor>& to, const std::vector<Tensor>& from) {
    for (size_t i = 0; i < to.size(); ++i) {
      if (to[i].defined()) to[i].copy_(from[i]);
    }
  };
  if (audio.defined()) audio.copy_(other.audio);
  take(clip.video, other.clip.video);
  take(clip.sound, other.clip.sound);
  for (size_t i = 0; i < video.size(); ++i) {
    if (i >= clip.video.size() || !video[i].is_alias_of(clip.video[i])) video[i].copy_(other.video[i]);
  }
}

}  // namespace diffsal
