#pragma once
#include <optional>

#include "ops/compression.h"
#include "ops/mlp.h"

namespace diffsal {

// Eq. 7. With compression, efficient spatio-temporal cross-attention (ECA): keys and values are patches. Without, standard cross-attention (SCA)
// over all tokens.
struct CrossAttention {
  CrossAttention(const Scope& scope, int64_t channels, int64_t heads, std::optional<int64_t> kernel);

  std::optional<Compression> conv_proj_q, conv_proj_k, conv_proj_v;
  Linear proj_q, proj_k, proj_v, proj;
  int64_t heads;

  // The scale is by all channels, not by a head's.
  double scale() const;

  // What the packed side makes of the projections.
  struct Packing {
    PackedLinear query, key, value, output;          // key with the attention's scale
    std::vector<Packed> head_queries, head_outputs;  // (width, C), to fold into keys and values
  };
  const Packing& packing() const;

 private:
  Derived<Packing, 8> packing_;
};

// Who attends together, and what is read of the result.
struct Attending {
  bool by_slot;        // the released program's slots attend each to itself alone; else a sample's tokens do
  int64_t read;        // the first slots, whose norms are wanted
  bool read_alone;     // the others may keep what x held
  bool still = false;  // x has two slots, a still's picture and noise
};

struct Attended {
  Tensor x;       // (B, t, h, w, C)
  Tensor normed;  // (B, h, w, read, C)
};

// A MAM block after its keys and values are there: y = x + proj(softmax(scale STC(n) W_q (keys W_k)^T) values W_v), x' = mlp(y), and its norm by
// `next`. x and n, its norm: (B, t, h, w, C) contiguous, x its caller's own; keys and values: (groups, m, C), a group a sample or, by slot, a slot.
Attended attend(const Tensor& x, const Tensor& n, const Tensor& keys, const Tensor& values, const CrossAttention& attention, const MLP& mlp,
                const LayerNorm& next, const Attending& attending);

// Its sides. On the packed one a batch of tokens goes through attention, MLP and norm while it is in a core's cache.
Attended attend_torch(const Tensor& x, const Tensor& n, const Tensor& keys, const Tensor& values, const CrossAttention& attention, const MLP& mlp,
                      const LayerNorm& next, const Attending& attending);
Attended attend_cpu(const Tensor& x, const Tensor& n, const Tensor& keys, const Tensor& values, const CrossAttention& attention, const MLP& mlp,
                    const LayerNorm& next, const Attending& attending);

// The norms of the first slots alone, (B, t, h, w, C) -> (B, h, w, read, C).
Tensor read_slots(const Tensor& x, const LayerNorm& norm, int64_t read);

}  // namespace diffsal
