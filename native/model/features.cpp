#include "model/features.h"

namespace diffsal {

int64_t Features::bytes() const {
  int64_t total = audio.defined() ? static_cast<int64_t>(audio.nbytes()) : 0;
  for (const auto& map : video) total += static_cast<int64_t>(map.nbytes());
  for (const auto& map : clip.sound) {
    if (map.defined()) total += static_cast<int64_t>(map.nbytes());
  }
  return total;
}

}  // namespace diffsal
