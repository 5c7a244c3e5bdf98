#pragma once
#include <optional>

#include "inference/depthwise.h"
#include "inference/packed_linear.h"
#include "inference/winograd.h"
#include "model/mam_stage.h"

namespace diffsal {

// A layer norm of a block's result, and where its rows go: to (B, h, w, slots, C), the first slots alone.
struct Finish {
  const LayerNorm& norm;
  Tensor& to;
};

// A MAM block for inference on the CPU: the same function as MAMBlock, on channels-last maps (B, t, h, w, C). A batch of tokens goes through
// attention, MLP and norm while it is in a core's cache.
class PreparedBlock {
 public:
  PreparedBlock(const MAMBlock& block, const Config& config);

  // The block's part of a clip's enhanced sound (B, Ca, t, ha, wa), which no step changes: (B, t, ha, wa, C).
  Tensor hear(const Tensor& audio) const;
  // Changes x to the block's result; the slots from `finish.to`'s on may keep their old values where `last` says that nothing reads them.
  void operator()(Tensor& x, const Tensor& sound, bool last, const Finish& finish) const;

 private:
  struct Keys;
  Tensor key_map(Tensor& x, const Tensor& sound) const;
  void attend(Tensor& x, const Tensor& sound, int64_t queried, const Finish& finish) const;
  void convolve(Tensor& x, const Tensor& sound, const Finish& finish) const;
  Keys prepare_keys(const Tensor& keys, const Tensor& values) const;
  void finish_rows(const Tensor& x, int64_t begin, int64_t end, const Finish& finish) const;

  const MAMBlock& block_;
  InteractionKind interaction_;
  bool released_;
  int64_t heads_;
  PackedLinear align_;
  std::optional<PackedLinear> fuse_, fuse_x_, fuse_a_, fuse_out_;  // fuse_: of the map's half of a concatenation; fuse_a_: of the sound
  std::optional<DepthwiseNorm> queries_;
  std::optional<PatchNorm> keys_, values_;
  PackedLinear fc1_, fc2_, query_, key_, value_, output_;  // key_ with the attention's scale
  std::vector<Packed> head_queries_, head_outputs_;        // (width, C), to fold into keys and values
  std::optional<WinogradConvolution> convolution_;
  Tensor convolution_bias_;
};

}  // namespace diffsal
