#pragma once
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "distributed/group.h"
#include "ops/shared_batch.h"

namespace diffsal {

// How a trainer shares each step with other processes.
struct Sharing {
  std::shared_ptr<Group> group;
  bool statistics;  // whether BatchNorm's are of the whole batch
};

// The tensors (n) of the group's processes by rank, (processes, n), through which gradients flow: each process's gradient is that of the sum of
// all losses.
at::Tensor differentiable_gather(const at::Tensor& x, const std::shared_ptr<Group>& group);

// What the processes add up in a step: the gradients of `weights`, in buckets, each of which is on its way as soon as the backward pass has made all
// of it, and the pass goes on meanwhile. Each process sends the buckets in the same order, whatever order its own pass makes gradients in.
class JointStep {
 public:
  // Comes before the backward pass that completes the gradients.
  JointStep(const Sharing& sharing, const std::vector<at::Tensor>& weights);
  // Also where the pass, or finish(), has thrown.
  ~JointStep();
  JointStep(const JointStep&) = delete;
  JointStep& operator=(const JointStep&) = delete;

  // After it: waits, and gives each weight the gradient of the whole batch, `figures` (a scalar each) their sums, on the CPU, and the generator and
  // buffers rank 0's. A weight that no process has a gradient of is left without.
  void finish(std::vector<at::Tensor>& figures, at::Generator& generator, const std::vector<at::Tensor>& buffers);

 private:
  struct Bucket {
    std::vector<size_t> members;  // of weights_
    at::Tensor values;            // their gradients, one behind the other; where they lie, or on the CPU while they are sent from there
    size_t missing;               // how many are not there yet
    std::unique_ptr<Sum> sum;
  };

  // The gradient of a weight is there; this pass has none for it.
  void made(size_t weight);
  void put(size_t weight);
  void send_full();
  std::vector<bool> exchange_rest(std::vector<at::Tensor>& figures, at::Generator& generator, const std::vector<at::Tensor>& buffers);

  const Sharing& sharing_;
  const std::vector<at::Tensor>& weights_;
  std::vector<Bucket> buckets_;
  // Of each weight: its bucket, its place in that one's values, and whether it is there.
  struct Place {
    size_t bucket;
    int64_t first;
    bool filled = false;
  };
  std::vector<Place> places_;
  size_t sent_ = 0;  // buckets
};

// Gives all processes rank 0's values of float32 tensors.
void broadcast_state(const Sharing& sharing, const std::vector<at::Tensor>& tensors);

}  // namespace diffsal
