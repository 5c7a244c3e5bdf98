#pragma once
#include <chrono>
#include <mutex>

#include "distributed/group.h"

namespace diffsal {

// Counts what a process sends. Any thread may tell it something.
class Meter {
 public:
  using Clock = std::chrono::steady_clock;

  void count(int64_t bytes) {
    std::lock_guard lock(mutex_);
    traffic_.messages += 1;
    traffic_.bytes += bytes;
  }
  // A message is on its way, and is there. Seconds of several at once count once.
  void begin() {
    std::lock_guard lock(mutex_);
    if (flying_++ == 0) since_ = Clock::now();
  }
  void end() {
    std::lock_guard lock(mutex_);
    if (--flying_ == 0) traffic_.seconds += std::chrono::duration<double>(Clock::now() - since_).count();
  }
  // Of a message that a device has timed.
  void add(double seconds) {
    std::lock_guard lock(mutex_);
    traffic_.seconds += seconds;
  }
  void add_waited(Clock::duration time) {
    std::lock_guard lock(mutex_);
    traffic_.waited += std::chrono::duration<double>(time).count();
  }
  Traffic traffic() const {
    std::lock_guard lock(mutex_);
    return traffic_;
  }

 private:
  mutable std::mutex mutex_;
  Traffic traffic_;
  int64_t flying_ = 0;
  Clock::time_point since_;
};

}  // namespace diffsal
