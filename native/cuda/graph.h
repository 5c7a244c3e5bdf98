#pragma once
#include <cstdint>
#include <functional>
#include <memory>

#include "runtime/device_graph.h"

namespace diffsal {

// CudaFunctions' make_pool and capture.
uint64_t make_graph_pool();
std::unique_ptr<DeviceGraph> capture_graph(uint64_t pool, const std::function<void()>& work);

}  // namespace diffsal
