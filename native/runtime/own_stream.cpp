#include "runtime/own_stream.h"

#include <c10/core/Stream.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <vector>

namespace diffsal {
namespace {

constexpr int streams_of_a_device = 32;

struct Registry {
  std::mutex mutex;
  std::vector<c10::Stream> held, given_back;
};

// Never destroyed: threads may end after everything else.
Registry& registry() {
  static auto* made = new Registry();
  return *made;
}

struct Holder {
  std::optional<c10::Stream> stream;
  ~Holder() {
    if (!stream) return;
    std::lock_guard lock(registry().mutex);
    std::erase(registry().held, *stream);
    registry().given_back.push_back(*stream);
  }
};

thread_local Holder holder;

std::optional<c10::Stream> unheld(const c10::impl::VirtualGuardImpl& guard, c10::Device device) {
  auto& [mutex, held, given_back] = registry();
  auto again = std::find_if(given_back.begin(), given_back.end(), [&](const auto& stream) { return stream.device() == device; });
  if (again != given_back.end()) {
    auto stream = *again;
    given_back.erase(again);
    return stream;
  }
  for (int i = 0; i < streams_of_a_device; ++i) {
    auto stream = guard.getStreamFromGlobalPool(device);
    if (std::find(held.begin(), held.end(), stream) == held.end()) return stream;
  }
  return std::nullopt;
}

}  // namespace

bool take_own_stream(c10::Device device) {
  c10::impl::VirtualGuardImpl guard(device.type());
  std::lock_guard lock(registry().mutex);
  auto stream = unheld(guard, device);
  if (stream) {
    registry().held.push_back(*stream);
    holder.stream = stream;
  }
  guard.exchangeStream(stream ? *stream : guard.getStreamFromGlobalPool(device));
  return stream.has_value();
}

}  // namespace diffsal
