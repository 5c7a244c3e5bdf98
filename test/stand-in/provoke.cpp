#include "provoke.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <c10/core/Event.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <functional>
#include <map>

namespace stand_in {
namespace {

constexpr auto device_type = c10::DeviceType::PrivateUse1;

at::TensorOptions on(c10::DeviceIndex device) { return at::TensorOptions(at::kFloat).device(at::Device(device_type, device)); }

c10::Stream another_stream() { return c10::impl::VirtualGuardImpl(device_type).getStreamFromGlobalPool(at::Device(device_type, 0)); }

const std::map<std::string, std::function<void()>> ways = {
    {"read by the host", [] { TORCH_CHECK(*at::ones({4}, on(0)).const_data_ptr<float>() == 1, "the host read something else"); }},
    {"host and device", [] { at::ones({4}, on(0)).add_(at::ones({4})); }},
    {"two devices", [] { at::ones({4}, on(0)).add_(at::ones({4}, on(1))); }},
    {"item", [] { at::ones({}, on(0)).item<float>(); }},
    {"a copy that waits", [] { at::ones({4}, on(0)).cpu(); }},
    {"read before it is there",
     [] {
       auto host = at::empty({4}, at::TensorOptions(at::kFloat).pinned_memory(true));
       host.copy_(at::ones({4}, on(0)), /*non_blocking=*/true);
       TORCH_CHECK(host.eq(1).all().item<bool>(), "nothing is there yet");
     }},
    {"a stream that does not wait",
     [] {
       auto x = at::ones({4}, on(0));
       c10::StreamGuard guard(another_stream());
       x.add_(1);
     }},
    {"freed too early",
     [] {
       auto x = at::ones({4}, on(0));
       auto stream = another_stream();
       c10::Event made(device_type);
       made.record(c10::impl::VirtualGuardImpl(device_type).getStream(at::Device(device_type, 0)));
       made.block(stream);
       c10::StreamGuard guard(stream);
       x.add_(1);
       x.reset();
     }},
};

}  // namespace

void provoke(const std::string& mistake) {
  c10::InferenceMode inference;
  ways.at(mistake)();
}

}  // namespace stand_in
