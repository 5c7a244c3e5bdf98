#pragma once
#include <optional>
#include <vector>

#include "model/mvit.h"

namespace diffsal {

// MViTv2 for inference on the CPU: the same function as MViT, on tokens (B, 1 + n, C).
class PreparedMViT {
 public:
  explicit PreparedMViT(const MViT& net) : net_(net) {}
  std::vector<Tensor> operator()(const Tensor& frames) const;

 private:
  static Tensor run(const MViTBlock& block, const Tensor& x, Grid& grid);
  static Tensor attend(const PooledAttention& attention, const Tensor& x, Grid& grid);

  const MViT& net_;
};

}  // namespace diffsal
