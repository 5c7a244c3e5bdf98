#include "runtime/cuda_part.h"

#include <dlfcn.h>

#include <atomic>
#include <mutex>

#include "runtime/error.h"

namespace diffsal {
namespace {

std::mutex opening;
std::atomic<const CudaFunctions*> opened{nullptr};

// dlerror() is per thread, so another's failure is not reported here.
Error unusable(const std::string& path) {
  const char* reason = dlerror();
  return Error(ErrorCode::internal, "'" + path + "' cannot be opened: " + (reason == nullptr ? "dlopen failed" : reason));
}

}  // namespace

void open_cuda_part(const std::string& path) {
  std::lock_guard lock(opening);
  if (opened.load() != nullptr) return;
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw unusable(path);
  auto* functions = reinterpret_cast<decltype(&diffsal_cuda_functions)>(dlsym(library, "diffsal_cuda_functions"));
  if (functions == nullptr) throw unusable(path);
  opened = functions();
}

const CudaFunctions* cuda_part() { return opened.load(); }

}  // namespace diffsal
