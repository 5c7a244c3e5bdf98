#pragma once
#include <string>
#include <vector>

#include "ops/parameters.h"

namespace diffsal {

// Where a file is written: first to `temporary`, a name of lib/files/leftovers.ts, which tells the next process what a killed one left; then it
// is renamed to `place`. Errors name `path`.
struct WritingPlan {
  std::string path, place, temporary;
};

// Writes `header` (a complete safetensors header, length first) and then the parameters' bytes in their order, as `type`
// (running statistics, which have other ranges, as float32), to a file that is flushed to disk and renamed: its place has at any time
// the old file or the new, whole. A weight that is too large for the type is an error.
// Where the header has a place for a checksum of the file, that is filled in.
void write_safetensors(const WritingPlan& plan, const std::string& header, const std::vector<Parameter>& parameters,
                       at::ScalarType type = at::kFloat);

}  // namespace diffsal
