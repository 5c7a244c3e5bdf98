#pragma once
#include <string>

#include "nccl/functions.h"

namespace diffsal {

// Opens diffsal_nccl.so, once in a process. Of two threads that call it the second waits. Throws where it cannot be opened.
const NcclFunctions& open_nccl_part(const std::string& path);

}  // namespace diffsal
