#include "scenes/scene.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace diffsal {
namespace {

// The rhythms' ladder in pulses a second: one to four in a clip of 0.64 s, each rung taken by one at most.
constexpr int rungs = 8;
constexpr double slowest = 1.8, rung = 0.55, jitter = 0.12;
// How alike two rhythms may be, as the correlation over the frames that `alike` looks at; and how often phases are drawn to get there.
constexpr double most_alike = 0.5;
constexpr int tries = 64;
constexpr double smallest = 0.115, largest = 0.165, fastest_spin = 1.5;

// `count` different numbers of 0 ... n - 1, in random order.
std::vector<int> different(Random& random, int count, int n) {
  std::vector<int> all(static_cast<size_t>(n));
  std::iota(all.begin(), all.end(), 0);
  for (int i = 0; i < count; ++i) std::swap(all[static_cast<size_t>(i)], all[static_cast<size_t>(i + random.below(n - i))]);
  all.resize(static_cast<size_t>(count));
  return all;
}

double correlation(const Rhythm& a, const Rhythm& b, int64_t frames, int rate) {
  double sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0;
  for (int64_t k = 0; k < frames; ++k) {
    double seconds = static_cast<double>(k) / rate, x = a.at(seconds), y = b.at(seconds);
    sa += x, sb += y, saa += x * x, sbb += y * y, sab += x * y;
  }
  auto n = static_cast<double>(frames);
  double variance = (saa - sa * sa / n) * (sbb - sb * sb / n);
  return variance > 0 ? (sab - sa * sb / n) / std::sqrt(variance) : 0;
}

bool alike(const std::vector<Rhythm>& rhythms, const SceneOptions& options) {
  auto frames = std::min<int64_t>(options.frames, 64);
  for (size_t i = 0; i < rhythms.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (correlation(rhythms[i], rhythms[j], frames, options.rate) > most_alike) return true;
    }
  }
  return false;
}

std::vector<Rhythm> draw_rhythms(Random& random, int count, const SceneOptions& options) {
  std::vector<Rhythm> rhythms;
  for (int one : different(random, count, rungs)) rhythms.push_back({slowest + rung * one + random.between(-jitter, jitter), 0});
  for (int i = 0; i < tries; ++i) {
    for (auto& rhythm : rhythms) rhythm.phase = random.uniform();
    if (!alike(rhythms, options)) break;
  }
  return rhythms;
}

std::vector<Turn> draw_turns(Random& random, int shapes, const SceneOptions& options) {
  auto other = [&](int shape) { return (shape + 1 + random.below(shapes - 1)) % shapes; };
  std::vector<Turn> turns = {{0, random.below(shapes)}};
  if (options.domain == whole_scenes) {
    auto length = [&] { return shortest_turn * options.rate + random.below((longest_turn - shortest_turn) * options.rate + 1); };
    for (int64_t at = length(); at < options.frames; at += length()) turns.push_back({at, other(turns.back().shape)});
  } else if (random.uniform() < options.changes) {
    // A fifth of the clip at least is heard of each.
    auto margin = std::max<int64_t>(1, options.frames / 5);
    auto at = margin + random.below(static_cast<int>(options.frames - 2 * margin + 1));
    turns.push_back({at, other(turns[0].shape)});
  }
  return turns;
}

}  // namespace

double Rhythm::at(double seconds) const {
  double cycles = rate * seconds + phase, up = std::abs(2 * (cycles - std::floor(cycles)) - 1);
  return up * up * (3 - 2 * up);
}

Random Scene::random(uint64_t purpose) const {
  // One word for each scene of each domain and seed, and mix() is a bijection: no two scenes begin alike.
  uint64_t word = (static_cast<uint64_t>(options.seed) << 32) | (static_cast<uint64_t>(options.domain) << 30) | options.index;
  return Random(mix(mix(word + 0x6a09e667f3bcc909u) ^ mix(purpose + 1)));
}

Scene::Scene(const SceneOptions& given) : options(given) {
  auto random = this->random(looks);
  int count = options.fewest + random.below(options.most - options.fewest + 1);
  auto hues = different(random, count, options.hues);
  auto rhythms = draw_rhythms(random, count + 1, options);
  // More shapes are smaller ones.
  double size = count <= 4 ? 1 : 2 / std::sqrt(count);
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    Shape shape{};
    shape.kind = random.below(shape_kinds);
    shape.hue = hues[i];
    shape.pattern = random.below(shape_patterns);
    shape.radius = size * random.between(smallest, largest);
    shape.angle = random.uniform();
    shape.spin = random.between(-fastest_spin, fastest_spin);
    shape.rhythm = rhythms[i];
    shapes.push_back(shape);
  }
  beat = rhythms.back();
  background = this->random(ground).next();
  auto by_ear = this->random(sounds);
  turns = draw_turns(by_ear, count, options);
}

size_t Scene::turn_of(int64_t frame) const {
  auto after = std::upper_bound(turns.begin() + 1, turns.end(), frame, [](int64_t at, const Turn& turn) { return at < turn.frame; });
  return static_cast<size_t>(after - turns.begin()) - 1;
}

}  // namespace diffsal
