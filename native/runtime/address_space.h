#pragma once
#include <cstddef>

namespace diffsal {

// Whether the system would give this process so many bytes more now. Nothing is kept of them.
bool can_map(size_t bytes);

}  // namespace diffsal
