#pragma once
#include <c10/core/Device.h>
#include <c10/util/intrusive_ptr.h>

#include <string>

namespace c10d {
class Backend;
class Store;
}  // namespace c10d

namespace diffsal {

// What diffsal_nccl.so offers to the part that knows c10d, which does not link it: its ProcessGroupNCCL, which CUDA builds of libtorch have.
struct NcclFunctions {
  // Why it does not fit this libtorch, and what to do; empty where it does.
  std::string (*misfit)();
  // An engine for tensors on `device`. Blocks until all processes have called it; nothing but its end or a failure ends it.
  c10::intrusive_ptr<c10d::Backend> (*connect)(const c10::intrusive_ptr<c10d::Store>& store, int rank, int world_size, const c10::Device& device);
};

}  // namespace diffsal

// The library's one symbol.
extern "C" const diffsal::NcclFunctions* diffsal_nccl_functions();
