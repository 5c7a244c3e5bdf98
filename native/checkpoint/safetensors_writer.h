#pragma once
#include <string>
#include <vector>

#include "ops/parameters.h"

namespace diffsal {

// Writes `header` (a complete safetensors header, length first) and then the parameters' bytes in their order, as `type`
// (running statistics, which have other ranges, as float32), to a file beside `path` that is flushed to disk and renamed: `path` is at any
// time the old file or the new, whole, and a symbolic link stays one. A weight that is too large for the type is an error.
// Where the header has a place for a checksum of the file, that is filled in.
void write_safetensors(const std::string& path, const std::string& header, const std::vector<Parameter>& parameters,
                       at::ScalarType type = at::kFloat);

}  // namespace diffsal
