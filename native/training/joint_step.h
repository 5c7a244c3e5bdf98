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
  bool first;       // whether this is rank 0, whose random state and running statistics all take
  bool statistics;  // whether BatchNorm's are of the whole batch
};

// A tensor's sum over the group, through which gradients flow: each process's gradient is that of the sum of all losses.
at::Tensor differentiable_sum(const at::Tensor& x, const std::shared_ptr<Group>& group);

// What the processes add up after the backward pass: one tensor, so one message. Gives each the gradients of the whole batch, the sums of
// `figures` (a scalar each, on the CPU), and rank 0's generator and buffers. A weight that no process has a gradient of is left without.
void sum_step(const Sharing& sharing, const std::vector<at::Tensor>& weights, std::vector<at::Tensor>& figures, at::Generator& generator,
              const std::vector<at::Tensor>& buffers);

// Gives all processes rank 0's values of float32 tensors.
void broadcast_state(const Sharing& sharing, const std::vector<at::Tensor>& tensors);

}  // namespace diffsal
