#pragma once
#include <ATen/core/Tensor.h>

namespace diffsal {

enum class LossKind { mse, ce, kl };

// A loss of table 5 and the weights of the metrics that are added to it; the released program's are -0.1.
struct LossOptions {
  LossKind kind = LossKind::mse;
  double cc = 0, sim = 0, nss = 0;
};

// Each of map, truth and fixations is float32 (B, 1, H, W). Every function gives one number a sample, (B,), with a gradient in `map`
// that is finite wherever map and truth
// are, also for a map without contrast or mass.

// The squares summed over the pixels.
at::Tensor squared_error(const at::Tensor& map, const at::Tensor& truth);
// Binary cross-entropy of map against map, summed over the pixels. Truth is cut to [0, 1], which dequantisation leaves a little.
at::Tensor cross_entropy(const at::Tensor& map, const at::Tensor& truth);
// KL divergence of the truth from the map, both scaled to sum 1. Truth is cut at 0.
at::Tensor divergence(const at::Tensor& map, const at::Tensor& truth);
// Pearson correlation.
at::Tensor correlation(const at::Tensor& map, const at::Tensor& truth);
// Histogram intersection after scaling each map to 0..1 and then to sum 1.
at::Tensor similarity(const at::Tensor& map, const at::Tensor& truth);
// Mean of the standardised map where fixations are above 0; 0 for a sample without any.
at::Tensor scanpath_saliency(const at::Tensor& map, const at::Tensor& fixations);

// The loss and its weighted terms, the mean over the batch. `fixations` may be undefined where nss has no weight.
at::Tensor training_loss(const at::Tensor& map, const at::Tensor& truth, const at::Tensor& fixations, const LossOptions& options);

}  // namespace diffsal
