#include "graphs.h"

#include <c10/util/Exception.h>
#include <dlfcn.h>

#include <filesystem>

#include "runtime/graphs.h"

namespace stand_in {
namespace {

using diffsal::DeviceGraph;
using diffsal::GraphMaker;
using Work = std::function<void()>;

class Rerun : public DeviceGraph {
 public:
  explicit Rerun(Work work) : work_(std::move(work)) {}
  void replay() override { work_(); }

 private:
  Work work_;
};

class Exhausted : public DeviceGraph {
 public:
  void replay() override { TORCH_CHECK_WITH(OutOfMemoryError, false, "this is a rehearsal"); }
};

// As a capture does, each runs the host's part, and may be cancelled or fail on the way.
class Reruns : public GraphMaker {
 public:
  std::unique_ptr<DeviceGraph> capture(const Work& work) override {
    work();
    return std::make_unique<Rerun>(work);
  }
};

class Refuses : public GraphMaker {
 public:
  std::unique_ptr<DeviceGraph> capture(const Work& work) override {
    work();
    TORCH_CHECK(false, "operation not permitted when stream is capturing");
  }
};

class Exhausts : public GraphMaker {
 public:
  std::unique_ptr<DeviceGraph> capture(const Work& work) override {
    work();
    return std::make_unique<Exhausted>();
  }
};

template <typename Maker>
std::shared_ptr<GraphMaker> make() {
  return std::make_shared<Maker>();
}

diffsal::MakeGraphs maker_of(const std::string& how) {
  if (how == "rerun") return make<Reruns>;
  if (how == "refuse") return make<Refuses>;
  if (how == "exhausted") return make<Exhausts>;
  TORCH_CHECK(how == "none", "no such graphs: ", how);
  return nullptr;
}

// The core, which lies beside this module and is open.
void* core() {
  Dl_info info;
  TORCH_CHECK(dladdr(reinterpret_cast<const void*>(&rehearse_graphs), &info) != 0, "this module is nowhere");
  auto path = std::filesystem::path(info.dli_fname).replace_filename("diffsal_core.so");
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD);
  TORCH_CHECK(library != nullptr, path.string(), " is not open");
  return library;
}

}  // namespace

void rehearse_graphs(const std::string& how) {
  auto* bring = reinterpret_cast<decltype(&diffsal::diffsal_bring_graphs)>(dlsym(core(), "diffsal_bring_graphs"));
  TORCH_CHECK(bring != nullptr, "the core takes no graphs");
  for (auto type : {c10::DeviceType::CPU, c10::DeviceType::PrivateUse1}) bring(type, maker_of(how));
}

}  // namespace stand_in
