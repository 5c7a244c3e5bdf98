#pragma once
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "distributed/group.h"
#include "distributed/peer_error.h"

namespace diffsal {

// One process's tie to the group's store, on a thread of its own: it shows that this process lives, watches the others, and does what
// else the store is asked for. A store whose process is stopped answers never, and nothing in libtorch ends such a call; so
// nobody but this thread calls it, and who waits for the thread gives up in time.
class Keeper : public std::enable_shared_from_this<Keeper> {
 public:
  using Clock = std::chrono::steady_clock;
  using Store = c10d::Store;

  // Connects, within the options' seconds.
  static std::shared_ptr<Keeper> open(const GroupOptions& options, const Poll& poll);

  // Runs a call on the store that does not wait there.
  template <typename Result>
  Result ask(std::function<Result(Store&)> call, const Poll& poll);

  // Throws the PeerError that has ended the group, or that a process has left which the caller needs.
  void check();
  // The same for a caller that needs nobody.
  bool failed() const;
  // Waits for another thread, until `done` holds under the lock; throws meanwhile as `poll` and check() do.
  template <typename Done>
  void wait_for(std::condition_variable& changed, std::unique_lock<std::mutex>& lock, const Poll& poll, const Done& done);
  // Ends the group, unless it has ended: all processes get to know the first fault that was told.
  void fail(int64_t rank, const std::string& why, const Poll& poll);
  // After a failure that does not say whose it is: waits until it is known who is gone, then throws it.
  [[noreturn]] void blame(const std::string& what, const Poll& poll);
  // Ends the thread. Where the store does not answer it is left behind, and ends when it does.
  void close();

  // Ranks that neither are silent nor have left, this one excepted.
  std::vector<int64_t> others() const;

 private:
  explicit Keeper(const GroupOptions& options);
  struct Fault {
    int64_t rank;
    std::string message;
  };
  struct Seen {
    int64_t beats = 0;
    Clock::duration silent{};
    bool left = false, lost = false;
  };

  static std::string unanswered() { return "Rank 0 does not answer: it is stopped, or its machine cannot be reached."; }
  static void run(const std::shared_ptr<Keeper>& self);
  void serve();
  void round(Store& store);
  void publish(Store& store, int64_t rank, const std::string& why);
  void set_fault(int64_t rank, const std::string& message);
  // Waits, with polls, until `done` holds under the lock; false after `limit`.
  bool wait_until(std::unique_lock<std::mutex>& lock, Clock::duration limit, const Poll& poll, const std::function<bool()>& done);

  const GroupOptions options_;
  const Clock::duration limit_;  // silence after which a process is given up
  const Clock::duration every_;  // from one sign of life to the next
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void(Store&)>> tasks_;
  std::vector<Seen> seen_;
  std::optional<Fault> fault_;
  bool open_ = false, closing_ = false, ended_ = false;
  Clock::time_point answered_ = Clock::now();  // when the store did last
  std::string not_opened_;
};

template <typename Done>
void Keeper::wait_for(std::condition_variable& changed, std::unique_lock<std::mutex>& lock, const Poll& poll, const Done& done) {
  while (!changed.wait_for(lock, std::chrono::milliseconds(5), done)) {
    lock.unlock();
    poll();
    check();
    lock.lock();
  }
}

inline std::string name_of(int64_t rank) { return "Rank " + std::to_string(rank); }

template <typename Result>
Result Keeper::ask(std::function<Result(Store&)> call, const Poll& poll) {
  struct Answer {
    std::optional<Result> result;
    std::exception_ptr failure;
  };
  auto answer = std::make_shared<Answer>();
  std::unique_lock lock(mutex_);
  tasks_.push_back([answer, call = std::move(call), this](Store& store) {
    Answer made;
    try {
      made.result = call(store);
    } catch (...) {
      made.failure = std::current_exception();
    }
    {
      std::lock_guard guard(mutex_);
      *answer = made;
    }
    changed_.notify_all();
    // A store that is gone: the thread ends with it.
    if (made.failure) std::rethrow_exception(made.failure);
  });
  changed_.notify_all();
  auto answered = wait_until(lock, limit_, poll, [&] { return answer->result || answer->failure || ended_; });
  if (answer->result) return *answer->result;
  if (!answered) set_fault(0, unanswered());
  if (fault_) throw PeerError(fault_->rank, fault_->message);
  throw PeerError(0, name_of(0) + " is gone: its process ended, or its machine cannot be reached.");
}

}  // namespace diffsal
