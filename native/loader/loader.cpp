// The package's .node file. It knows nothing of libtorch, so it opens anywhere; JavaScript can then say what is missing.
// openLibrary(path) makes a library's symbols visible to whatever is opened later: libtorch first, then the core, which
// names libtorch by soname only. cudaDriver() says what CUDA there would be.
#include <dlfcn.h>
#include <node_api.h>

#include <cstdlib>
#include <string>

#include "cuda_driver.h"

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

// Builds a JavaScript object; remembers the first failure, an out-of-memory or an environment that ends.
class Object {
 public:
  explicit Object(napi_env env) : env_(env) { keep(napi_create_object(env, &value_)); }
  void set(const char* name, napi_value value) { keep(napi_set_named_property(env_, value_, name, value)); }
  void set(const char* name, const std::string& text) {
    napi_value value = nullptr;
    keep(napi_create_string_utf8(env_, text.c_str(), text.size(), &value));
    set(name, value);
  }
  void set(const char* name, double number) {
    napi_value value = nullptr;
    keep(napi_create_double(env_, number, &value));
    set(name, value);
  }
  void set(const char* name, bool flag) {
    napi_value value = nullptr;
    keep(napi_get_boolean(env_, flag, &value));
    set(name, value);
  }
  napi_value get() const { return made_ ? value_ : nullptr; }

 private:
  void keep(napi_status status) { made_ = made_ && status == napi_ok; }
  napi_env env_;
  napi_value value_ = nullptr;
  bool made_ = true;
};

// () -> { found, version, problem, devices: { name, capability, total, free }[] }
napi_value cuda_driver(napi_env env, napi_callback_info) {
  auto driver = diffsal::ask_cuda_driver();
  Object object(env);
  object.set("found", driver.found);
  object.set("version", static_cast<double>(driver.version));
  object.set("problem", driver.problem);
  napi_value list = nullptr;
  if (napi_create_array(env, &list) != napi_ok) return fail(env, "an array could not be made");
  for (uint32_t i = 0; i < driver.devices.size(); ++i) {
    Object device(env);
    device.set("name", driver.devices[i].name);
    device.set("capability", driver.devices[i].capability);
    device.set("total", static_cast<double>(driver.devices[i].total));
    device.set("free", static_cast<double>(driver.devices[i].free));
    if (napi_set_element(env, list, i, device.get()) != napi_ok) return fail(env, "an array could not be filled");
  }
  object.set("devices", list);
  return object.get();
}

bool define(napi_env env, napi_value exports, const char* name, napi_callback callback) {
  napi_value function = nullptr;
  return napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function) == napi_ok &&
         napi_set_named_property(env, exports, name, function) == napi_ok;
}

}  // namespace

NAPI_MODULE_INIT() {
  if (!define(env, exports, "openLibrary", open_library) || !define(env, exports, "cudaDriver", cuda_driver)) {
    return fail(env, "the loader could not export its functions");
  }
  return exports;
}
