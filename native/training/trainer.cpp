#include "training/trainer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "checkpoint/crc32.h"
#include "diffusion/forward_process.h"
#include "diffusion/noise_schedule.h"
#include "runtime/cancellation.h"
#include "runtime/error.h"
#include "runtime/random.h"
#include "runtime/transfer.h"
#include "training/autocast.h"
#include "training/gradients.h"

namespace diffsal {
namespace {

const std::string prefix = "training/";

// Lets autograd see the tensors, and keep their gradients, while it lives. Outside a step nothing of the model has to know that it is
// trained.
class Differentiable {
 public:
  explicit Differentiable(const std::vector<Tensor>& tensors) : tensors_(tensors) { set(true); }
  ~Differentiable() { set(false); }
  Differentiable(const Differentiable&) = delete;
  Differentiable& operator=(const Differentiable&) = delete;

 private:
  void set(bool value) {
    for (auto& tensor : tensors_) {
      tensor.set_requires_grad(value);
      tensor.mutable_grad().reset();
    }
  }
  std::vector<Tensor> tensors_;
};

std::vector<Parameter> select(const Network& network, const std::function<bool(const ParameterInfo&)>& wanted) {
  std::vector<Parameter> list;
  for (const auto& parameter : network.parameters()) {
    if (wanted(parameter.info)) list.push_back(parameter);
  }
  return list;
}

std::vector<Parameter> trained_of(const Network& network, const TrainerOptions& options) {
  return select(network, [&](const ParameterInfo& info) { return !info.buffer && options.frozen.count(info.name) == 0; });
}

std::vector<Parameter> buffers_of(const Network& network) {
  return select(network, [](const ParameterInfo& info) { return info.buffer; });
}

std::vector<Tensor> tensors_of(const std::vector<Parameter>& parameters) {
  std::vector<Tensor> list;
  for (const auto& parameter : parameters) list.push_back(parameter.tensor);
  return list;
}

// The groups of the options, and the rest as one more.
std::vector<AdamGroup> groups_of(const std::vector<Parameter>& trained, const TrainerOptions& options) {
  std::vector<AdamGroup> groups;
  for (const auto& group : options.groups) groups.push_back({{}, group.rate, group.weight_decay});
  groups.push_back({{}, 1, options.weight_decay});
  for (size_t i = 0; i < trained.size(); ++i) {
    size_t group = 0;
    while (group < options.groups.size() && options.groups[group].names.count(trained[i].info.name) == 0) ++group;
    groups[group].members.push_back(i);
  }
  return groups;
}

std::vector<Tensor> clones(const std::vector<Tensor>& tensors) {
  std::vector<Tensor> list;
  for (const auto& tensor : tensors) list.push_back(tensor.detach().clone());
  return list;
}

std::vector<Tensor> concatenated(std::vector<Tensor> first, const std::vector<Tensor>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

// Parameters of a weights file are its mapped pages. Trained ones are moved to memory of their own: the file may then change, and a
// run does not depend on how a file happened to align them, on which the last bits of a matrix product may.
void own_memory(const Network& network) {
  for (const auto& parameter : network.parameters()) {
    if (parameter.tensor.is_cpu()) parameter.tensor.set_data(parameter.tensor.detach().clone());
  }
}

// A part of a step's batch: samples begin to end - 1 of those that are here, which are `share` of the part's.
struct Part {
  int64_t begin, end;
  double share;
  SharedBatch shared;  // of a batch that processes share
};

Part part_of(const TrainingBatch& batch, int64_t i, int64_t length, const std::optional<Sharing>& sharing) {
  if (!sharing) return {i * length, (i + 1) * length, 1, {}};
  auto at = [&](int64_t sample) { return std::lower_bound(batch.samples.begin(), batch.samples.end(), sample) - batch.samples.begin(); };
  Part part{at(i * length), at((i + 1) * length), 0, {length, {}, 1, {}}};
  part.share = static_cast<double>(part.end - part.begin) / static_cast<double>(length);
  std::vector<int64_t> samples(batch.samples.begin() + part.begin, batch.samples.begin() + part.end);
  for (auto& sample : samples) sample -= i * length;
  if (samples.empty()) {
    // It goes along with a sample that does not count, since others wait for it wherever processes add up.
    part.begin = 0;
    part.end = 1;
    part.shared.weight = 0;
    samples = {0};
  }
  part.shared.samples = at::tensor(samples, at::kLong);
  if (sharing->statistics) part.shared.gather = [group = sharing->group](const Tensor& x) { return differentiable_gather(x, group); };
  return part;
}

void check_descent(double value, const std::string& what, int64_t number) {
  if (std::isfinite(value)) return;
  std::string text = std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
  throw Error(ErrorCode::diverged,
              "The " + what + " of step " + std::to_string(number) + " is " + text +
                  ". The step was not taken: the weights are those of the step before. Lower the learning rate, or look at this batch.",
              what, "finite", text);
}

}  // namespace

Trainer::Trainer(Network& network, TrainerOptions options, std::optional<Sharing> sharing)
    : network_(network),
      options_(std::move(options)),
      sharing_(std::move(sharing)),
      trained_(trained_of(network, options_)),
      weights_(tensors_of(trained_)),
      buffers_(buffers_of(network)),
      followed_(concatenated(weights_, tensors_of(buffers_))),
      adam_(weights_, options_.adam, groups_of(trained_, options_)),
      generator_(make_generator(derive_seed(options_.seed, "training"))),
      bars_(alpha_bars(network.config().timesteps).to(network.device())) {
  own_memory(network);
  if (options_.average) averages_ = clones(followed_);
}

StepResult Trainer::step(const TrainingBatch& batch, double rate) {
  auto random = generator_.get_state();
  auto statistics = tensors_of(buffers_);
  auto before = clones(statistics);
  try {
    return compute(batch, rate);
  } catch (...) {
    generator_.set_state(random);
    if (!statistics.empty()) at::_foreach_copy_(statistics, before);
    throw;
  }
}

StepResult Trainer::compute(const TrainingBatch& batch, double rate) {
  const auto device = network_.device();
  const auto number = steps_ + 1;
  check_unit(batch.target, "target");
  if (batch.noise.defined()) check_input(batch.noise, "noise");
  auto prepared = prepare(batch.inputs, network_.config(), device);
  Tensor target, t, noise;
  draw(batch, target, t, noise);
  auto noisy = q_sample(target, t, noise, bars_);
  auto fixations = batch.fixations.defined() ? to_device(batch.fixations, device) : Tensor();

  Differentiable differentiable(weights_);
  Pass pass{.training = true, .generator = generator_, .dropout = options_.dropout};
  int64_t parts = options_.accumulate, length = (sharing_ ? batch.whole : batch.size()) / parts;
  CastWeights cast_weights;
  std::optional<JointStep> joint;
  std::vector<Tensor> figures;  // the losses of the parts, then the norm: read together, for a device is waited for then
  for (int64_t i = 0; i < parts; ++i) {
    throw_if_cancelled();
    auto one = part_of(batch, i, length, sharing_);
    std::optional<SharedBatchScope> scope;
    if (sharing_) scope.emplace(one.shared);
    auto part = [&](const Tensor& x) { return x.defined() ? x.slice(0, one.begin, one.end) : x; };
    Tensor map;
    {
      Autocast autocast(options_.bfloat16, device);
      auto features = network_.encode(part(prepared.frames), part(prepared.mel), std::vector<at::Generator>(one.end - one.begin, generator_), pass);
      map = network_.denoise(part(noisy), part(t), features, pass);
    }
    auto loss = training_loss(map.to(at::kFloat), part(target), part(fixations), options_.loss);
    figures.push_back(sharing_ ? loss.detach() * one.share : loss.detach());
    if (sharing_) loss = loss * (one.share / static_cast<double>(parts));
    else if (parts > 1) loss = loss / parts;
    throw_if_cancelled();
    if (sharing_ && i == parts - 1) joint.emplace(*sharing_, weights_);
    // Adds to the weights' own gradients, which (unlike autograd::grad's) have the weights' layout, as the fused Adam needs.
    torch::autograd::backward({loss}, {}, /*retain_graph=*/false, /*create_graph=*/false, weights_);
  }
  at::NoGradGuard no_grad;
  if (joint) joint->finish(figures, generator_, tensors_of(buffers_));
  std::vector<Tensor> gradients;
  for (const auto& weight : weights_) gradients.push_back(weight.grad());
  auto norms = diffsal::gradient_norms(gradients, device);
  figures.push_back(norms.norm());
  auto values = to_host(at::stack(figures));
  double total = 0;
  for (int64_t i = 0; i < parts; ++i) {
    auto value = static_cast<double>(values.const_data_ptr<float>()[i]);
    check_descent(value, "loss", number);
    total += value / static_cast<double>(parts);
  }
  auto norm = static_cast<double>(values.const_data_ptr<float>()[parts]);
  check_descent(norm, "gradient norm", number);
  // A step that the others take is taken.
  if (!sharing_) throw_if_cancelled();
  auto learning_rate = options_.learning_rate.after(steps_, rate);
  norms_ = norms;
  sloping_.clear();
  for (const auto& gradient : gradients) sloping_.push_back(gradient.defined());
  if (options_.keep_gradients) gradients_ = gradients;
  update(std::move(gradients), norm, learning_rate);
  return {++steps_, total, norm, learning_rate};
}

void Trainer::draw(const TrainingBatch& batch, Tensor& target, Tensor& t, Tensor& noise) {
  const auto& config = network_.config();
  // What is drawn is drawn for the whole batch, so that a sample gets the same however many processes share it.
  const auto whole = sharing_ ? batch.whole : batch.size();
  auto here = [&](const Tensor& x) {
    if (!sharing_) return x;
    return x.index_select(0, at::tensor(batch.samples.empty() ? std::vector<int64_t>{0} : batch.samples, at::kLong));
  };
  auto sizes = batch.target.sizes().vec();
  sizes[0] = whole;
  auto normal = [&] { return here(at::empty(sizes, at::kFloat).normal_(0, 1, generator_)); };
  t = batch.t;
  if (!t.defined()) {
    int64_t drawn = config.released() ? 1 : whole;
    t = here(draw_times(options_.times, drawn, generator_).expand({whole}));
  }
  noise = batch.noise.defined() ? batch.noise : normal();
  target = batch.target;
  if (options_.dequantisation > 0) target = target + options_.dequantisation * normal();
  for (auto* tensor : {&target, &t, &noise}) *tensor = to_device(*tensor, network_.device());
}

void Trainer::update(std::vector<Tensor> gradients, double norm, double learning_rate) {
  clip_gradients(gradients, norm, options_.clip, options_.keep_gradients);
  adam_.step(weights_, gradients, learning_rate);
  if (options_.average) at::_foreach_lerp_(averages_, followed_, 1 - *options_.average);
}

std::vector<ParameterInfo> Trainer::state_layout(const Network& network, const TrainerOptions& options) {
  std::vector<ParameterInfo> layout;
  auto add = [&](const std::string& name, const std::vector<int64_t>& shape) { layout.push_back({prefix + name, shape, Init::zeros, 0, true}); };
  auto trained = trained_of(network, options);
  for (const auto& [info, tensor] : trained) {
    add("mean/" + info.name, info.shape);
    add("square/" + info.name, info.shape);
  }
  add("updates", {static_cast<int64_t>(trained.size())});
  if (options.average) {
    for (const auto& [info, tensor] : trained) add("average/" + info.name, info.shape);
    for (const auto& [info, tensor] : buffers_of(network)) add("average/" + info.name, info.shape);
  }
  add("step", {});
  add("generator", make_generator(0).get_state().sizes().vec());
  return layout;
}

std::vector<Parameter> Trainer::state() const {
  const auto& adam = adam_.state();
  std::vector<Tensor> tensors;
  for (size_t i = 0; i < trained_.size(); ++i) tensors.insert(tensors.end(), {adam.means[i], adam.squares[i]});
  tensors.push_back(at::stack(adam.steps));
  tensors.insert(tensors.end(), averages_.begin(), averages_.end());
  tensors.push_back(at::full({}, static_cast<double>(steps_), at::kFloat));
  // A generator's bytes, one a float32, which every reader of weights can read.
  tensors.push_back(generator_.get_state().to(at::kFloat));
  std::vector<Parameter> list;
  for (auto& info : state_layout(network_, options_)) list.push_back({std::move(info), tensors[list.size()]});
  return list;
}

void Trainer::restore(MappedSource& source) {
  std::vector<Tensor> stored;
  for (const auto& info : state_layout(network_, options_)) stored.push_back(source.tensor(info));
  source.finish();
  auto next = stored.begin();
  auto& adam = adam_.state();
  for (size_t i = 0; i < trained_.size(); ++i) {
    adam.means[i].copy_(*next++);
    adam.squares[i].copy_(*next++);
  }
  auto updates = (next++)->unbind();
  for (size_t i = 0; i < updates.size(); ++i) adam.steps[i].copy_(updates[i]);
  for (auto& average : averages_) average.copy_(*next++);
  steps_ = static_cast<int64_t>((next++)->item<float>());
  generator_.set_state(next->to(at::kByte));
}

void Trainer::begin_sharing() {
  sharing_->group->attach(network_.device(), throw_if_cancelled);
  auto& adam = adam_.state();
  auto random = generator_.get_state().to(at::kFloat);
  auto steps = at::full({}, static_cast<double>(steps_), at::kFloat);
  auto tensors = tensors_of(network_.parameters());
  for (const auto* list : {&adam.means, &adam.squares, &adam.steps, &averages_}) tensors.insert(tensors.end(), list->begin(), list->end());
  tensors.insert(tensors.end(), {random, steps});
  broadcast_state(*sharing_, tensors);
  generator_.set_state(random.to(at::kByte));
  steps_ = static_cast<int64_t>(steps.item<float>());
}

std::string Trainer::fingerprint() const {
  Crc32 crc;
  auto tensors = tensors_of(network_.parameters());
  tensors.insert(tensors.end(), averages_.begin(), averages_.end());
  for (const auto& tensor : tensors) {
    auto host = to_host(tensor.detach()).contiguous();
    crc.add(static_cast<const char*>(host.const_data_ptr()), host.nbytes());
  }
  return crc.text();
}

void Trainer::check_stepped() const {
  if (!norms_.defined()) throw invalid_argument("trainer", "one that has taken a step since it was made or resumed", "one that has taken none");
}

std::vector<Parameter> Trainer::gradients(const std::set<std::string>& names) const {
  check_stepped();
  std::vector<Parameter> list;
  for (size_t i = 0; i < trained_.size(); ++i) {
    const auto& info = trained_[i].info;
    if (names.count(info.name) == 0) continue;
    list.push_back({info, gradients_[i].defined() ? to_host(gradients_[i]) : at::zeros(info.shape, at::kFloat)});
  }
  return list;
}

std::vector<std::pair<std::string, double>> Trainer::gradient_norms() const {
  check_stepped();
  auto norms = to_host(norms_);
  const auto* next = norms.const_data_ptr<float>();
  std::vector<std::pair<std::string, double>> list;
  for (size_t i = 0; i < trained_.size(); ++i) list.emplace_back(trained_[i].info.name, sloping_[i] ? *next++ : 0);
  return list;
}

std::string Trainer::spoilt() const {
  const auto& parameters = network_.parameters();
  std::vector<Tensor> finite;
  for (const auto& parameter : parameters) finite.push_back(at::isfinite(parameter.tensor.detach()).all());
  auto told = to_host(at::stack(finite));
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (!told.const_data_ptr<bool>()[i]) return parameters[i].info.name;
  }
  return {};
}

std::vector<Parameter> Trainer::averaged() const {
  auto list = network_.parameters();
  size_t trained = 0, buffer = trained_.size();
  for (auto& parameter : list) {
    if (parameter.info.buffer) parameter.tensor = averages_[buffer++];
    else if (trained < trained_.size() && parameter.info.name == trained_[trained].info.name) parameter.tensor = averages_[trained++];
  }
  return list;
}

}  // namespace diffsal
