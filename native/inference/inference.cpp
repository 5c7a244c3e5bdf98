#include "inference/inference.h"

#include <atomic>

#include "inference/cpu_inference.h"
#include "inference/lean_inference.h"

namespace diffsal {
namespace {

std::atomic<uint64_t> serials = 0;

}  // namespace

Inference::Inference() : serial_(++serials) {}

std::unique_ptr<Inference> make_inference(const Parts& parts, const std::vector<Parameter>& parameters, const Config& config, at::Device device,
                                          at::ScalarType precision, Form form) {
  if (form == Form::plain) return nullptr;
  if (form == Form::fast && device.is_cpu() && precision == at::kFloat) return std::make_unique<CpuInference>(parts, config);
  return std::make_unique<LeanInference>(parts, parameters, config, device, precision);
}

}  // namespace diffsal
