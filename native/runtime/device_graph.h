#pragma once
#include <functional>
#include <memory>

namespace diffsal {

// Work that a device was once given, ready to be given again at the price of one call, with the memory that it had then.
class DeviceGraph {
 public:
  virtual ~DeviceGraph() = default;
  // Queues it on the calling thread's stream.
  virtual void replay() = 0;
};

// Makes them, for one thread.
class GraphMaker {
 public:
  virtual ~GraphMaker() = default;
  // Records what `work` gives to the device; nothing of it need run. `work` has run before, as it is, so that what a first run prepares is
  // there. What it throws is thrown on; another exception says that it cannot be recorded.
  virtual std::unique_ptr<DeviceGraph> capture(const std::function<void()>& work) = 0;
  // Gives the device what its allocator keeps.
  virtual void make_room() {}
};

}  // namespace diffsal
