#pragma once

namespace diffsal {

// From now on libtorch takes large tensors' memory on the CPU from blocks that are kept for the next ones, in huge pages where the system has
// them: a prediction makes and frees gigabytes, and the kernel would map, clear and unmap each page of them anew. At most 256 MB lie unused.
// Once for each copy of the addon in a process; of two threads that call it the second waits.
// A process that is begun as a copy of this one, as Node begins each, does not have them: nobody copies their pages, or their page tables.
void keep_blocks();

// While one lives, all that is freed is kept: a training step takes the gigabytes that the step before it freed.
class KeepingFreed {
 public:
  KeepingFreed();
  ~KeepingFreed();
  KeepingFreed(const KeepingFreed&) = delete;
  KeepingFreed& operator=(const KeepingFreed&) = delete;
};

// Gives the system what is unused, blocks and what malloc keeps of freed tensors.
void release_unused();

}  // namespace diffsal
