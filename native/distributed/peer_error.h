#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>

namespace diffsal {

// A process of a group is not what the others need: gone, silent, of another kind. lib/errors.ts has it as ERR_DIFFSAL_PEER.
struct PeerError : std::runtime_error {
  // rank: whose fault it is; -1 where that cannot be told.
  PeerError(int64_t rank, const std::string& message) : std::runtime_error(message), rank(rank) {}

  int64_t rank;
};

}  // namespace diffsal
