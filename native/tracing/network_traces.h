#pragma once
#include <string>
#include <vector>

#include "network/network.h"
#include "tracing/trace.h"

namespace diffsal {

// A function of the network as a trace, with the names of what it takes and gives.
struct NamedTrace {
  Trace trace;
  std::vector<std::string> inputs, outputs;
};

// The network's functions for one clip: encode (frames, mel) -> (video.i, sound.i), what no denoising step changes of it (PreparedClip), and denoise
// (x, t, video.i, sound.i) -> s0. What a network does not see or hear is left out. For a network on the CPU in float32.
struct NetworkTraces {
  NamedTrace encode, denoise;
};

NetworkTraces trace_network(const Network& network);

}  // namespace diffsal
