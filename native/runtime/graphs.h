#pragma once
#include <c10/core/Device.h>

#include <memory>

#include "runtime/device_graph.h"

namespace diffsal {

// For the graphs of one model on `device`; null where it has none, or the part that makes them is not open.
std::shared_ptr<GraphMaker> device_graphs(at::Device device);

// What a made-up graph maker does.
enum class Rehearsal {
  rerun,      // runs the work again at each replay
  refuse,     // captures nothing: the work cannot be recorded
  exhausted,  // has no memory when a graph is replayed
};

// Stands in for a device's on the CPU, in tests: graphs whose replay runs the same work into the same memory.
std::shared_ptr<GraphMaker> rehearsed_graphs(Rehearsal rehearsal);

}  // namespace diffsal
