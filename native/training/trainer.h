#pragma once
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/mapped_source.h"
#include "network/network.h"
#include "prediction/inputs.h"
#include "runtime/block_allocator.h"
#include "training/adam.h"
#include "training/joint_step.h"
#include "training/learning_rate.h"
#include "training/losses.h"
#include "training/time_ranges.h"

namespace diffsal {

// Parameters that are trained another way than the rest.
struct ParameterGroup {
  std::set<std::string> names;
  double rate;  // what the learning rate is multiplied by
  double weight_decay;
};

// lib/training/options.ts documents each, gives the defaults and checks the values.
struct TrainerOptions {
  LearningRate learning_rate;
  AdamOptions adam;
  double weight_decay;                 // of what no group has
  std::vector<ParameterGroup> groups;  // no parameter is in two
  LossOptions loss;
  double clip;                    // of the gradient's norm; infinite for none
  int64_t accumulate;             // parts that a batch is computed in, one after the other
  std::optional<double> average;  // how much of the running average of the weights a step keeps
  std::set<std::string> frozen;
  bool keep_gradients;
  std::vector<TimeRange> times;
  double dequantisation, dropout;
  bool bfloat16;
  uint64_t seed;
};

// Samples and their truth, on the CPU.
struct TrainingBatch {
  ClipInputs inputs;
  Tensor target;     // (B, 1, H, W) in [0, 1]
  Tensor fixations;  // (B, 1, H, W), or undefined
  Tensor t;          // (B,) int64, or undefined to draw it
  Tensor noise;      // (B, 1, H, W), or undefined to draw it
  // Of a batch that processes share: how many samples it has in all, and which of them these are, in order. There may be none: then the
  // batch has one that does not count, since every process takes part in every step.
  int64_t whole = 0;
  std::vector<int64_t> samples = {};

  int64_t size() const { return target.size(0); }
};

struct StepResult {
  int64_t step;                               // how many are done, this one included
  double loss, gradient_norm, learning_rate;  // the norm before it was clipped
};

// Trains a network's parameters in place. Every call belongs on the thread that runs the network.
class Trainer {
 public:
  // sharing: with whom each step is shared; begin_sharing() comes before the first.
  Trainer(Network& network, TrainerOptions options, std::optional<Sharing> sharing = {});

  // Takes over rank 0's weights and state. All processes call it at the same time.
  void begin_sharing();

  // A checksum of the weights, running statistics and averages, which tells whether another process has the same.
  std::string fingerprint() const;

  // Section 3.3's step: noise the target, denoise it under the clip, descend; `rate` is the full learning rate. It is done whole or not at all: when
  // it throws (a loss or gradient that is not finite, a cancellation), parameters, running statistics and random state are as before.
  StepResult step(const TrainingBatch& batch, double rate);

  // Of the last step, before they were clipped, by parameter; zeros where the loss does not depend on one. Gradients only with keep_gradients, and
  // only those of `names`. Throws invalid_argument where no step was taken yet.
  std::vector<Parameter> gradients(const std::set<std::string>& names) const;
  std::vector<std::pair<std::string, double>> gradient_norms() const;

  // Steps done.
  int64_t steps() const { return steps_; }

  // What another trainer needs beside the network's parameters to go on as this one would, under names that begin with training/.
  std::vector<Parameter> state() const;
  // Its names and shapes, without a trainer and on any thread.
  static std::vector<ParameterInfo> state_layout(const Network& network, const TrainerOptions& options);
  // Takes over such a state; the network's parameters must be the ones that were saved with it.
  void restore(MappedSource& source);

  // The name of a parameter that the last update has spoilt, so that it is not finite; empty where none is. A step's loss does not show it yet.
  std::string spoilt() const;

  // The running average of the weights under the network's own names; what is not trained is the network's.
  std::vector<Parameter> averaged() const;

 private:
  StepResult compute(const TrainingBatch& batch, double rate);
  void draw(const TrainingBatch& batch, Tensor& target, Tensor& t, Tensor& noise);
  void update(std::vector<Tensor> gradients, double norm, double learning_rate);
  void check_stepped() const;

  Network& network_;
  TrainerOptions options_;
  KeepingFreed keeping_;
  std::optional<Sharing> sharing_;
  std::vector<Parameter> trained_;
  std::vector<Tensor> weights_;  // trained_'s tensors
  std::vector<Parameter> buffers_;
  std::vector<Tensor> followed_;  // what is averaged: trained_, then buffers_
  std::vector<Tensor> averages_;
  Adam adam_;
  at::Generator generator_;
  Tensor bars_;
  int64_t steps_ = 0;
  // Of the last step: the norms of the gradients that were defined, which these are, and the gradients where they are kept.
  Tensor norms_;
  std::vector<bool> sloping_;
  std::vector<Tensor> gradients_;
};

}  // namespace diffsal
