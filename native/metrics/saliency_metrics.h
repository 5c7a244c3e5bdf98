#pragma once
#include <cstdint>
#include <span>

namespace diffsal {

// The saliency metrics as STAViS, CASP-Net and DiffSal score them (Bylinskii et al. 2019; Judd et al. 2009), all in float64,
// on one map each, rows first. NaN where a metric is undefined: no fixation, a constant map.
using Map = std::span<const double>;
using Fixations = std::span<const uint8_t>;  // not zero: fixated

// Pearson correlation of the two maps, -1 to 1.
double cc(Map saliency, Map density);

// Intersection of the two maps as histograms, each scaled to 0..1 and then to sum 1.
double sim(Map saliency, Map density);

// Mean of the standardised saliency (population deviation) at the fixated pixels.
double nss(Map saliency, Fixations fixations);

// Area under the ROC curve that has one threshold a fixated pixel; the k-th highest fixation has a true-positive rate of k / n. Where
// pixels tie, the published code adds a random jitter; here the false positives are their mean over all the orders that it could give: of p
// fixated and q other pixels of one value, with Q others above, the j-th fixation has Q + q j / (p + 1).
double auc_judd(Map saliency, Fixations fixations);

// Area under the ROC curve of the fixated pixels against `others`, the pixels that were fixated in other videos: how often a
// fixated pixel is more salient, ties counting half. Every pair is counted, none is drawn.
double shuffled_auc(Map saliency, Fixations fixations, Fixations others);

// Divergence of the density from the prediction, both scaled to sum 1.
double kl(Map saliency, Map density);

// How many bits a fixation costs less under the map than under `baseline`, both scaled to sum 1.
double information_gain(Map saliency, Fixations fixations, Map baseline);

}  // namespace diffsal
