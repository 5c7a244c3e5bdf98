#pragma once
#include <c10/core/Device.h>

#include <memory>

#include "runtime/device_graph.h"

namespace diffsal {

// For the graphs of one model on `device`; null where it has none, or the part that makes them is not open.
std::shared_ptr<GraphMaker> device_graphs(at::Device device);

using MakeGraphs = std::shared_ptr<GraphMaker> (*)();

// Devices of a kind that is not CUDA's bring graphs of their own: models that are opened from now on have those that `make` gives, or none where it
// is null.
extern "C" __attribute__((visibility("default"))) void diffsal_bring_graphs(c10::DeviceType type, MakeGraphs make);

}  // namespace diffsal
