#pragma once
#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace diffsal {

struct NcclFunctions;

// Called while a call waits for other processes, some hundred times a second: throws where the call shall end.
using Poll = std::function<void()>;

// Which process of how many this is, and where they meet.
struct GroupOptions {
  int64_t rank, world_size;
  std::string host;
  int64_t port;
  // Whether rank 0 opens the meeting point; a launcher may have one open already.
  bool serve;
  // What the keys of this group begin with, where several share a meeting point.
  std::string prefix;
  // For how long a process may be silent before the others give it up.
  double seconds;
  // The network interface to other machines; empty for the one that the machine's name leads to.
  std::string interface;
  // What carries sums of tensors on NVIDIA's devices; null where they go through the host's memory.
  const NcclFunctions* nccl = nullptr;
};

// What a process's sums and broadcasts were so far.
struct Traffic {
  int64_t messages = 0;
  int64_t bytes = 0;   // of the tensors, once for each message
  double seconds = 0;  // in which one or more were on their way
  double waited = 0;   // in which this process's computing stood still for one: what of `seconds` was not hidden
};

// A sum that was begun, and goes on while its process computes.
class Sum {
 public:
  virtual ~Sum() = default;
  // Blocks until the tensor holds the sum.
  virtual void wait(const Poll& poll) = 0;
};

// Processes that work together, as one of them sees it. Every call that others take part in must come in the same order in all. Each blocks, so
// it belongs on a worker; what ends one (a process that is gone, a failure anywhere) ends all later ones with the same PeerError.
class Group {
 public:
  virtual ~Group() = default;

  virtual int64_t rank() const = 0;
  virtual int64_t world_size() const = 0;
  // Connects the processes for sums and broadcasts, once, after they have exchanged who they are.
  virtual void connect(const Poll& poll) = 0;
  // Connects the processes' devices, where the options have something that carries their tensors; once, each process with its own.
  virtual void attach(const at::Device& device, const Poll& poll) = 0;
  // Whether sums may be of tensors that lie there. Those on the CPU always may.
  virtual bool carries(const at::Device& device) const = 0;
  // The sum over all processes, in place of a float32 tensor: the same bits in all.
  virtual void sum(const at::Tensor& values, const Poll& poll) = 0;
  // The same without waiting for it. These sums have an order of their own, in which those of sum() and broadcast() do not count.
  virtual std::unique_ptr<Sum> begin_sum(const at::Tensor& values) = 0;
  // Rank 0's values, in place of a float32 tensor on the CPU.
  virtual void broadcast(const at::Tensor& values, const Poll& poll) = 0;
  virtual Traffic traffic() = 0;
  // What each process gives, by rank. Calls of different channels are independent of each other, and may come from different threads.
  // seconds: for how long processes that have not come yet are waited for; 0 for as long as they live.
  virtual std::vector<std::string> exchange(const std::string& channel, const std::string& text, double seconds, const Poll& poll) = 0;
  // Ends the group for all: tells the others that this process cannot go on, and why.
  virtual void fail(const std::string& why, const Poll& poll) = 0;
  // Parts from the others. Rank 0 waits for them, so that none is without its meeting point while it needs it.
  virtual void leave(const Poll& poll) = 0;
};

}  // namespace diffsal
