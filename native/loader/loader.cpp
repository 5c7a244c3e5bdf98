// The package's .node file. It knows nothing of libtorch, so it opens anywhere; JavaScript can then say what is missing.
// openLibrary(path) makes a library's symbols visible to whatever is opened later: libtorch first, then the core, which
// names libtorch by soname only.
#include <dlfcn.h>
#include <node_api.h>

#include <cstdlib>
#include <string>

namespace {

napi_value fail(napi_env env, const std::string& message) {
  napi_throw_error(env, nullptr, message.c_str());
  return nullptr;
}

bool read_path(napi_env env, napi_value value, std::string& path) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) return false;
  path.resize(length);
  // C++11 strings own one byte past size() for the terminator that Node-API writes.
  if (napi_get_value_string_utf8(env, value, path.data(), length + 1, &length) != napi_ok) return false;
  return !path.empty() && path.find('\0') == std::string::npos;
}

// The handle is never closed: libtorch does not survive being unloaded, and dlopen counts a second opening of the same file
// (another worker thread, another copy of this package) rather than mapping it again.
napi_value open_library(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument = nullptr;
  if (napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr) != napi_ok || count < 1) {
    return fail(env, "openLibrary takes the path of a library");
  }
  std::string path;
  if (!read_path(env, argument, path)) return fail(env, "openLibrary takes the path of a library");

  // libgomp's threads spin between parallel regions, which makes two processes on one machine slow each other down many
  // times. It reads this when it is loaded; what the user has set stays.
  if (std::getenv("OMP_WAIT_POLICY") == nullptr) setenv("GOMP_SPINCOUNT", "1000", 0);

  dlerror();
  if (dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    const char* reason = dlerror();  // per thread, so another worker's failure is not reported here
    return fail(env, reason == nullptr ? "dlopen failed" : reason);
  }
  return nullptr;
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_value function = nullptr;
  if (napi_create_function(env, "openLibrary", NAPI_AUTO_LENGTH, open_library, nullptr, &function) != napi_ok ||
      napi_set_named_property(env, exports, "openLibrary", function) != napi_ok) {
    return fail(env, "the loader could not export openLibrary");
  }
  return exports;
}
