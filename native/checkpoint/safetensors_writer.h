#pragma once
#include <string>
#include <vector>

#include "model/parameters.h"

namespace diffsal {

// Writes `header` (a complete safetensors header, length first) and then the parameters' float32 bytes in their order, to
// a file beside `path` that is flushed to disk and renamed: `path` is at any time the old file or the new, whole.
void write_safetensors(const std::string& path, const std::string& header, const std::vector<Parameter>& parameters);

}  // namespace diffsal
