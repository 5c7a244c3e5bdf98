#pragma once
#include <c10/core/Stream.h>

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>

namespace stand_in {

// Kernels run at once, on the CPU, in the order in which they are given. So what the streams of a device would leave open is told by clocks: each
// stream counts what it was given, and knows up to where it waits for every other one, through events or because the host waited.
// What is really late are copies between the host and the device that are not waited for: the target is filled with NaN, and the copy is made
// when the stream is given more (to the device) or waited for (to the host).

constexpr c10::DeviceIndex device_count = 2;
constexpr c10::StreamId streams_of_a_device = 32;

using StreamKey = int64_t;
// What is known of each stream: how much of what it was given is done.
using Clock = std::map<StreamKey, uint64_t>;

StreamKey key_of(const c10::Stream& stream);
c10::Stream current_stream(c10::DeviceIndex device);

// Held wherever clocks, pending copies and the blocks of memory are touched.
std::recursive_mutex& state_mutex();

// Gives a kernel to a stream: it begins after everything that the stream was given or waits for. Returns its number there.
uint64_t launch(const c10::Stream& stream);
// Gives it a copy that is made late.
void copy_later(const c10::Stream& stream, bool to_host, std::function<void()> copy);
// The host waits for all that the stream was given.
void wait_for(const c10::Stream& stream);
// Whether kernel `number` of stream `other` is done before what `stream` is given next.
bool is_done_before(const c10::Stream& stream, StreamKey other, uint64_t number);

}  // namespace stand_in
