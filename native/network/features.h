#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace diffsal {

using at::Tensor;

// What a network makes of a clip's features that no denoising step changes, channels-last.
struct PreparedClip {
  std::vector<Tensor> video;  // (B, slots, h, w, C), coarse to fine
  std::vector<Tensor> sound;  // one a stage, undefined where it hears nothing
  uint64_t maker = 0;         // the state of the network's parameters that it was made with; 0: nothing was made
  uint64_t number = 0;        // its own: two clips of one number hold the same values

  // The same with other tensors, where there are any.
  PreparedClip map(const std::function<Tensor(const Tensor&)>& function) const;
};

// What a clip says about its saliency, computed once whatever the number of steps.
struct Features {
  std::vector<Tensor> video;  // coarse to fine, (B, C_i, T/2, H/2^i, W/2^i), i = 5..2
  Tensor audio;               // (B, Ca, T/2 + 1, H/32, W/32), or undefined
  PreparedClip clip;          // its video is the same memory

  int64_t batch() const { return video[0].size(0); }
  int64_t bytes() const;
  // With memory of its own.
  Features copy() const;
  // Takes over the values of features of the same shapes.
  void assign(const Features& other);
};

}  // namespace diffsal
