#pragma once
#include <torch/csrc/distributed/c10d/Work.hpp>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

#include "distributed/group.h"
#include "gloo/keeper.h"
#include "gloo/meter.h"

namespace diffsal {

// A sum or broadcast that c10d is at.
class Message : public Sum {
 public:
  // `begin` gives it to c10d.
  Message(const std::function<c10::intrusive_ptr<c10d::Work>()>& begin, const at::Tensor& values, std::shared_ptr<Keeper> keeper,
          std::shared_ptr<Meter> meter);

  void wait(const Poll& poll) override;

 private:
  // What c10d's thread tells the one that waits.
  struct Landing {
    std::mutex mutex;
    std::condition_variable changed;
    bool here = false;
  };

  void wait_for_host(const Poll& poll);
  void wait_for_device(const Poll& poll);

  const bool on_device_;
  const std::shared_ptr<Keeper> keeper_;
  const std::shared_ptr<Meter> meter_;
  const std::shared_ptr<Landing> landing_ = std::make_shared<Landing>();
  c10::intrusive_ptr<c10d::Work> work_;
};

}  // namespace diffsal
