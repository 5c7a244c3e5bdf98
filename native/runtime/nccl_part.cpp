#include "runtime/nccl_part.h"

#include "runtime/error.h"
#include "runtime/part.h"

namespace diffsal {
namespace {

Part<NcclFunctions> nccl("diffsal_nccl_functions");

void check_fit(const NcclFunctions& functions) {
  if (auto why = functions.misfit(); !why.empty()) throw Error(ErrorCode::device, why, "backend");
}

}  // namespace

const NcclFunctions& open_nccl_part(const std::string& path) { return nccl.open(path, check_fit); }

}  // namespace diffsal
