#pragma once
#include <string>

#include "cuda/functions.h"

namespace diffsal {

// Opens diffsal_cuda.so, once in a process. Of two threads that call it the second waits. Throws where it cannot be opened.
void open_cuda_part(const std::string& path);

// What it offers; null until it is open. Nothing may depend on it: an installation can be without.
const CudaFunctions* cuda_part();

}  // namespace diffsal
