#include "runtime/part.h"

#include <dlfcn.h>

#include "runtime/error.h"

namespace diffsal {
namespace {

// dlerror() is per thread, so another's failure is not reported here.
Error unusable(const std::string& path) {
  const char* reason = dlerror();
  return Error(ErrorCode::internal, "'" + path + "' cannot be opened: " + (reason == nullptr ? "dlopen failed" : reason));
}

}  // namespace

void* function_of(const std::string& path, const char* name) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw unusable(path);
  void* function = dlsym(library, name);
  if (function == nullptr) throw unusable(path);
  return function;
}

}  // namespace diffsal
