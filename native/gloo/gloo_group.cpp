#include "gloo/gloo_group.h"

#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include <algorithm>
#include <map>

#include "gloo/keeper.h"
#include "gloo/message.h"
#include "gloo/meter.h"
#include "nccl/functions.h"

namespace diffsal {
namespace {

using namespace std::chrono_literals;
using c10d::ProcessGroupGloo;

std::chrono::milliseconds milliseconds(double seconds) { return std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000)); }

// A live process may take its time, over a validation or a large file; one that does not live is found by its silence.
constexpr auto patience = std::chrono::hours(24 * 7);

bool is_here(const std::string& host) { return host == "localhost" || host == "::1" || host.rfind("127.", 0) == 0; }

c10::intrusive_ptr<c10d::Store> store_of(const GroupOptions& options, const std::string& name) {
  c10d::TCPStoreOptions tcp;
  tcp.port = static_cast<uint16_t>(options.port);
  tcp.waitWorkers = false;
  tcp.timeout = milliseconds(options.seconds);
  return c10::make_intrusive<c10d::PrefixStore>(options.prefix + name, c10::make_intrusive<c10d::TCPStore>(options.host, tcp));
}

c10::intrusive_ptr<c10d::Backend> gloo_engine(const GroupOptions& options, const std::string& name) {
  auto settings = ProcessGroupGloo::Options::create(milliseconds(options.seconds));
  settings->devices.push_back(!options.interface.empty() ? ProcessGroupGloo::createDeviceForInterface(options.interface)
                              : is_here(options.host)    ? ProcessGroupGloo::createDeviceForHostname("127.0.0.1")
                                                         : ProcessGroupGloo::createDefaultDevice());
  auto engine =
      c10::make_intrusive<ProcessGroupGloo>(store_of(options, name), static_cast<int>(options.rank), static_cast<int>(options.world_size), settings);
  engine->setTimeout(patience);
  return engine;
}

c10::intrusive_ptr<c10d::Backend> nccl_engine(const GroupOptions& options, const std::string& name, const at::Device& device) {
  return options.nccl->connect(store_of(options, name), static_cast<int>(options.rank), static_cast<int>(options.world_size), device);
}

// c10d tells messages of one engine apart by their order. What goes on while a process computes has an engine of its own: where in the order of the
// others it begins may differ from process to process.
struct Engines {
  c10::intrusive_ptr<c10d::Backend> waited, begun;

  explicit operator bool() const { return static_cast<bool>(waited); }
  // broken: there may be messages that never arrive.
  void end(bool broken) const {
    for (const auto& engine : {waited, begun}) {
      if (engine) broken ? engine->abort() : engine->shutdown();
    }
  }
};

class GlooGroup : public Group {
 public:
  GlooGroup(const GroupOptions& options, std::shared_ptr<Keeper> keeper) : options_(options), keeper_(std::move(keeper)) {}

  ~GlooGroup() override {
    drop();
    keeper_->close();
  }

  int64_t rank() const override { return options_.rank; }
  int64_t world_size() const override { return options_.world_size; }

  void connect(const Poll& poll) override {
    auto engines = made([options = options_] { return Engines{gloo_engine(options, "gloo"), gloo_engine(options, "gloo-begun")}; }, poll);
    std::lock_guard lock(mutex_);
    host_ = std::move(engines);
  }

  void attach(const at::Device& device, const Poll& poll) override {
    // A second trainer goes on with what the first has connected: an engine takes in further devices by itself.
    if (options_.nccl == nullptr || !device.is_cuda() || carries(device)) return;
    auto engines = made(
        [options = options_, device] { return Engines{nccl_engine(options, "nccl", device), nccl_engine(options, "nccl-begun", device)}; }, poll);
    std::lock_guard lock(mutex_);
    device_ = std::move(engines);
  }

  bool carries(const at::Device& device) const override {
    std::lock_guard lock(mutex_);
    return device.is_cpu() || (device_ && device.is_cuda());
  }

  void sum(const at::Tensor& values, const Poll& poll) override {
    if (auto message = begin_sum(values, &Engines::waited)) message->wait(poll);
  }

  std::unique_ptr<Sum> begin_sum(const at::Tensor& values) override { return begin_sum(values, &Engines::begun); }

  void broadcast(const at::Tensor& values, const Poll& poll) override {
    c10d::BroadcastOptions options;
    options.timeout = patience;
    std::vector<at::Tensor> tensors{values};
    auto begin = [&](c10d::Backend& engine) { return engine.broadcast(tensors, options); };
    if (auto message = begin_message(values, &Engines::waited, begin)) message->wait(poll);
  }

  Traffic traffic() override { return meter_->traffic(); }

  std::vector<std::string> exchange(const std::string& channel, const std::string& text, double seconds, const Poll& poll) override {
    int64_t turn = 0;
    {
      std::lock_guard lock(turns_mutex_);
      turn = turns_[channel]++;
    }
    auto key = [&](int64_t of, int64_t rank) { return channel + "/" + std::to_string(of) + "/" + std::to_string(rank); };
    auto own = key(turn, options_.rank);
    keeper_->ask<bool>(
        [own, text](c10d::Store& store) {
          // A value of no bytes is none to compare with.
          store.set(own, std::vector<uint8_t>(text.begin(), text.end()));
          return true;
        },
        poll);
    std::vector<std::string> keys;
    for (int64_t rank = 0; rank < options_.world_size; ++rank) keys.push_back(key(turn, rank));
    auto begin = Keeper::Clock::now();
    auto pause = 1ms;
    for (;;) {
      if (keeper_->ask<bool>([keys](c10d::Store& store) { return store.check(keys); }, poll)) break;
      poll();
      keeper_->check();
      if (seconds > 0 && Keeper::Clock::now() - begin > milliseconds(seconds)) absent(keys, seconds, poll);
      std::this_thread::sleep_for(pause);
      pause = std::min<std::chrono::milliseconds>(pause * 2, 20ms);
    }
    auto all = keeper_->ask<std::vector<std::string>>(
        [keys](c10d::Store& store) {
          std::vector<std::string> list;
          for (const auto& each : keys) {
            auto bytes = store.get(each);
            list.emplace_back(bytes.begin(), bytes.end());
          }
          return list;
        },
        poll);
    // Whoever is here has read all of the turn before the last: nobody needs it any more.
    if (turn >= 2) {
      auto old = key(turn - 2, options_.rank);
      keeper_->ask<bool>([old](c10d::Store& store) { return store.deleteKey(old); }, poll);
    }
    return all;
  }

  void fail(const std::string& why, const Poll& poll) override {
    keeper_->fail(options_.rank, why, poll);
    drop();
  }

  void leave(const Poll& poll) override {
    auto own = "left/" + std::to_string(options_.rank);
    try {
      keeper_->ask<bool>([own](c10d::Store& store) { return store.set(own, std::string("1")), true; }, poll);
      auto begin = Keeper::Clock::now();
      while (options_.rank == 0 && options_.serve && Keeper::Clock::now() - begin < milliseconds(options_.seconds)) {
        std::vector<std::string> keys;
        for (auto rank : keeper_->others()) keys.push_back("left/" + std::to_string(rank));
        if (keys.empty() || keeper_->ask<bool>([keys](c10d::Store& store) { return store.check(keys); }, poll)) break;
        poll();
        std::this_thread::sleep_for(10ms);
      }
    } catch (const PeerError&) {
      // Nobody is there to part from.
    }
    drop();
    keeper_->close();
  }

 private:
  // Connecting blocks until all are connected, and nothing ends it before its time: so it has a thread that can be left behind.
  Engines made(std::function<Engines()> make, const Poll& poll) {
    struct Made {
      std::mutex mutex;
      std::condition_variable changed;
      Engines engines;
      std::string failure;
      bool done = false;
    };
    auto made = std::make_shared<Made>();
    std::thread([made, make = std::move(make)] {
      Engines engines;
      std::string failure;
      try {
        engines = make();
      } catch (const std::exception& error) {
        failure = error.what();
      }
      std::lock_guard lock(made->mutex);
      made->engines = std::move(engines);
      made->failure = std::move(failure);
      made->done = true;
      made->changed.notify_all();
    }).detach();
    std::unique_lock lock(made->mutex);
    keeper_->wait_for(made->changed, lock, poll, [&] { return made->done; });
    if (!made->engines) keeper_->blame(made->failure, poll);
    return std::move(made->engines);
  }

  std::unique_ptr<Sum> begin_sum(const at::Tensor& values, c10::intrusive_ptr<c10d::Backend> Engines::* which) {
    c10d::AllreduceOptions options;
    options.timeout = patience;
    std::vector<at::Tensor> tensors{values};
    return begin_message(values, which, [&](c10d::Backend& engine) { return engine.allreduce(tensors, options); });
  }

  // Null where there is nobody to send to.
  template <typename Begin>
  std::unique_ptr<Sum> begin_message(const at::Tensor& values, c10::intrusive_ptr<c10d::Backend> Engines::* which, const Begin& begin) {
    if (options_.world_size == 1 && values.is_cpu()) return nullptr;
    std::lock_guard lock(mutex_);
    const auto& engine = (values.is_cpu() ? host_ : device_).*which;
    // Why it has ended comes first.
    keeper_->check();
    if (!engine) throw PeerError(options_.rank, "Rank " + std::to_string(options_.rank) + " has left the group.");
    return std::make_unique<Message>([&] { return begin(*engine); }, values, keeper_, meter_);
  }

  // Who has not come within the time ends the group.
  [[noreturn]] void absent(const std::vector<std::string>& keys, double seconds, const Poll& poll) {
    auto missing = keeper_->ask<std::vector<int64_t>>(
        [keys](c10d::Store& store) {
          std::vector<int64_t> list;
          for (size_t rank = 0; rank < keys.size(); ++rank) {
            if (!store.check({keys[rank]})) list.push_back(static_cast<int64_t>(rank));
          }
          return list;
        },
        poll);
    std::string names;
    for (auto rank : missing) names += (names.empty() ? "" : ", ") + std::to_string(rank);
    auto why = (missing.size() == 1 ? "Rank " : "Ranks ") + names + " of " + std::to_string(options_.world_size) + " did not come within " +
               std::to_string(static_cast<int64_t>(seconds)) + " s.";
    keeper_->fail(missing.empty() ? -1 : missing.front(), why, poll);
    keeper_->check();
    throw PeerError(missing.empty() ? -1 : missing.front(), why);
  }

  // Work that never ends, because another process does not take part, would hold whoever frees the engines.
  void drop() {
    std::lock_guard lock(mutex_);
    std::vector<Engines> engines{std::exchange(host_, {}), std::exchange(device_, {})};
    auto end = [engines = std::move(engines)](bool broken) mutable {
      for (const auto& each : engines) each.end(broken);
      engines.clear();
    };
    if (keeper_->failed()) std::thread(std::move(end), true).detach();
    else end(false);
  }

  const GroupOptions options_;
  const std::shared_ptr<Keeper> keeper_;
  const std::shared_ptr<Meter> meter_ = std::make_shared<Meter>();
  mutable std::mutex mutex_;
  Engines host_, device_;
  std::mutex turns_mutex_;
  std::map<std::string, int64_t> turns_;
};

}  // namespace

std::shared_ptr<Group> join_gloo_group(const GroupOptions& options, const Poll& poll) {
  auto keeper = Keeper::open(options, poll);
  try {
    auto rank = std::to_string(options.rank), world = std::to_string(options.world_size);
    auto before = keeper->ask<std::string>(
        [=](c10d::Store& store) -> std::string {
          auto first = store.compareSet("world", {}, std::vector<uint8_t>(world.begin(), world.end()));
          std::string size(first.begin(), first.end());
          if (size != world) return size;
          return store.add("joined/" + rank, 1) > 1 ? "twice" : "";
        },
        poll);
    if (before == "twice") {
      // The first of them is as good as any: it stays, and so does the group.
      throw PeerError(options.rank, "Rank " + rank + " has joined already: two processes were started as rank " + rank + ".");
    }
    if (!before.empty()) {
      auto why = "Rank " + rank + " was started as one of " + world + " processes, but the group is of " + before + ".";
      keeper->fail(options.rank, why, poll);
      throw PeerError(options.rank, why);
    }
    return std::make_shared<GlooGroup>(options, keeper);
  } catch (...) {
    keeper->close();
    throw;
  }
}

}  // namespace diffsal
