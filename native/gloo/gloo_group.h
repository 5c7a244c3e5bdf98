#pragma once
#include <memory>

#include "distributed/group.h"

namespace diffsal {

std::shared_ptr<Group> join_gloo_group(const GroupOptions& options, const Poll& poll);

}  // namespace diffsal
