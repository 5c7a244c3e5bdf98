#include "streams.h"

#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <utility>

#include "memory.h"

namespace stand_in {
namespace {

struct LateCopy {
  uint64_t number;
  bool to_host;
  std::function<void()> run;
};

struct Queue {
  Clock clock;  // of what it is given next
  std::deque<LateCopy> copies;
};

// Never destroyed: threads may end after everything else.
struct State {
  std::recursive_mutex mutex;
  std::map<StreamKey, Queue> queues;
  Clock host;  // of all threads as one: they tell each other by locks, which are not seen here
};

State& state() {
  static auto* made = new State();
  return *made;
}

void merge(Clock& into, const Clock& from) {
  for (const auto& [key, number] : from) into[key] = std::max(into[key], number);
}

uint64_t known(const Clock& clock, StreamKey key) {
  auto found = clock.find(key);
  return found == clock.end() ? 0 : found->second;
}

// Makes the copies up to `number`, in turn; only those to the device unless the host waits.
void make_copies(Queue& queue, uint64_t number, bool to_host_too) {
  std::deque<LateCopy> kept;
  for (auto& copy : std::exchange(queue.copies, {})) {
    if (copy.number > number || (copy.to_host && !to_host_too)) kept.push_back(std::move(copy));
    else copy.run();
  }
  for (auto& copy : queue.copies) kept.push_back(std::move(copy));
  queue.copies = std::move(kept);
}

struct Event {
  StreamKey stream;
  Clock clock;
};

thread_local c10::DeviceIndex device_of_thread = 0;
thread_local std::array<c10::StreamId, device_count> streams_of_thread{};
std::atomic<uint64_t> handed_out = 0;

constexpr auto type = c10::DeviceType::PrivateUse1;

struct Guard final : c10::impl::DeviceGuardImplInterface {
  c10::DeviceType type() const override { return stand_in::type; }
  c10::Device exchangeDevice(c10::Device device) const override {
    auto before = getDevice();
    setDevice(device);
    return before;
  }
  c10::Device getDevice() const override { return {stand_in::type, device_of_thread}; }
  void setDevice(c10::Device device) const override {
    TORCH_CHECK(device.index() >= 0 && device.index() < device_count, "there is no stand-in device ", device.index());
    device_of_thread = device.index();
  }
  void uncheckedSetDevice(c10::Device device) const noexcept override { device_of_thread = device.index(); }
  c10::Stream getStream(c10::Device device) const override { return current_stream(device.index()); }
  c10::Stream getDefaultStream(c10::Device device) const override { return c10::Stream(c10::Stream::UNSAFE, device, 0); }
  c10::Stream getStreamFromGlobalPool(c10::Device device, bool) const override {
    return c10::Stream(c10::Stream::UNSAFE, device, 1 + static_cast<c10::StreamId>(handed_out++) % streams_of_a_device);
  }
  c10::Stream exchangeStream(c10::Stream stream) const override {
    return c10::Stream(c10::Stream::UNSAFE, stream.device(),
                       std::exchange(streams_of_thread.at(static_cast<size_t>(stream.device_index())), stream.id()));
  }
  c10::DeviceIndex deviceCount() const noexcept override { return device_count; }

  void record(void** event, const c10::Stream& stream, c10::DeviceIndex, c10::EventFlag) const override {
    std::lock_guard lock(state().mutex);
    if (*event == nullptr) *event = new Event();
    *static_cast<Event*>(*event) = {key_of(stream), state().queues[key_of(stream)].clock};
  }
  void block(void* handle, const c10::Stream& stream) const override {
    std::lock_guard lock(state().mutex);
    const auto& event = *static_cast<Event*>(handle);
    make_copies(state().queues[event.stream], known(event.clock, event.stream), /*to_host_too=*/false);
    merge(state().queues[key_of(stream)].clock, event.clock);
  }
  bool queryEvent(void*) const override { return true; }
  void synchronizeEvent(void* handle) const override {
    std::lock_guard lock(state().mutex);
    const auto& event = *static_cast<Event*>(handle);
    make_copies(state().queues[event.stream], known(event.clock, event.stream), /*to_host_too=*/true);
    merge(state().host, event.clock);
  }
  void destroyEvent(void* event, c10::DeviceIndex) const noexcept override { delete static_cast<Event*>(event); }
  bool queryStream(const c10::Stream&) const override { return false; }
  void synchronizeStream(const c10::Stream& stream) const override { wait_for(stream); }
  void recordDataPtrOnStream(const c10::DataPtr& data, const c10::Stream& stream) const override { used_on(data, stream); }
};

C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard)

}  // namespace

StreamKey key_of(const c10::Stream& stream) { return stream.device_index() * 1000 + stream.id(); }

c10::Stream current_stream(c10::DeviceIndex device) {
  c10::Device at(type, device < 0 ? device_of_thread : device);
  return c10::Stream(c10::Stream::UNSAFE, at, streams_of_thread.at(static_cast<size_t>(at.index())));
}

std::recursive_mutex& state_mutex() { return state().mutex; }

uint64_t launch(const c10::Stream& stream) {
  std::lock_guard lock(state().mutex);
  auto& queue = state().queues[key_of(stream)];
  merge(queue.clock, state().host);
  auto number = ++queue.clock[key_of(stream)];
  make_copies(queue, number, /*to_host_too=*/false);
  return number;
}

void copy_later(const c10::Stream& stream, bool to_host, std::function<void()> copy) {
  std::lock_guard lock(state().mutex);
  auto& queue = state().queues[key_of(stream)];
  queue.copies.push_back({queue.clock[key_of(stream)], to_host, std::move(copy)});
}

void wait_for(const c10::Stream& stream) {
  std::lock_guard lock(state().mutex);
  auto& queue = state().queues[key_of(stream)];
  make_copies(queue, UINT64_MAX, /*to_host_too=*/true);
  merge(state().host, queue.clock);
}

bool is_done_before(const c10::Stream& stream, StreamKey other, uint64_t number) {
  if (other == key_of(stream)) return true;
  std::lock_guard lock(state().mutex);
  return known(state().queues[key_of(stream)].clock, other) >= number || known(state().host, other) >= number;
}

}  // namespace stand_in
