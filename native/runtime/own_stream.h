#pragma once
#include <c10/core/Device.h>

namespace diffsal {

// Gives the calling thread, until it ends, a stream of a CUDA device that no other living thread of this addon has, and says whether there
// was one. libtorch hands out 32 a device in turn and takes none back, so threads of models would come to share one: each would find its
// work in the other's graphs. A stream that was given back is taken first, because libtorch keeps workspaces for each that was ever used.
bool take_own_stream(c10::Device device);

}  // namespace diffsal
