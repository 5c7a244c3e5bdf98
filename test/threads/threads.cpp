// What threads share of the addon without a network, for a run under the thread sanitizer: workers with their queues and flags, and the memory
// that tensors of all of them take and give back.
#include <ATen/ops/empty.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "ops/shared_batch.h"
#include "runtime/block_allocator.h"
#include "runtime/cancellation.h"
#include "runtime/worker.h"

namespace {

using namespace diffsal;

void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "not ok: %s\n", what);
  std::exit(1);
}

template <typename Work>
void on_threads(int count, Work work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(work, i);
  for (auto& thread : threads) thread.join();
}

// One job at a time.
struct Turn {
  explicit Turn(int& running) : running_(running) { expect(running_++ == 0, "two jobs ran at once"); }
  ~Turn() { --running_; }
  int& running_;
};

// One thread at a time runs jobs that are not cancelled, whoever submits, cancels and stops meanwhile. Each is called once, also after the stop.
void workers() {
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> called = 0, cancelled = 0;
    int running = 0;  // not atomic: the worker's thread alone touches it
    auto worker = std::make_unique<Worker>(1);
    on_threads(4, [&](int i) {
      std::minstd_rand random(static_cast<unsigned>(round * 4 + i + 1));
      for (int k = 0; k < 50; ++k) {
        auto flag = std::make_shared<CancelFlag>();
        worker->submit(
            [&] {
              try {
                throw_if_cancelled();
                Turn turn(running);
                for (int step = 0; step < 20; ++step) throw_if_cancelled();
              } catch (const Cancelled&) {
                ++cancelled;
              }
              ++called;
            },
            flag, static_cast<Priority>(random() % 4));
        if (random() % 3 == 0) flag->raise();
      }
      if (round % 2 == 1 && i == 0) worker->stop();
    });
    worker.reset();
    expect(called == 200, "a job was not called");
    expect(cancelled <= called, "more jobs were cancelled than called");
  }
}

// Memory that one thread takes and another gives back, while a third gives all of it to the system.
void blocks() {
  keep_blocks();
  std::mutex mutex;
  std::vector<at::Tensor> passed;
  on_threads(4, [&](int i) {
    std::minstd_rand random(static_cast<unsigned>(i + 1));
    for (int k = 0; k < 300; ++k) {
      auto size = int64_t{1} << (10 + random() % 11);
      auto made = at::empty({size}, at::kFloat);
      made.mutable_data_ptr<float>()[0] = static_cast<float>(size);
      made.mutable_data_ptr<float>()[size - 1] = static_cast<float>(size);
      at::Tensor other;
      {
        std::lock_guard lock(mutex);
        if (passed.size() > 8) {
          other = passed[random() % passed.size()];
          std::swap(passed[random() % passed.size()], passed.back());
          passed.pop_back();
        }
        passed.push_back(std::move(made));
      }
      if (other.defined()) expect(other.const_data_ptr<float>()[other.numel() - 1] == static_cast<float>(other.numel()), "memory was given twice");
      if (k % 100 == 99) release_unused();
    }
  });
}

// A batch that is shared is known to the thread that shares it alone.
void shared_batches() {
  on_threads(4, [](int i) {
    for (int k = 0; k < 100; ++k) {
      expect(SharedBatchScope::current() == nullptr, "a batch outlives its scope");
      SharedBatch batch{i, {}, 1, {}};
      SharedBatchScope scope(batch);
      expect(SharedBatchScope::current()->size == i, "a batch is another thread's");
    }
  });
}

}  // namespace

int main() {
  workers();
  blocks();
  shared_batches();
  std::puts("threads: ok");
}
