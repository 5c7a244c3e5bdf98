#include "runtime/gloo_part.h"

#include "runtime/part.h"

namespace diffsal {
namespace {

Part<GlooFunctions> gloo("diffsal_gloo_functions");

}  // namespace

const GlooFunctions& open_gloo_part(const std::string& path) { return gloo.open(path); }

}  // namespace diffsal
