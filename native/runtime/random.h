#pragma once
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace diffsal {

// A generator of its own, so that no global state is read or left. Always the CPU's: a seed gives the same numbers
// whatever device the network runs on.
at::Generator make_generator(uint64_t seed);

// A seed for one named stream of a seeded family: parameters drawn from it do not depend on each other.
uint64_t derive_seed(uint64_t seed, const std::string& name);

// Standard normal noise (B, 1, H, W) on the CPU, sample b from generators[b] alone.
at::Tensor standard_normal(std::vector<at::Generator>& generators, int64_t height, int64_t width);

}  // namespace diffsal
