#include "runtime/block_allocator.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>
#include <malloc.h>
#include <sys/mman.h>

#include <cstdint>
#include <iterator>
#include <limits>
#include <list>
#include <mutex>
#include <unordered_map>

namespace diffsal {
namespace {

constexpr size_t least = size_t{1} << 17;  // smaller ones are malloc's
constexpr size_t grain = size_t{1} << 15;  // sizes are multiples of it
constexpr size_t huge = size_t{1} << 21;   // a huge page
constexpr size_t most_unused = size_t{1} << 28;

struct Block {
  char* memory;
  size_t size;
};

// A new block, of which one that is large enough begins with a huge page; or null.
char* map(size_t size) {
  if (size < huge) {
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? nullptr : static_cast<char*>(memory);
  }
  size_t whole = size + huge;
  void* memory = mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  auto* begin = static_cast<char*>(memory);
  auto* block = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(begin) + huge - 1) / huge * huge);
  if (block > begin) munmap(begin, static_cast<size_t>(block - begin));
  if (auto rest = static_cast<size_t>(begin + whole - (block + size)); rest > 0) munmap(block + size, rest);
  madvise(block, size, MADV_HUGEPAGE);
  return block;
}

void unmap(std::list<Block>& blocks) {
  for (const auto& block : blocks) munmap(block.memory, block.size);
}

class BlockAllocator final : public c10::Allocator {
 public:
  explicit BlockAllocator(c10::Allocator* small) : small_(small) {}

  c10::DataPtr allocate(size_t bytes) override {
    if (bytes >= least) {
      auto* memory = take((bytes + grain - 1) / grain * grain);
      if (memory) return c10::DataPtr(memory, memory, &give_back, c10::Device(c10::DeviceType::CPU));
    }
    try {
      return small_->allocate(bytes);
    } catch (const c10::Error&) {
      release();
    }
    return small_->allocate(bytes);
  }

  // libtorch frees by it what it asked for by raw_allocate(), of any size.
  c10::DeleterFnPtr raw_deleter() const override { return &give_back; }

  void copy_data(void* to, const void* from, std::size_t count) const override { default_copy_data(to, from, count); }

  void release() { release(0); }

  void keep_freed(bool keep) {
    {
      std::lock_guard lock(mutex_);
      keepers_ += keep ? 1 : -1;
      if (keepers_ > 0) return;
    }
    release(most_unused);
  }

 private:
  using Place = std::list<Block>::iterator;

  static void give_back(void* memory);

  void release(size_t kept) {
    std::list<Block> gone;
    {
      std::lock_guard lock(mutex_);
      shrink(kept, gone);
    }
    unmap(gone);
  }

  // Null where there is no memory.
  char* take(size_t size) {
    if (auto* memory = reuse(size)) return memory;
    auto* memory = map(size);
    if (!memory) {
      release();
      memory = map(size);
    }
    if (!memory) return nullptr;
    madvise(memory, size, MADV_DONTFORK);
    std::lock_guard lock(mutex_);
    used_.push_front({memory, size});
    places_.emplace(memory, used_.begin());
    return memory;
  }

  char* reuse(size_t size) {
    std::lock_guard lock(mutex_);
    // The smallest that does; far too large ones are kept for others.
    auto best = unused_.end();
    for (auto block = unused_.begin(); block != unused_.end(); ++block) {
      if (block->size >= size && block->size <= 2 * size && (best == unused_.end() || block->size < best->size)) best = block;
    }
    if (best == unused_.end()) return nullptr;
    unused_bytes_ -= best->size;
    used_.splice(used_.begin(), unused_, best);
    return best->memory;
  }

  // Whether it is one of these blocks. A deleter must not throw, so nothing is allocated here.
  bool put(char* memory) {
    std::list<Block> gone;
    {
      std::lock_guard lock(mutex_);
      auto found = places_.find(memory);
      if (found == places_.end()) return false;
      auto block = found->second;
      const auto most = keepers_ > 0 ? std::numeric_limits<size_t>::max() : most_unused;
      if (block->size > most) {
        // It would drive out all others.
        places_.erase(found);
        gone.splice(gone.begin(), used_, block);
      } else {
        unused_bytes_ += block->size;
        unused_.splice(unused_.begin(), used_, block);
        shrink(most, gone);
      }
    }
    unmap(gone);
    return true;
  }

  // Moves what lay unused longest to `gone`.
  void shrink(size_t bytes, std::list<Block>& gone) {
    while (unused_bytes_ > bytes) {
      auto last = std::prev(unused_.end());
      unused_bytes_ -= last->size;
      places_.erase(last->memory);
      gone.splice(gone.begin(), unused_, last);
    }
  }

  c10::Allocator* small_;
  std::mutex mutex_;
  std::list<Block> used_, unused_;  // unused: the last freed first
  size_t unused_bytes_ = 0;
  int keepers_ = 0;
  std::unordered_map<char*, Place> places_;
};

// Never destroyed: tensors may outlive everything else.
BlockAllocator* allocator() {
  static auto* made = new BlockAllocator(c10::GetCPUAllocator());
  return made;
}

void BlockAllocator::give_back(void* memory) {
  if (!allocator()->put(static_cast<char*>(memory))) allocator()->small_->raw_deallocate(memory);
}

}  // namespace

void keep_blocks() {
  static std::once_flag once;
  std::call_once(once, [] { c10::SetCPUAllocator(allocator()); });
}

KeepingFreed::KeepingFreed() { allocator()->keep_freed(true); }

KeepingFreed::~KeepingFreed() { allocator()->keep_freed(false); }

void release_unused() {
  allocator()->release();
  malloc_trim(0);
}

}  // namespace diffsal
