#pragma once
#include <atomic>
#include <exception>
#include <memory>

namespace diffsal {

// Thrown by a job whose flag was raised; never reaches a user, who sees the signal's own reason.
struct Cancelled : std::exception {
  const char* what() const noexcept override { return "cancelled"; }
};

// Raised by any thread, read by the job's.
class CancelFlag {
 public:
  void raise() { raised_.store(true, std::memory_order_relaxed); }
  bool raised() const { return raised_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> raised_{false};
};

// Makes `flag` the one that throw_if_cancelled() reads on this thread, for the scope's lifetime.
class CancelScope {
 public:
  explicit CancelScope(const CancelFlag* flag);
  ~CancelScope();
  CancelScope(const CancelScope&) = delete;
  CancelScope& operator=(const CancelScope&) = delete;

 private:
  const CancelFlag* outer_;
};

// The network calls this between blocks, so that a cancelled job ends within one block's time.
void throw_if_cancelled();

}  // namespace diffsal
