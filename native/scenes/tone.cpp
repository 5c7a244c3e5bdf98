#include "scenes/tone.h"

#include <algorithm>
#include <cmath>

#include "scenes/two_pi.h"

namespace diffsal {
namespace {

constexpr double lowest = 150, highest = 6000;
// The greatest amplitude, the part of it that is always there, and the seconds of a tone's beginning and end.
constexpr double loudest = 0.3, quietest = 0.1, fade = 0.01;
// The harmonics' amplitudes; those above the band of the log-mel are left out.
constexpr double harmonics[] = {1, 0.5, 0.25, 0.125}, band = 7500;

// sin(phase) and its harmonics, of amplitude 1 at most.
double harmonic_tone(double pitch, double phase) {
  double first = std::sin(phase), twice_cos = 2 * std::cos(phase), before = 0, now = first, sum = 0, most = 0;
  for (int i = 0; i < 4 && pitch * (i + 1) <= band; ++i) {
    sum += harmonics[i] * now;
    most += harmonics[i];
    double next = twice_cos * now - before;
    before = now, now = next;
  }
  return sum / most;
}

// What the two ends of a turn leave of its tone: another begins only when it has ended.
double fading(double since_start, double until_end) { return std::clamp(std::min(since_start, until_end) / fade, 0.0, 1.0); }

}  // namespace

double pitch_of(int hue, int hues) { return lowest * std::pow(highest / lowest, static_cast<double>(hue) / (hues - 1)); }

std::vector<float> draw_sound(const Scene& scene, int64_t from, int64_t to) {
  const auto& options = scene.options;
  std::vector<float> samples;
  samples.reserve(static_cast<size_t>(to - from));
  // Half a frame before a turn's first frame.
  auto start = [&](size_t turn) { return (static_cast<double>(scene.turns[turn].frame) - 0.5) / options.rate; };
  size_t last = scene.turns.size() - 1;
  double pitch_of_all = std::sqrt(lowest * highest);
  std::vector<double> pitches;
  for (const auto& shape : scene.shapes) pitches.push_back(options.pitch_cue ? pitch_of(shape.hue, options.hues) : pitch_of_all);
  size_t turn = 0;
  for (int64_t i = from; i < to; ++i) {
    double seconds = static_cast<double>(i) / sound_rate;
    while (turn < last && seconds >= start(turn + 1)) ++turn;
    auto shape = static_cast<size_t>(scene.turns[turn].shape);
    double cycles = pitches[shape] * seconds;
    const auto& rhythm = options.loudness_cue ? scene.shapes[shape].rhythm : scene.beat;
    double loudness = loudest * (quietest + (1 - quietest) * rhythm.at(seconds));
    double ends = fading(turn == 0 ? fade : seconds - start(turn), turn == last ? fade : start(turn + 1) - seconds);
    samples.push_back(static_cast<float>(loudness * ends * harmonic_tone(pitches[shape], two_pi * (cycles - std::floor(cycles)))));
  }
  return samples;
}

}  // namespace diffsal
