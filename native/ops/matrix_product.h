#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>

namespace diffsal {

// The right-hand side of matrix products, (k, n) float32 with k > 0, in the order in which the processor at hand takes it.
class Packed {
 public:
  Packed() = default;
  // The entry (i, j) is data[i * row_step + j * column_step].
  Packed(const float* data, int64_t k, int64_t n, int64_t row_step, int64_t column_step);
  // Any two-dimensional tensor (k, n).
  explicit Packed(const at::Tensor& matrix);

  int64_t rows() const { return k_; }
  int64_t columns() const { return n_; }
  const float* data() const { return memory_.const_data_ptr<float>(); }

 private:
  at::Tensor memory_;
  int64_t k_ = 0, n_ = 0;
};

// What a product is added to; with neither it is written.
struct Onto {
  const float* bias = nullptr;  // (n,), alike for all rows
  bool held = false;            // what `to` holds
};

// to (m, n) = a b, of a (m, k), on the calling thread; rows are `a_step` and `to_step` floats apart. A matrix library of libtorch's would do,
// but MKL calculates with AVX2 on processors that are not Intel's, at less than half their speed, and packs b anew each time.
void multiply(const float* a, int64_t a_step, int64_t m, const Packed& b, float* to, int64_t to_step, const Onto& onto = {});

}  // namespace diffsal
