#include "gloo/message.h"

#include <ATen/core/ivalue_inl.h>

#include <chrono>
#include <thread>

namespace diffsal {
namespace {

std::string words_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "c10d gave up";
  }
}

}  // namespace

Message::Message(const std::function<c10::intrusive_ptr<c10d::Work>()>& begin, const at::Tensor& values, std::shared_ptr<Keeper> keeper,
                 std::shared_ptr<Meter> meter)
    : on_device_(!values.is_cpu()), keeper_(std::move(keeper)), meter_(std::move(meter)) {
  keeper_->check();
  meter_->count(static_cast<int64_t>(values.nbytes()));
  if (!on_device_) meter_->begin();
  work_ = begin();
  if (on_device_) return;
  work_->getFuture()->addCallback([landing = landing_, meter = meter_](c10::ivalue::Future&) {
    meter->end();
    {
      std::lock_guard lock(landing->mutex);
      landing->here = true;
    }
    landing->changed.notify_all();
  });
}

void Message::wait(const Poll& poll) {
  auto begin = Meter::Clock::now();
  if (on_device_) wait_for_device(poll);
  else wait_for_host(poll);
  meter_->add_waited(Meter::Clock::now() - begin);
}

void Message::wait_for_host(const Poll& poll) {
  {
    std::unique_lock lock(landing_->mutex);
    keeper_->wait_for(landing_->changed, lock, poll, [this] { return landing_->here; });
  }
  auto future = work_->getFuture();
  if (future->hasError()) keeper_->blame(words_of(future->exception_ptr()), poll);
}

void Message::wait_for_device(const Poll& poll) {
  for (int turns = 0; !work_->isCompleted(); ++turns) {
    std::this_thread::sleep_for(std::chrono::microseconds(turns < 100 ? 50 : 1000));
    if (turns % 16 != 15) continue;
    poll();
    keeper_->check();
  }
  if (auto failure = work_->exception()) keeper_->blame(words_of(failure), poll);
  meter_->add(work_->getDuration() / 1000);
  // For what the device's queue has after it.
  work_->synchronize();
}

}  // namespace diffsal
