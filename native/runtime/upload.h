#pragma once
#include <ATen/core/Tensor.h>
#include <c10/core/Event.h>
#include <c10/core/Stream.h>

#include <atomic>
#include <memory>
#include <optional>

namespace diffsal {

// A tensor that a caller has handed over, on its way to the device that computes.
class Upload {
 public:
  // A copy that was begun.
  struct Copy {
    Copy(at::Tensor copied, c10::Event event, std::shared_ptr<std::atomic<int64_t>> counter);
    ~Copy();
    at::Tensor tensor;
    c10::Event done;
    std::shared_ptr<std::atomic<int64_t>> under_way;  // bytes of all copies that live
  };

  Upload() = default;
  // Without a copy it is not begun.
  explicit Upload(at::Tensor host, std::shared_ptr<const Copy> copy = nullptr) : host_(std::move(host)), copy_(std::move(copy)) {}

  bool defined() const { return host_.defined(); }
  // The values, on the CPU.
  const at::Tensor& host() const { return host_; }
  // The values on `device`, for the calling thread: its stream waits for the copy, the thread does not.
  at::Tensor on(at::Device device) const;

 private:
  at::Tensor host_;
  std::shared_ptr<const Copy> copy_;
};

// Begins the uploads to one model's device: on CUDA through pinned memory, on a stream of their own, so that the next batch is copied while
// one is computed. On the CPU there is nothing to do. One thread calls it.
class Uploader {
 public:
  explicit Uploader(at::Device device) : device_(device) {}

  // Memory to fill with what is to be uploaded.
  at::Tensor memory(at::IntArrayRef shape, at::ScalarType type) const;
  // Begins to copy memory that it gave, once it is filled. So much may be under way that a caller who never waits does not fill the
  // device: the rest is copied when it is its turn.
  Upload begin(at::Tensor host);

 private:
  // Whether another `bytes` may be under way.
  bool room_for(int64_t bytes) const;

  at::Device device_;
  std::optional<c10::Stream> stream_;
  std::shared_ptr<std::atomic<int64_t>> under_way_ = std::make_shared<std::atomic<int64_t>>(0);
};

}  // namespace diffsal
