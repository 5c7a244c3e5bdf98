#include "runtime/cancellation.h"

namespace diffsal {
namespace {
thread_local const CancelFlag* current = nullptr;
}

CancelScope::CancelScope(const CancelFlag* flag) : outer_(current) { current = flag; }
CancelScope::~CancelScope() { current = outer_; }

void throw_if_cancelled() {
  if (current != nullptr && current->raised()) throw Cancelled();
}

}  // namespace diffsal
