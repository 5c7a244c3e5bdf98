#include "runtime/nccl_part.h"

#include <dlfcn.h>

#include <mutex>

#include "runtime/error.h"

namespace diffsal {
namespace {

std::mutex opening;
const NcclFunctions* opened = nullptr;

Error unusable(const std::string& path) {
  const char* reason = dlerror();
  return Error(ErrorCode::internal, "'" + path + "' cannot be opened: " + (reason == nullptr ? "dlopen failed" : reason));
}

}  // namespace

const NcclFunctions& open_nccl_part(const std::string& path) {
  std::lock_guard lock(opening);
  if (opened != nullptr) return *opened;
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw unusable(path);
  auto* functions = reinterpret_cast<decltype(&diffsal_nccl_functions)>(dlsym(library, "diffsal_nccl_functions"));
  if (functions == nullptr) throw unusable(path);
  if (auto why = functions()->misfit(); !why.empty()) throw Error(ErrorCode::device, why, "backend");
  opened = functions();
  return *opened;
}

}  // namespace diffsal
