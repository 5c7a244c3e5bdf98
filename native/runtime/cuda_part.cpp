#include "runtime/cuda_part.h"

#include "runtime/part.h"

namespace diffsal {
namespace {

Part<CudaFunctions> cuda("diffsal_cuda_functions");

}  // namespace

void open_cuda_part(const std::string& path) { cuda.open(path); }

const CudaFunctions* cuda_part() { return cuda.opened(); }

}  // namespace diffsal
