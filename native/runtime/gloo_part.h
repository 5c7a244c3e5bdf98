#pragma once
#include <string>

#include "gloo/functions.h"

namespace diffsal {

// Opens diffsal_gloo.so, once in a process. Of two threads that call it the second waits. Throws where it cannot be opened.
const GlooFunctions& open_gloo_part(const std::string& path);

}  // namespace diffsal
