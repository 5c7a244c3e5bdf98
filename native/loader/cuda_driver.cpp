#include "cuda_driver.h"

#include <dlfcn.h>

namespace diffsal {
namespace {

// The prototypes of cuda.h and nvml.h, which is all that is needed of CUDA's development files here.
using Result = int;
using Device = int;
constexpr Result success = 0;
enum Attribute { capability_major = 75, capability_minor = 76 };

// A library of the driver. It stays open: neither is made for being closed.
class Library {
 public:
  explicit Library(const char* name) {
    dlerror();
    handle_ = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (handle_ != nullptr) return;
    const char* reason = dlerror();
    problem_ = reason == nullptr ? "it cannot be opened" : reason;
  }
  explicit operator bool() const { return handle_ != nullptr; }
  const std::string& problem() const { return problem_; }

  template <typename Function>
  bool get(Function& function, const char* name) {
    function = handle_ == nullptr ? nullptr : reinterpret_cast<Function>(dlsym(handle_, name));
    if (function == nullptr && problem_.empty()) problem_ = std::string("it has no ") + name;
    return function != nullptr;
  }

 private:
  void* handle_ = nullptr;
  std::string problem_;
};

// Free memory by the bus address of a device. The CUDA driver tells it only inside a context, which takes some of it.
class Nvml {
 public:
  Nvml() : library_("libnvidia-ml.so.1") {
    Result (*start)() = nullptr;
    usable_ = library_.get(start, "nvmlInit_v2") && library_.get(find_, "nvmlDeviceGetHandleByPciBusId_v2") &&
              library_.get(memory_, "nvmlDeviceGetMemoryInfo") && start() == success;
  }
  uint64_t free_memory(const char* address) const {
    void* device = nullptr;
    Memory memory{};
    bool told = usable_ && find_(address, &device) == success && memory_(device, &memory) == success;
    return told ? memory.free : 0;
  }

 private:
  struct Memory {
    unsigned long long total, free, used;
  };
  Library library_;
  Result (*find_)(const char*, void**) = nullptr;
  Result (*memory_)(void*, Memory*) = nullptr;
  bool usable_ = false;
};

struct Driver {
  Library library{"libcuda.so.1"};
  Result (*version)(int*);
  Result (*start)(unsigned);
  Result (*error_name)(Result, const char**);
  Result (*count)(int*);
  Result (*get)(Device*, int);
  Result (*name)(char*, int, Device);
  Result (*total)(size_t*, Device);
  Result (*attribute)(int*, Attribute, Device);
  Result (*address)(char*, int, Device);
  bool usable = library.get(version, "cuDriverGetVersion") && library.get(start, "cuInit") && library.get(error_name, "cuGetErrorName") &&
                library.get(count, "cuDeviceGetCount") && library.get(get, "cuDeviceGet") && library.get(name, "cuDeviceGetName") &&
                library.get(total, "cuDeviceTotalMem_v2") && library.get(attribute, "cuDeviceGetAttribute") &&
                library.get(address, "cuDeviceGetPCIBusId");

  // Empty for success, else "cuInit: CUDA_ERROR_NO_DEVICE".
  std::string failure(const char* what, Result result) const {
    if (result == success) return {};
    const char* text = nullptr;
    bool named = error_name(result, &text) == success && text != nullptr;
    return std::string(what) + ": " + (named ? text : "error " + std::to_string(result));
  }

  CudaDevice describe(int index, const Nvml& nvml) const {
    CudaDevice described;
    Device device = 0;
    char text[256] = "";
    size_t bytes = 0;
    int major = 0, minor = 0;
    if (get(&device, index) != success) return described;
    if (name(text, sizeof text, device) == success) described.name = text;
    if (total(&bytes, device) == success) described.total = bytes;
    if (attribute(&major, capability_major, device) == success && attribute(&minor, capability_minor, device) == success) {
      described.capability = std::to_string(major) + "." + std::to_string(minor);
    }
    if (address(text, sizeof text, device) == success) described.free = nvml.free_memory(text);
    return described;
  }
};

}  // namespace

CudaDriver ask_cuda_driver() {
  CudaDriver answer;
  Driver driver;
  answer.found = static_cast<bool>(driver.library);
  if (!driver.usable) {
    answer.problem = driver.library.problem();
    return answer;
  }
  if (driver.version(&answer.version) != success) answer.version = 0;
  int count = 0;
  answer.problem = driver.failure("cuInit", driver.start(0));
  if (answer.problem.empty()) answer.problem = driver.failure("cuDeviceGetCount", driver.count(&count));
  if (!answer.problem.empty()) return answer;
  if (count == 0) answer.problem = "cuDeviceGetCount: 0";
  Nvml nvml;
  for (int i = 0; i < count; ++i) answer.devices.push_back(driver.describe(i, nvml));
  return answer;
}

}  // namespace diffsal
