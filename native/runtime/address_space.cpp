#include "runtime/address_space.h"

#include <sys/mman.h>

namespace diffsal {

bool can_map(size_t bytes) {
  void* place = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED) return false;
  munmap(place, bytes);
  return true;
}

}  // namespace diffsal
