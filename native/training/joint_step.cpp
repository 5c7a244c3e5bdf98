#include "training/joint_step.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include "runtime/cancellation.h"

namespace diffsal {
namespace {

using at::Tensor;

Tensor summed(const Tensor& x, const std::shared_ptr<Group>& group) {
  auto host = x.detach().to(at::kCPU, at::kFloat, /*non_blocking=*/false, /*copy=*/true).contiguous();
  group->sum(host, throw_if_cancelled);
  return host.to(x.device(), x.scalar_type());
}

struct GroupSum : torch::autograd::Function<GroupSum> {
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x, const std::shared_ptr<Group>& group) {
    context->saved_data["group"] = reinterpret_cast<int64_t>(&group);
    return summed(x, group);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context, const torch::autograd::variable_list& gradients) {
    // The trainer holds it for as long as its graphs live.
    const auto& group = *reinterpret_cast<const std::shared_ptr<Group>*>(context->saved_data["group"].toInt());
    return {summed(gradients[0], group), Tensor()};
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

void put(Flat& flat, const Tensor& tensor, bool given) {
  auto place = flat.next(tensor.numel());
  if (given) place.copy_(tensor.reshape({-1}));
  else place.zero_();
}

}  // namespace

Tensor differentiable_sum(const Tensor& x, const std::shared_ptr<Group>& group) { return GroupSum::apply(x, group); }

void sum_step(const Sharing& sharing, const std::vector<Tensor>& weights, std::vector<Tensor>& figures, at::Generator& generator,
              const std::vector<Tensor>& buffers) {
  auto random = generator.get_state().to(at::kFloat);  // bytes: exact
  int64_t size = static_cast<int64_t>(weights.size() + figures.size()) + random.numel();
  for (const auto* list : {&weights, &buffers}) {
    for (const auto& tensor : *list) size += tensor.numel();
  }
  Flat flat(size);
  auto has = flat.next(static_cast<int64_t>(weights.size()));
  for (size_t i = 0; i < weights.size(); ++i) {
    const auto& gradient = weights[i].grad();
    has.data_ptr<float>()[i] = gradient.defined() ? 1.f : 0.f;
    put(flat, gradient.defined() ? gradient : weights[i], gradient.defined());
  }
  for (const auto& figure : figures) put(flat, figure, true);
  put(flat, random, sharing.first);
  for (const auto& buffer : buffers) put(flat, buffer, sharing.first);

  sharing.group->sum(flat.values(), throw_if_cancelled);

  flat.rewind();
  has = flat.next(static_cast<int64_t>(weights.size()));
  for (size_t i = 0; i < weights.size(); ++i) {
    auto values = flat.next(weights[i].numel());
    if (has.const_data_ptr<float>()[i] == 0) continue;
    auto weight = weights[i];
    // Of the weight's layout, as the fused Adam needs.
    if (!weight.grad().defined()) weight.mutable_grad() = at::empty_like(weight);
    weight.mutable_grad().copy_(values.view(weight.sizes()));
  }
  for (auto& figure : figures) figure = flat.next(1).clone().squeeze().to(figure.device());
  generator.set_state(flat.next(random.numel()).to(at::kByte));
  for (auto buffer : buffers) buffer.copy_(flat.next(buffer.numel()).view(buffer.sizes()));
}

void broadcast_state(const Sharing& sharing, const std::vector<Tensor>& tensors) {
  at::NoGradGuard no_grad;
  int64_t size = 0;
  for (const auto& tensor : tensors) size += tensor.numel();
  Flat flat(size);
  for (const auto& tensor : tensors) put(flat, tensor.detach(), true);
  sharing.group->broadcast(flat.values(), throw_if_cancelled);
  flat.rewind();
  for (const auto& tensor : tensors) tensor.detach().copy_(flat.next(tensor.numel()).view(tensor.sizes()));
}

}  // namespace diffsal
