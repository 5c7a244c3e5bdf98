// Sounds of any samples, length and rate: resampled, cut or padded, and made into mel slices of any size.
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>

#include <cstdlib>

#include "audio/excerpt.h"
#include "audio/log_mel.h"
#include "bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace diffsal;
  c10::InferenceMode inference;
  Bytes bytes(data, size);
  // As lib/ checks them.
  auto rate = 1000 + bytes.below(767001);
  auto length = 25600 + bytes.below(30000), height = 1 + bytes.below(64), width = 1 + bytes.below(96), slots = 1 + bytes.below(20);
  std::vector<float> values;
  while (bytes.size() > 0) values.push_back(bytes.next<float>());
  if (values.empty()) return 0;
  auto samples = at::from_blob(values.data(), {static_cast<int64_t>(values.size())}, at::kFloat);
  auto heard = resample(samples, rate, network_rate);
  auto expected = (samples.size(0) * network_rate + rate - 1) / rate;
  if (heard.size(0) != expected) std::abort();
  auto cut = centre(heard, length);
  if (cut.size(0) != length) std::abort();
  auto slices = mel_slices(cut, height, width, slots, network_rate);
  if (slices.sizes() != at::IntArrayRef({1, slots, height, width})) std::abort();
  return 0;
}
