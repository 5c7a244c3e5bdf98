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

bool is_constant(Map x) {
  auto [low, high] = std::minmax_element(x.begin(), x.end());
  return !(*high > *low);
}

// The map from 0 to 1, empty for a constant one. Metrics that do not ask for a map's level or scale work on this: squares of numbers near
// 1e-300 are zero, and a mean of numbers that differ in their last digit is rounded to one of them.
std::vector<double> unit_range(Map x) {
  auto [low, high] = std::minmax_element(x.begin(), x.end());
  if (!(*high > *low)) return {};
  // Halves, because the range of finite numbers may be none. What is small is not halved: the least number has no half.
  double factor = std::isfinite(*high - *low) ? 1 : 0.5, least = *low * factor, range = *high * factor - least;
  std::vector<double> scaled(x.size());
  for (size_t i = 0; i < x.size(); ++i) scaled[i] = (x[i] * factor - least) / range;
  return scaled;
}

// A power of two that brings the largest value to about 1, so that a sum is finite and has its digits; multiplying by it is exact.
double binary_scale(Map x) {
  double largest = *std::max_element(x.begin(), x.end());
  return largest > 0 && std::isfinite(largest) ? std::exp2(-std::clamp(std::ilogb(largest), -1000, 1000)) : 1;
}

std::vector<double> shares(Map x) {
  std::vector<double> scaled(x.begin(), x.end());
  double scale = binary_scale(x);
  for (double& value : scaled) value *= scale;
  double total = sum(scaled);
  if (total == 0) return {};
  for (double& value : scaled) value /= total;
  return scaled;
}

std::vector<double> values_where(Map saliency, Fixations fixations, bool fixated) {
  std::vector<double> values;
  for (size_t i = 0; i < saliency.size(); ++i) {
    if ((fixations[i] != 0) == fixated) values.push_back(saliency[i]);
  }
  return values;
}
std::vector<double> values_at(Map saliency, Fixations fixations) { return values_where(saliency, fixations, true); }
std::vector<double> values_elsewhere(Map saliency, Fixations fixations) { return values_where(saliency, fixations, false); }

}  // namespace

double cc(Map saliency, Map density) {
  auto p = unit_range(saliency), q = unit_range(density);
  if (p.empty() || q.empty()) return nan;
  auto a = moments(p), b = moments(q);
  double total = 0;
  for (size_t i = 0; i < p.size(); ++i) total += (p[i] - a.mean) / a.deviation * ((q[i] - b.mean) / b.deviation);
  return total / static_cast<double>(p.size());
}

double sim(Map saliency, Map density) {
  auto p = unit_range(saliency), q = unit_range(density);
  if (p.empty() || q.empty()) return nan;
  double sum_p = sum(p), sum_q = sum(q), total = 0;
  for (size_t i = 0; i < p.size(); ++i) total += std::min(p[i] / sum_p, q[i] / sum_q);
  return total;
}

double nss(Map saliency, Fixations fixations) {
  auto scaled = unit_range(saliency);
  auto fixated = values_at(scaled, fixations);
  if (fixated.empty() || scaled.empty()) return nan;
  auto [mean, deviation] = moments(scaled);
  double total = 0;
  for (double value : fixated) total += (value - mean) / deviation;
  return total / static_cast<double>(fixated.size());
}

double auc_judd(Map saliency, Fixations fixations) {
  auto fixated = values_at(saliency, fixations), others = values_elsewhere(saliency, fixations);
  if (fixated.empty() || others.empty() || is_constant(saliency)) return nan;
  std::sort(fixated.begin(), fixated.end(), std::greater<>());
  std::sort(others.begin(), others.end(), std::greater<>());
  double positives = static_cast<double>(fixated.size()), negatives = static_cast<double>(others.size());
  double area = 0, tp = 0, fp = 0;
  auto to = [&](double next_tp, double next_fp) {
    area += (next_fp - fp) * (tp + next_tp) / 2;
    tp = next_tp;
    fp = next_fp;
  };
  for (size_t k = 0; k < fixated.size();) {
    auto [from, until] = std::equal_range(others.begin(), others.end(), fixated[k], std::greater<>());
    auto above = static_cast<double>(from - others.begin()), tied = static_cast<double>(until - from);
    auto last = std::upper_bound(fixated.begin() + static_cast<ptrdiff_t>(k), fixated.end(), fixated[k], std::greater<>());
    size_t first = k, end = static_cast<size_t>(last - fixated.begin());
    for (; k < end; ++k) {
      double place = static_cast<double>(k + 1 - first) / static_cast<double>(end - first + 1);
      to(static_cast<double>(k + 1) / positives, (above + tied * place) / negatives);
    }
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
  auto p = shares(saliency), q = shares(density);
  if (p.empty() || q.empty()) return nan;
  double total = 0;
  for (size_t i = 0; i < p.size(); ++i) total += q[i] * std::log(epsilon + q[i] / (p[i] + epsilon));
  return total;
}

double information_gain(Map saliency, Fixations fixations, Map baseline) {
  if (!(sum(saliency) > 0) || !(sum(baseline) > 0)) return nan;
  auto p = shares(saliency), b = shares(baseline);
  double total = 0, count = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    if (fixations[i] == 0) continue;
    total += std::log2(epsilon + p[i]) - std::log2(epsilon + b[i]);
    count += 1;
  }
  return count > 0 ? total / count : nan;
}

}  // namespace diffsal
