#pragma once
#include <memory>

#include "distributed/group.h"

namespace diffsal {

// What diffsal_gloo.so offers to the core, which does not link it: c10d's TCPStore and ProcessGroupGloo, libtorch's own engine.
struct GlooFunctions {
  // Meets the other processes, as far as that takes no answer of theirs. Throws a PeerError where there is none to meet, or where this one is
  // not wanted; what `poll` throws is thrown on.
  std::shared_ptr<Group> (*join)(const GroupOptions& options, const Poll& poll);
};

}  // namespace diffsal

// The library's one symbol.
extern "C" const diffsal::GlooFunctions* diffsal_gloo_functions();
