#include "training/joint_step.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <functional>
#include <utility>

#include "runtime/cancellation.h"

namespace diffsal {
namespace {

using at::Tensor;

Tensor summed(const Tensor& x, const std::shared_ptr<Group>& group) {
  auto device = group->carries(x.device()) ? x.device() : at::Device(at::kCPU);
  auto values = x.detach().to(device, at::kFloat, /*non_blocking=*/false, /*copy=*/true).contiguous();
  group->sum(values, throw_if_cancelled);
  return values.to(x.device(), x.scalar_type());
}

// By a sum in which each process has zeros for the others, which for so few values costs what a gathering would.
struct GroupRows : torch::autograd::Function<GroupRows> {
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x, const std::shared_ptr<Group>& group) {
    context->saved_data["group"] = reinterpret_cast<int64_t>(&group);
    auto rows = at::zeros({group->world_size(), x.size(0)}, x.options());
    rows[group->rank()].copy_(x);
    return summed(rows, group);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context, const torch::autograd::variable_list& gradients) {
    // The trainer holds it for as long as its graphs live.
    const auto& group = *reinterpret_cast<const std::shared_ptr<Group>*>(context->saved_data["group"].toInt());
    return {summed(gradients[0], group)[group->rank()], Tensor()};
  }
};

// Writes tensors one behind the other into a flat one, and reads them from it.
class Flat {
 public:
  explicit Flat(int64_t size) : values_(at::empty({size}, at::kFloat)) {}
  Tensor next(int64_t size) { return values_.narrow(0, std::exchange(at_, at_ + size), size); }
  void rewind() { at_ = 0; }
  Tensor& values() { return values_; }

 private:
  Tensor values_;
  int64_t at_ = 0;
};

void append(Flat& flat, const Tensor& tensor, bool given) {
  auto place = flat.next(tensor.numel());
  if (given) place.copy_(tensor.reshape({-1}));
  else place.zero_();
}

// Of a bucket, at most, where it is not a larger weight: so large that a message's delay does not count. Nothing hides the last one, so it is small.
constexpr int64_t bucket_bytes = 8 << 20, last_bucket_bytes = 1 << 20;

// How many of the first layers' weights, whose gradients come last, make up the last bucket.
size_t of_last_bucket(const std::vector<Tensor>& weights) {
  size_t count = 0;
  for (int64_t size = 0; count < weights.size(); ++count) {
    size += weights[count].numel() * static_cast<int64_t>(sizeof(float));
    if (size > last_bucket_bytes) break;
  }
  return count;
}

// Called by autograd when it has added to a weight's gradient.
struct Made : torch::autograd::PostAccumulateGradHook {
  explicit Made(std::function<void()> call) : call(std::move(call)) {}
  void operator()(const Tensor&) override { call(); }
  std::function<void()> call;
};

}  // namespace

Tensor differentiable_gather(const Tensor& x, const std::shared_ptr<Group>& group) { return GroupRows::apply(x, group); }

JointStep::JointStep(const Sharing& sharing, const std::vector<Tensor>& weights) : sharing_(sharing), weights_(weights), places_(weights.size()) {
  // A backward pass comes to the layers in about the opposite order of theirs.
  std::vector<int64_t> sizes;
  const auto of_last = of_last_bucket(weights);
  for (size_t i = weights.size(); i-- > 0;) {
    auto size = weights[i].numel();
    constexpr auto most = bucket_bytes / static_cast<int64_t>(sizeof(float));
    if (sizes.empty() || sizes.back() + size > most || i + 1 == of_last) {
      buckets_.push_back({});
      sizes.push_back(0);
    }
    buckets_.back().members.push_back(i);
    places_[i] = {buckets_.size() - 1, std::exchange(sizes.back(), sizes.back() + size)};
  }
  for (size_t i = 0; i < buckets_.size(); ++i) {
    buckets_[i].missing = buckets_[i].members.size();
    buckets_[i].values = at::empty({sizes[i]}, weights.front().options().dtype(at::kFloat).requires_grad(false));
  }
  for (size_t i = 0; i < weights.size(); ++i)
    torch::autograd::impl::set_post_acc_grad_hooks(weights[i], std::make_unique<Made>([this, i] { made(i); }));
}

JointStep::~JointStep() {
  for (const auto& weight : weights_) torch::autograd::impl::set_post_acc_grad_hooks(weight, nullptr);
}

void JointStep::made(size_t weight) {
  at::NoGradGuard no_grad;
  put(weight);
  send_full();
}

void JointStep::put(size_t weight) {
  auto& [index, first, filled] = places_[weight];
  auto& bucket = buckets_[index];
  const auto& gradient = weights_[weight].grad();
  auto place = bucket.values.narrow(0, first, weights_[weight].numel());
  if (gradient.defined()) place.copy_(gradient.reshape({-1}));
  else place.zero_();
  filled = true;
  --bucket.missing;
}

void JointStep::send_full() {
  for (; sent_ < buckets_.size() && buckets_[sent_].missing == 0; ++sent_) {
    auto& bucket = buckets_[sent_];
    if (!sharing_.group->carries(bucket.values.device())) bucket.values = bucket.values.to(at::kCPU);
    bucket.sum = sharing_.group->begin_sum(bucket.values);
  }
}

void JointStep::finish(std::vector<Tensor>& figures, at::Generator& generator, const std::vector<Tensor>& buffers) {
  // What this pass had no gradient for may have one of a pass before.
  for (size_t i = 0; i < weights_.size(); ++i) {
    if (!places_[i].filled) put(i);
  }
  send_full();
  auto has = exchange_rest(figures, generator, buffers);
  for (const auto& bucket : buckets_) {
    if (bucket.sum) bucket.sum->wait(throw_if_cancelled);
    for (auto i : bucket.members) {
      if (!has[i]) continue;
      auto weight = weights_[i];
      // Of the weight's layout, as the fused Adam needs.
      if (!weight.grad().defined()) weight.mutable_grad() = at::empty_like(weight);
      weight.mutable_grad().copy_(bucket.values.narrow(0, places_[i].first, weight.numel()).view(weight.sizes()));
    }
  }
}

// Whether any process has a gradient, of each weight.
std::vector<bool> JointStep::exchange_rest(std::vector<Tensor>& figures, at::Generator& generator, const std::vector<Tensor>& buffers) {
  auto random = generator.get_state().to(at::kFloat);  // bytes: exact
  const auto count = static_cast<int64_t>(weights_.size());
  int64_t size = count + static_cast<int64_t>(figures.size()) + random.numel();
  for (const auto& buffer : buffers) size += buffer.numel();
  Flat flat(size);
  auto has = flat.next(count);
  for (size_t i = 0; i < weights_.size(); ++i) has.data_ptr<float>()[i] = weights_[i].grad().defined() ? 1.f : 0.f;
  for (const auto& figure : figures) append(flat, figure, true);
  const bool first = sharing_.group->rank() == 0;
  append(flat, random, first);
  for (const auto& buffer : buffers) append(flat, buffer, first);

  sharing_.group->sum(flat.values(), throw_if_cancelled);

  flat.rewind();
  has = flat.next(count);
  for (auto& figure : figures) figure = flat.next(1).clone().squeeze().to(figure.device());
  generator.set_state(flat.next(random.numel()).to(at::kByte));
  for (const auto& buffer : buffers) buffer.copy_(flat.next(buffer.numel()).view(buffer.sizes()));
  std::vector<bool> list;
  for (int64_t i = 0; i < count; ++i) list.push_back(has.const_data_ptr<float>()[i] != 0);
  return list;
}

void broadcast_state(const Sharing& sharing, const std::vector<Tensor>& tensors) {
  at::NoGradGuard no_grad;
  int64_t size = 0;
  for (const auto& tensor : tensors) size += tensor.numel();
  Flat flat(size);
  for (const auto& tensor : tensors) append(flat, tensor.detach(), true);
  sharing.group->broadcast(flat.values(), throw_if_cancelled);
  flat.rewind();
  for (const auto& tensor : tensors) tensor.detach().copy_(flat.next(tensor.numel()).view(tensor.sizes()));
}

}  // namespace diffsal
