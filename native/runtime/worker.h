#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "runtime/cancellation.h"

namespace diffsal {

// When a job's turn comes: before those that are less urgent, after those that came before it and are as urgent. The last comes when no other waits.
enum class Priority { high, normal, low, last };

// One thread that runs jobs in the order they came, the more urgent ones first. A model has one of its own because grad mode, inference mode and
// the number of compute threads are thread-local in libtorch, and each calling thread would grow an OpenMP pool.
class Worker {
 public:
  // threads: how many threads libtorch computes a job with, this one included.
  explicit Worker(int threads);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // `job` must not throw. It runs under `flag` (may be null) and is still called, with the flag raised, when the worker
  // stops before its turn; on the calling thread, beside others, when the worker's own has ended.
  void submit(std::function<void()> job, std::shared_ptr<CancelFlag> flag, Priority priority = Priority::normal);

  // Raises every flag and waits for the thread to end; the running job ends at its next throw_if_cancelled().
  void stop();

 private:
  struct Entry {
    std::function<void()> job;
    std::shared_ptr<CancelFlag> flag;
    Priority priority;
  };
  void run(int threads);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Entry> queue_;
  std::shared_ptr<CancelFlag> running_;
  bool stopping_ = false;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace diffsal
