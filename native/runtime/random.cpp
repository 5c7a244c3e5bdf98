#include "runtime/random.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>

namespace diffsal {

at::Generator make_generator(uint64_t seed) { return at::detail::createCPUGenerator(seed); }

uint64_t derive_seed(uint64_t seed, const std::string& name) {
  // FNV-1a over the name, mixed with the seed by SplitMix64's finaliser.
  uint64_t hash = 14695981039346656037ull;
  for (unsigned char byte : name) hash = (hash ^ byte) * 1099511628211ull;
  uint64_t z = hash + seed * 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

at::Tensor standard_normal(std::vector<at::Generator>& generators, int64_t height, int64_t width) {
  auto noise = at::empty({static_cast<int64_t>(generators.size()), 1, height, width}, at::kFloat);
  for (size_t b = 0; b < generators.size(); ++b) noise[static_cast<int64_t>(b)].normal_(0, 1, generators[b]);
  return noise;
}

}  // namespace diffsal
