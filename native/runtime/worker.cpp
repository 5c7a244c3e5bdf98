#include "runtime/worker.h"

#include <ATen/Parallel.h>
#include <pthread.h>

#include <algorithm>

namespace diffsal {

Worker::Worker(int threads) : thread_([this, threads] { run(threads); }) {}

Worker::~Worker() { stop(); }

void Worker::submit(std::function<void()> job, std::shared_ptr<CancelFlag> flag, Priority priority) {
  if (!flag) flag = std::make_shared<CancelFlag>();
  std::unique_lock lock(mutex_);
  if (stopping_) flag->raise();
  if (!ended_) {
    auto later = std::find_if(queue_.begin(), queue_.end(), [priority](const Entry& entry) { return entry.priority > priority; });
    queue_.insert(later, {std::move(job), std::move(flag), priority});
    changed_.notify_one();
    return;
  }
  lock.unlock();
  CancelScope scope(flag.get());
  job();
}

void Worker::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    for (auto& entry : queue_) entry.flag->raise();
    if (running_) running_->raise();
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Worker::run(int threads) {
  pthread_setname_np(pthread_self(), "diffsal");
  // A thread's first question sets it to the process's number, so it is asked before its own is set.
  at::get_num_threads();
  at::set_num_threads(threads);
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) {
      ended_ = true;
      return;
    }
    Entry entry = std::move(queue_.front());
    queue_.pop_front();
    running_ = entry.flag;
    lock.unlock();
    {
      CancelScope scope(entry.flag.get());
      entry.job();
    }
    entry = {};
    lock.lock();
    running_.reset();
  }
}

}  // namespace diffsal
