#pragma once
#include <ATen/autocast_mode.h>

namespace diffsal {

// While it lives, and `enabled`, the device computes matrix products and convolutions of this thread in bfloat16. What it casts the weights to is
// kept beyond, for the next part of a batch.
class Autocast {
 public:
  Autocast(bool enabled, at::Device device) : enabled_(enabled), type_(device.type()) {
    if (!enabled_) return;
    at::autocast::set_autocast_dtype(type_, at::kBFloat16);
    at::autocast::set_autocast_enabled(type_, true);
  }
  ~Autocast() {
    if (!enabled_) return;
    at::autocast::set_autocast_enabled(type_, false);
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  bool enabled_;
  at::DeviceType type_;
};

// Forgets at its end what weights were cast to: they are about to change.
class CastWeights {
 public:
  CastWeights() = default;
  ~CastWeights() { at::autocast::clear_cache(); }
  CastWeights(const CastWeights&) = delete;
  CastWeights& operator=(const CastWeights&) = delete;
};

}  // namespace diffsal
