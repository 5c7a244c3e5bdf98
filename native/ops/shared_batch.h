#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

namespace diffsal {

// While several processes train on one batch together, what this one's layers must know that look beyond a sample: its place in the
// batch, and how to see what the others have. Of a thread, as autocast is; a pass outside the scope has its batch for itself.
struct SharedBatch {
  int64_t size;        // samples of the whole batch
  at::Tensor samples;  // int64: which of them the pass has, in order
  double weight;       // 1; 0 where the process has none of them, and goes along with another's sample that does not count
  // A tensor (n) of each process, as the rows of one (processes, n), which passes gradients on; undefined where normalisations stay each
  // process's own.
  std::function<at::Tensor(const at::Tensor&)> gather;
};

class SharedBatchScope {
 public:
  explicit SharedBatchScope(const SharedBatch& batch);
  ~SharedBatchScope();
  SharedBatchScope(const SharedBatchScope&) = delete;
  SharedBatchScope& operator=(const SharedBatchScope&) = delete;

  // Of this thread; null outside.
  static const SharedBatch* current();
};

}  // namespace diffsal
