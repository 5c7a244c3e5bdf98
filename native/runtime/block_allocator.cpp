#include "runtime/block_allocator.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <malloc.h>
#include <sys/mman.h>

#include <cstdint>
#include <iterator>
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

class BlockAllocator final : public c10::Allocator {
 public:
  explicit BlockAllocator(c10::Allocator* small) : small_(small) {}

  c10::DataPtr allocate(size_t bytes) override {
    if (bytes < least) return small_->allocate(bytes);
    auto* memory = take((bytes + grain - 1) / grain * grain);
    // Where none is to be had, the other one says so.
    return memory ? c10::DataPtr(memory, memory, &give_back, c10::Device(c10::DeviceType::CPU)) : small_->allocate(bytes);
  }

  // libtorch frees by it what it asked for by raw_allocate(), of any size.
  c10::DeleterFnPtr raw_deleter() const override { return &give_back; }

  void copy_data(void* to, const void* from, std::size_t count) const override { default_copy_data(to, from, count); }

  void release() {
    std::lock_guard lock(mutex_);
    shrink(0);
  }

 private:
  static void give_back(void* memory);

  char* take(size_t size) {
    std::lock_guard lock(mutex_);
    // The smallest that does; far too large ones are kept for others.
    auto best = unused_.end();
    for (auto block = unused_.begin(); block != unused_.end(); ++block) {
      if (block->size >= size && block->size <= 2 * size && (best == unused_.end() || block->size < best->size)) best = block;
    }
    Block found{nullptr, size};
    if (best != unused_.end()) {
      found = *best;
      unused_bytes_ -= found.size;
      unused_.erase(best);
    } else {
      found.memory = map(size);
      if (!found.memory) {
        shrink(0);
        found.memory = map(size);
      }
      if (!found.memory) return nullptr;
    }
    used_.emplace(found.memory, found.size);
    return found.memory;
  }

  // Whether it is one of these blocks.
  bool put(char* memory) {
    std::lock_guard lock(mutex_);
    auto used = used_.find(memory);
    if (used == used_.end()) return false;
    unused_.push_front({memory, used->second});
    unused_bytes_ += used->second;
    used_.erase(used);
    shrink(most_unused);
    return true;
  }

  // Unmaps what lay unused longest.
  void shrink(size_t bytes) {
    while (unused_bytes_ > bytes) {
      auto last = std::prev(unused_.end());
      munmap(last->memory, last->size);
      unused_bytes_ -= last->size;
      unused_.erase(last);
    }
  }

  c10::Allocator* small_;
  std::mutex mutex_;
  std::list<Block> unused_;  // the last freed first
  size_t unused_bytes_ = 0;
  std::unordered_map<char*, size_t> used_;
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

void release_unused() {
  allocator()->release();
  malloc_trim(0);
}

}  // namespace diffsal
