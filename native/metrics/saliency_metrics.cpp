#include "metrics/saliency_metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace diffsal {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN(), epsilon = 2.2204e-16;

double sum(Map x) {
  double total = 0;
  for (double value : x) total += value;
  return total;
}

struct Moments {
  double mean, deviation;  // population
};
Moments moments(Map x) {
  double mean = sum(x) / static_cast<double>(x.size()), squares = 0;
  for (double value : x) squares += (value - mean) * (value - mean);
  return {mean, std::sqrt(squares / static_cast<double>(x.size()))};
}

struct Range {
  double low, high;
};
Range range(Map x) {
  auto [low, high] = std::minmax_element(x.begin(), x.end());
  return {*low, *high};
}
bool is_constant(Map x) {
  auto [low, high] = range(x);
  return !(high > low);
}

std::vector<double> values_at(Map saliency, Fixations fixations) {
  std::vector<double> values;
  for (size_t i = 0; i < saliency.size(); ++i) {
    if (fixations[i] != 0) values.push_back(saliency[i]);
  }
  return values;
}

}  // namespace

double cc(Map saliency, Map density) {
  if (is_constant(saliency) || is_constant(density)) return nan;
  auto a = moments(saliency), b = moments(density);
  double total = 0;
  for (size_t i = 0; i < saliency.size(); ++i) total += (saliency[i] - a.mean) / a.deviation * ((density[i] - b.mean) / b.deviation);
  return total / static_cast<double>(saliency.size());
}

double sim(Map saliency, Map density) {
  auto a = range(saliency), b = range(density);
  if (!(a.high > a.low) || !(b.high > b.low)) return nan;
  double count = static_cast<double>(saliency.size());
  double sum_a = (sum(saliency) - count * a.low) / (a.high - a.low), sum_b = (sum(density) - count * b.low) / (b.high - b.low), total = 0;
  for (size_t i = 0; i < saliency.size(); ++i) {
    total += std::min((saliency[i] - a.low) / (a.high - a.low) / sum_a, (density[i] - b.low) / (b.high - b.low) / sum_b);
  }
  return total;
}

double nss(Map saliency, Fixations fixations) {
  auto fixated = values_at(saliency, fixations);
  if (fixated.empty() || is_constant(saliency)) return nan;
  auto [mean, deviation] = moments(saliency);
  double total = 0;
  for (double value : fixated) total += (value - mean) / deviation;
  return total / static_cast<double>(fixated.size());
}

double auc_judd(Map saliency, Fixations fixations) {
  auto thresholds = values_at(saliency, fixations);
  if (thresholds.empty() || thresholds.size() == saliency.size() || is_constant(saliency)) return nan;
  std::sort(thresholds.begin(), thresholds.end(), std::greater<>());
  std::vector<double> sorted(saliency.begin(), saliency.end());
  std::sort(sorted.begin(), sorted.end());
  double positives = static_cast<double>(thresholds.size()), negatives = static_cast<double>(saliency.size()) - positives;
  double area = 0, tp = 0, fp = 0;
  auto to = [&](double next_tp, double next_fp) {
    area += (next_fp - fp) * (tp + next_tp) / 2;
    tp = next_tp;
    fp = next_fp;
  };
  for (size_t k = 1; k <= thresholds.size(); ++k) {
    auto above = static_cast<double>(sorted.end() - std::lower_bound(sorted.begin(), sorted.end(), thresholds[k - 1]));
    to(static_cast<double>(k) / positives, (above - static_cast<double>(k)) / negatives);
  }
  to(1, 1);
  return area;
}

double shuffled_auc(Map saliency, Fixations fixations, Fixations others) {
  auto positives = values_at(saliency, fixations), negatives = values_at(saliency, others);
  if (positives.empty() || negatives.empty() || is_constant(saliency)) return nan;
  std::sort(negatives.begin(), negatives.end());
  double wins = 0;
  for (double value : positives) {
    auto [from, to] = std::equal_range(negatives.begin(), negatives.end(), value);
    wins += static_cast<double>(from - negatives.begin()) + static_cast<double>(to - from) / 2;
  }
  return wins / (static_cast<double>(positives.size()) * static_cast<double>(negatives.size()));
}

double kl(Map saliency, Map density) {
  double sum_p = sum(saliency), sum_q = sum(density), total = 0;
  if (sum_p == 0 || sum_q == 0) return nan;
  for (size_t i = 0; i < saliency.size(); ++i) {
    double p = saliency[i] / sum_p, q = density[i] / sum_q;
    total += q * std::log(epsilon + q / (p + epsilon));
  }
  return total;
}

double information_gain(Map saliency, Fixations fixations, Map baseline) {
  double sum_p = sum(saliency), sum_b = sum(baseline), total = 0, count = 0;
  if (!(sum_p > 0) || !(sum_b > 0)) return nan;
  for (size_t i = 0; i < saliency.size(); ++i) {
    if (fixations[i] == 0) continue;
    total += std::log2(epsilon + saliency[i] / sum_p) - std::log2(epsilon + baseline[i] / sum_b);
    count += 1;
  }
  return count > 0 ? total / count : nan;
}

}  // namespace diffsal
