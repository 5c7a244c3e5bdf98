#include "gloo/functions.h"

#include <c10/util/Logging.h>

#include "gloo/gloo_group.h"

C10_DECLARE_int(caffe2_log_level);

namespace diffsal {
namespace {

// c10d prints each lost connection with a stack of its own on standard error. What matters of it is in our errors.
std::shared_ptr<Group> join(const GroupOptions& options, const Poll& poll) {
  FLAGS_caffe2_log_level = c10::GLOG_FATAL;
  return join_gloo_group(options, poll);
}

constexpr GlooFunctions functions = {join};

}  // namespace
}  // namespace diffsal

extern "C" __attribute__((visibility("default"))) const diffsal::GlooFunctions* diffsal_gloo_functions() { return &diffsal::functions; }
