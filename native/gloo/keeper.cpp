#include "gloo/keeper.h"

#include <pthread.h>

#include <algorithm>
#include <cctype>

namespace diffsal {
namespace {

using namespace std::chrono_literals;

// Between two polls of who waits.
constexpr auto tick = 5ms;

std::string text_of(const std::vector<uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }
std::vector<uint8_t> bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

// The first line of what libtorch says, without where in its sources it says so.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string seconds_text(double seconds) {
  auto text = std::to_string(seconds);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text + " s";
}

}  // namespace

Keeper::Keeper(const GroupOptions& options)
    : options_(options),
      // The others have the rest of the time to hear of it.
      limit_(std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.seconds * 0.6))),
      every_(std::min<Clock::duration>(1s, limit_ / 12)),
      seen_(static_cast<size_t>(options.world_size)) {}

std::shared_ptr<Keeper> Keeper::open(const GroupOptions& options, const Poll& poll) {
  auto keeper = std::shared_ptr<Keeper>(new Keeper(options));
  std::thread([keeper] { run(keeper); }).detach();
  std::unique_lock lock(keeper->mutex_);
  try {
    keeper->wait_until(lock, std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.seconds * 1.5 + 5)), poll,
                       [&] { return keeper->open_ || keeper->ended_; });
  } catch (...) {
    keeper->closing_ = true;
    throw;
  }
  if (keeper->open_) return keeper;
  keeper->closing_ = true;
  auto where = "'" + options.host + ":" + std::to_string(options.port) + "'";
  bool serves = options.rank == 0 && options.serve;
  bool taken = keeper->not_opened_.find("EADDRINUSE") != std::string::npos || keeper->not_opened_.find("ddress already in use") != std::string::npos;
  if (serves && taken) {
    throw PeerError(0,
                    "Rank 0 cannot listen at " + where + ": another process does. Is there a second rank 0? Else give another port (MASTER_PORT).");
  }
  if (serves) throw PeerError(0, "Rank 0 cannot listen at " + where + ": " + keeper->not_opened_);
  throw PeerError(0, "Nothing answers at " + where + ", where rank 0 should be, within " + seconds_text(options.seconds) +
                         ": it was not started, or the address (MASTER_ADDR, MASTER_PORT) is another's.");
}

void Keeper::run(const std::shared_ptr<Keeper>& self) {
  pthread_setname_np(pthread_self(), "diffsal-group");
  try {
    self->serve();
  } catch (const std::exception& error) {
    std::lock_guard lock(self->mutex_);
    if (!self->open_) self->not_opened_ = first_line(error.what());
    else if (!self->closing_) self->set_fault(0, name_of(0) + " is gone: its process ended, or its machine cannot be reached.");
  }
  {
    std::lock_guard lock(self->mutex_);
    self->ended_ = true;
  }
  self->changed_.notify_all();
}

void Keeper::serve() {
  c10d::TCPStoreOptions options;
  options.port = static_cast<uint16_t>(options_.port);
  options.isServer = options_.rank == 0 && options_.serve;
  options.waitWorkers = false;
  options.timeout = std::chrono::milliseconds(static_cast<int64_t>(options_.seconds * 1000));
  auto tcp = c10::make_intrusive<c10d::TCPStore>(options_.host, options);
  c10d::PrefixStore store(options_.prefix, tcp);
  std::unique_lock lock(mutex_);
  open_ = true;
  answered_ = Clock::now();
  changed_.notify_all();
  auto next = Clock::now();
  for (;;) {
    changed_.wait_until(lock, next, [this] { return closing_ || !tasks_.empty(); });
    while (!tasks_.empty()) {
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task(store);
      lock.lock();
      answered_ = Clock::now();
    }
    if (closing_) return;
    if (Clock::now() < next) continue;
    next = Clock::now() + every_;
    lock.unlock();
    round(store);
    lock.lock();
    answered_ = Clock::now();
    changed_.notify_all();
  }
}

// One sign of life, and a look at the others'.
void Keeper::round(Store& store) {
  const std::string beat = "beat/";
  store.add(beat + std::to_string(options_.rank), 1);
  {
    std::lock_guard lock(mutex_);
    if (fault_) return;
  }
  if (store.check({"fault"})) {
    publish(store, options_.rank, "");  // takes over the one that is there
    return;
  }
  for (int64_t rank = 0; rank < options_.world_size; ++rank) {
    auto& seen = seen_[static_cast<size_t>(rank)];
    if (rank == options_.rank || seen.left) continue;
    auto beats = store.add(beat + std::to_string(rank), 0);
    bool gone = false;
    {
      std::lock_guard lock(mutex_);
      // A round counts as one, however long this process itself was stopped meanwhile.
      seen.silent = beats != seen.beats || beats == 0 ? Clock::duration::zero() : seen.silent + every_;
      seen.beats = beats;
      gone = seen.silent >= limit_;
    }
    if (gone) {
      bool left = store.check({"left/" + std::to_string(rank)});
      {
        std::lock_guard lock(mutex_);
        seen.left = left;
        seen.lost = !left;
      }
      if (!left) {
        publish(
            store, rank,
            name_of(rank) + " is gone or stopped: no sign of life of it for " + seconds_text(std::chrono::duration<double>(limit_).count()) + ".");
        return;
      }
    }
  }
}

void Keeper::publish(Store& store, int64_t rank, const std::string& why) {
  // What is stored is `rank message`; the first stays.
  auto first = text_of(store.compareSet("fault", {}, bytes_of(std::to_string(rank) + " " + why)));
  auto space = first.find(' ');
  int64_t whose = std::stoll(first.substr(0, space));
  auto message = first.substr(space + 1);
  std::lock_guard lock(mutex_);
  if (whose == options_.rank && message != why) message += " The others have gone on without it.";
  set_fault(whose, message);
}

void Keeper::set_fault(int64_t rank, const std::string& message) {
  if (!fault_) fault_ = Fault{rank, message};
  if (rank >= 0 && rank < options_.world_size) seen_[static_cast<size_t>(rank)].lost = true;
}

void Keeper::check() {
  std::lock_guard lock(mutex_);
  if (!fault_ && Clock::now() - answered_ > limit_ + every_) set_fault(0, unanswered());
  if (fault_) throw PeerError(fault_->rank, fault_->message);
  for (size_t rank = 0; rank < seen_.size(); ++rank) {
    if (seen_[rank].left)
      throw PeerError(static_cast<int64_t>(rank), name_of(static_cast<int64_t>(rank)) + " has left the group, which another still needs it for.");
  }
}

bool Keeper::failed() const {
  std::lock_guard lock(mutex_);
  return fault_.has_value();
}

void Keeper::fail(int64_t rank, const std::string& why, const Poll& poll) {
  if (failed()) return;
  try {
    ask<bool>([=, this](Store& store) { return publish(store, rank, why), true; }, poll);
  } catch (const PeerError&) {
    // It has ended in another way.
  }
  std::lock_guard lock(mutex_);
  set_fault(rank, why);
}

void Keeper::blame(const std::string& what, const Poll& poll) {
  std::unique_lock lock(mutex_);
  wait_until(lock, limit_ + 4 * every_, poll, [this] { return fault_ || ended_ || Clock::now() - answered_ > limit_; });
  if (!fault_ && Clock::now() - answered_ > limit_) set_fault(0, unanswered());
  if (fault_) throw PeerError(fault_->rank, fault_->message);
  lock.unlock();
  fail(-1, "The processes lost each other: " + first_line(what), poll);
  check();
  throw PeerError(-1, "The processes lost each other: " + first_line(what));
}

bool Keeper::wait_until(std::unique_lock<std::mutex>& lock, Clock::duration limit, const Poll& poll, const std::function<bool()>& done) {
  auto until = Clock::now() + limit;
  while (!done()) {
    if (Clock::now() >= until) return false;
    lock.unlock();
    poll();
    lock.lock();
    changed_.wait_for(lock, tick, done);
  }
  return true;
}

void Keeper::close() {
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  // What is left of the thread's last call; where the store does not answer, it stays behind.
  std::unique_lock lock(mutex_);
  wait_until(lock, 1s, [] {}, [this] { return ended_; });
}

std::vector<int64_t> Keeper::others() const {
  std::lock_guard lock(mutex_);
  std::vector<int64_t> list;
  for (size_t rank = 0; rank < seen_.size(); ++rank) {
    if (static_cast<int64_t>(rank) != options_.rank && !seen_[rank].left && !seen_[rank].lost) list.push_back(static_cast<int64_t>(rank));
  }
  return list;
}

}  // namespace diffsal
