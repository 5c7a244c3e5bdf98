#pragma once
#include <ATen/core/Tensor.h>
#include <c10/core/Event.h>

#include <optional>

namespace diffsal {

// Memory on the CPU that CUDA copies from and to by itself, pinned; where there is no more of it, ordinary memory, for which threads wait.
at::Tensor host_memory(at::IntArrayRef shape, at::ScalarType type);

// A tensor of the CPU on `device`. On CUDA it goes through pinned memory on the calling thread's stream, which alone waits for it.
at::Tensor to_device(const at::Tensor& host, at::Device device);

// A tensor on the CPU; the calling thread waits for its values.
at::Tensor to_host(const at::Tensor& tensor);

// Keeps a loop that queues work from running ahead of the device by more than a pass, so that it hears of being cancelled. On the CPU it
// does nothing.
class Pace {
 public:
  explicit Pace(at::Device device) : device_(device) {}
  // After a pass was queued: waits for the one before it.
  void queued();

 private:
  at::Device device_;
  std::optional<c10::Event> before_;
};

}  // namespace diffsal
