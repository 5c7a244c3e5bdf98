#include "ops/shared_batch.h"

namespace diffsal {
namespace {
thread_local const SharedBatch* shared = nullptr;
}

SharedBatchScope::SharedBatchScope(const SharedBatch& batch) { shared = &batch; }
SharedBatchScope::~SharedBatchScope() { shared = nullptr; }

const SharedBatch* SharedBatchScope::current() { return shared; }

}  // namespace diffsal
