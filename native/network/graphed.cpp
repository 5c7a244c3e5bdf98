#include "network/graphed.h"

#include <algorithm>

#include "runtime/cancellation.h"

namespace diffsal {
namespace {

// Shapes whose graphs are kept, of each function: a full batch and the last one of a video, with sound and without.
constexpr size_t most_shapes = 4;

// Values in memory that lasts, made at the first call.
void hold(Tensor& memory, const Tensor& values) {
  if (!values.defined()) return;
  if (memory.defined()) memory.copy_(values);
  else memory = values.clone();
}

void hold(std::vector<Tensor>& memory, const std::vector<Tensor>& values) {
  memory.resize(values.size());
  for (size_t i = 0; i < values.size(); ++i) hold(memory[i], values[i]);
}

}  // namespace

Features Graphed::encode(const Tensor& frames, const std::vector<Tensor>& maps, const Tensor& mel, bool keep) const {
  int64_t batch = frames.defined() ? frames.size(0) : mel.size(0);
  auto once = [&] { return functions_.encode(frames, maps, mel); };
  if (off_) return once();
  auto& entry = entry_of(encodings_, {batch, frames.defined(), mel.defined()});
  if (++entry.recording.calls == 1 || entry.recording.refused) return sparing(once, once);
  auto recorded = [&] {
    hold(entry.frames, frames);
    hold(entry.maps, maps);
    hold(entry.mel, mel);
    run(entry.recording, [this, &entry] {
      auto features = functions_.encode(entry.frames, entry.maps, entry.mel);
      if (entry.made.video.empty()) entry.made = features.copy();
      else entry.made.assign(features);
    });
    functions_.sign(entry.made.clip);
    return keep ? entry.made.copy() : entry.made;
  };
  return sparing(recorded, once);
}

Tensor Graphed::denoise(const Tensor& x, const Tensor& t, const PreparedClip& clip) const {
  auto once = [&] { return functions_.denoise(x, t, clip); };
  if (off_) return once();
  bool sound = std::any_of(clip.sound.begin(), clip.sound.end(), [](const Tensor& map) { return map.defined(); });
  auto& entry = entry_of(denoisings_, {x.size(0), sound, false});
  if (++entry.recording.calls == 1 || entry.recording.refused) return sparing(once, once);
  auto recorded = [&] {
    hold(entry.x, x);
    hold(entry.t, t);
    if (entry.clip.number != clip.number) {
      entry.clip.number = 0;  // until it lies there whole
      hold(entry.clip.video, clip.video);
      hold(entry.clip.sound, clip.sound);
      entry.clip.maker = clip.maker;
      entry.clip.number = clip.number;
    }
    run(entry.recording, [this, &entry] { hold(entry.s0, functions_.denoise(entry.x, entry.t, entry.clip)); });
    return entry.s0.clone();
  };
  return sparing(recorded, once);
}

template <typename Entry>
Entry& Graphed::entry_of(Recent<Entry>& entries, const Shape& shape) {
  auto found = std::find_if(entries.begin(), entries.end(), [&](const auto& entry) { return entry.first == shape; });
  if (found == entries.end()) {
    if (entries.size() == most_shapes) entries.pop_back();
    entries.emplace_front(shape, Entry());
  } else {
    entries.splice(entries.begin(), entries, found);
  }
  return entries.front().second;
}

bool Graphed::any_recorded() const {
  auto lasting = [](const auto& entry) { return entry.second.recording.calls > 1; };
  return std::any_of(encodings_.begin(), encodings_.end(), lasting) || std::any_of(denoisings_.begin(), denoisings_.end(), lasting);
}

void Graphed::give_up() const {
  off_ = true;
  encodings_.clear();
  denoisings_.clear();
  graphs_->make_room();
}

void Graphed::run(Recording& recording, const std::function<void()>& work) const {
  if (recording.graph) return recording.graph->replay();
  work();
  try {
    recording.graph = graphs_->capture(work);
  } catch (const Cancelled&) {
    throw;
  } catch (const c10::OutOfMemoryError&) {
    throw;
  } catch (const std::exception& error) {
    recording.refused = true;
    say("Predicting goes on without a CUDA graph, which could not be recorded", error);
  }
}

void Graphed::say(const std::string& what, const std::exception& reason) const {
  if (std::exchange(said_, true) || !warn_) return;
  const auto* error = dynamic_cast<const c10::Error*>(&reason);
  warn_(what + ": " + (error == nullptr ? reason.what() : error->what_without_backtrace()));
}

}  // namespace diffsal
