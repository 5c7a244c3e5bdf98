#include "memory.h"

#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "report.h"
#include "streams.h"

namespace stand_in {
namespace {

// Beyond what x86-64's addresses reach, so that following it is a fault.
constexpr uintptr_t mark = uintptr_t{1} << 60;

void* marked(void* host) { return reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(host) | mark); }
void* unmarked(void* device) { return reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(device) & ~mark); }

struct Use {
  StreamKey stream = -1;
  uint64_t number = 0;
};

struct Block {
  void* memory;
  size_t bytes;
  c10::Stream home;  // whose memory it is again once it is freed
  Use written;
  std::map<StreamKey, uint64_t> read;
  std::set<StreamKey> recorded;
};

std::string name_of(StreamKey key) { return "stream " + std::to_string(key % 1000) + " of device " + std::to_string(key / 1000); }

void free_block(void* context) {
  auto* block = static_cast<Block*>(context);
  {
    std::lock_guard lock(state_mutex());
    auto check = [&](StreamKey stream, uint64_t number) {
      if (stream < 0 || block->recorded.count(stream) > 0 || is_done_before(block->home, stream, number)) return;
      find(std::to_string(block->bytes) + " bytes of " + name_of(key_of(block->home)) + " were freed while " + name_of(stream) +
           " may still use them: recordDataPtrOnStream was not called");
    };
    check(block->written.stream, block->written.number);
    for (const auto& [stream, number] : block->read) check(stream, number);
  }
  std::free(block->memory);
  delete block;
}

struct DeviceAllocator final : c10::Allocator {
  c10::DataPtr allocate(size_t bytes) override {
    auto stream = current_stream(-1);
    auto device = stream.device();
    if (bytes == 0) return {nullptr, device};
    void* memory = nullptr;
    TORCH_CHECK_WITH(OutOfMemoryError, posix_memalign(&memory, 64, bytes) == 0, "the stand-in has no ", bytes, " bytes");
    std::memset(memory, 0xff, bytes);  // NaN
    return {marked(memory), new Block{memory, bytes, stream, {}, {}, {}}, &free_block, device};
  }
  void copy_data(void*, const void*, std::size_t) const override { TORCH_CHECK(false, "the host copies the stand-in's memory"); }
  c10::DeleterFnPtr raw_deleter() const override { return nullptr; }
};

// Ordinary memory that is remembered.
struct PinnedAllocator final : c10::Allocator {
  std::mutex mutex;
  std::map<const char*, size_t> blocks;

  c10::DataPtr allocate(size_t bytes) override;
  void copy_data(void* to, const void* from, std::size_t count) const override { std::memcpy(to, from, count); }
  bool holds(const void* pointer) {
    std::lock_guard lock(mutex);
    auto* at = static_cast<const char*>(pointer);
    auto after = blocks.upper_bound(at);
    if (after == blocks.begin()) return false;
    auto found = std::prev(after);
    return at < found->first + found->second;
  }
};

PinnedAllocator& pinned_allocator() {
  static auto* made = new PinnedAllocator();
  return *made;
}

void free_pinned(void* memory) {
  auto& allocator = pinned_allocator();
  {
    std::lock_guard lock(allocator.mutex);
    allocator.blocks.erase(static_cast<char*>(memory));
  }
  std::free(memory);
}

c10::DataPtr PinnedAllocator::allocate(size_t bytes) {
  if (bytes == 0) return {nullptr, at::kCPU};
  void* memory = nullptr;
  TORCH_CHECK(posix_memalign(&memory, 64, bytes) == 0, "no pinned memory");
  std::lock_guard lock(mutex);
  blocks[static_cast<char*>(memory)] = bytes;
  return {memory, memory, &free_pinned, at::kCPU};
}

struct Hooks final : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  c10::DeviceIndex deviceCount() const override { return device_count; }
  bool isPinnedPtr(const void* data) const override { return pinned_allocator().holds(data); }
  c10::Allocator* getPinnedMemoryAllocator() const override { return &pinned_allocator(); }
  const at::Generator& getDefaultGenerator(c10::DeviceIndex) const override {
    TORCH_CHECK(false, "a seed gives the CPU's numbers, not the device's");
  }
};

struct sigaction handler_before;

// The fault of an address that cannot be one has no address. It is raised again, for whoever waits for such signals, once this is said.
void on_fault(int number, siginfo_t* info, void* context) {
  if (info->si_addr == nullptr && info->si_code == SI_KERNEL) {
    const char text[] = "The host followed a pointer of the stand-in device.\n";
    if (::write(STDERR_FILENO, text, sizeof text - 1) < 0) return;
  }
  sigaction(number, &handler_before, nullptr);
}

[[maybe_unused]] const bool registered = [] {
  c10::register_privateuse1_backend("standin");
  at::RegisterPrivateUse1HooksInterface(new Hooks());
  c10::SetAllocator(c10::DeviceType::PrivateUse1, device_allocator());
  struct sigaction action{};
  action.sa_sigaction = &on_fault;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &action, &handler_before);
  return true;
}();

Block* block_of(const c10::DataPtr& data) { return data.get_deleter() == &free_block ? static_cast<Block*>(data.get_context()) : nullptr; }

}  // namespace

c10::Allocator* device_allocator() {
  static auto* made = new DeviceAllocator();
  return made;
}

c10::Storage host_storage_of(const at::Tensor& tensor) {
  const auto& storage = tensor.storage();
  return {c10::Storage::use_byte_size_t(), storage.nbytes(), c10::DataPtr(unmarked(storage.data_ptr().get()), at::kCPU)};
}

at::Tensor on_host(const at::Tensor& tensor, const c10::Storage& host_storage) {
  auto host = at::detail::make_tensor<c10::TensorImpl>(c10::Storage(host_storage), c10::DispatchKeySet(c10::DispatchKey::CPU), tensor.dtype());
  host.unsafeGetTensorImpl()->set_sizes_and_strides(tensor.sizes(), tensor.strides(), tensor.storage_offset());
  return host;
}

void touch(const at::Tensor& tensor, bool write, const c10::Stream& stream, uint64_t number) {
  auto* block = block_of(tensor.storage().data_ptr());
  if (block == nullptr) return;
  std::lock_guard lock(state_mutex());
  auto check = [&](StreamKey other, uint64_t theirs, const char* what) {
    TORCH_CHECK(other < 0 || is_done_before(stream, other, theirs), name_of(key_of(stream)), " uses a tensor of ", tensor.sizes(), " that ",
                name_of(other), " may still ", what, ": it waits for no event of it");
  };
  check(block->written.stream, block->written.number, "write");
  if (write) {
    for (const auto& [other, theirs] : block->read) check(other, theirs, "read");
    block->read.clear();
    block->written = {key_of(stream), number};
  } else {
    block->read[key_of(stream)] = number;
  }
}

void used_on(const c10::DataPtr& data, const c10::Stream& stream) {
  auto* block = block_of(data);
  if (block == nullptr) return;
  std::lock_guard lock(state_mutex());
  block->recorded.insert(key_of(stream));
}

}  // namespace stand_in
