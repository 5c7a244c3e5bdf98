#include "inference/inference.h"

#include <atomic>

#include "inference/cpu_inference.h"

namespace diffsal {
namespace {

std::atomic<uint64_t> serials = 0;

}  // namespace

Inference::Inference() : serial_(++serials) {}

std::unique_ptr<Inference> make_inference(const Parts& parts, const Config& config, at::Device device) {
  if (device.is_cpu()) return std::make_unique<CpuInference>(parts, config);
  return nullptr;
}

}  // namespace diffsal
