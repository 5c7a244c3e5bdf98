#pragma once
#include <c10/util/Exception.h>

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <utility>

#include "network/features.h"
#include "runtime/device_graph.h"

namespace diffsal {

// A network's functions, run as graphs: what the host does for encode() and denoise(), thousands of calls each, is done once a batch size and
// combination of senses and recorded at their second call, for those that come once do not pay. A graph reads and writes memory of
// its own. So inputs are copied to it, a kept result is copied from it, and a clip stays in it while its steps are denoised. Of each
// function the shapes used last keep their graphs. All of it belongs to one thread and its stream.
class Graphed {
 public:
  // After a call with some shape nothing in them copies between device and host, waits for a device, or has a size that depends on values.
  struct Functions {
    std::function<Features(const Tensor& frames, const std::vector<Tensor>& maps, const Tensor& mel)> encode;
    std::function<Tensor(const Tensor& x, const Tensor& t, const PreparedClip& clip)> denoise;
    // Says of a clip that it is a new one.
    std::function<void(PreparedClip& clip)> sign;
  };
  using Warn = std::function<void(const std::string&)>;

  Graphed(Functions functions, std::shared_ptr<GraphMaker> graphs, Warn warn)
      : functions_(std::move(functions)), graphs_(std::move(graphs)), warn_(std::move(warn)) {}

  Features encode(const Tensor& frames, const std::vector<Tensor>& maps, const Tensor& mel, bool keep) const;
  Tensor denoise(const Tensor& x, const Tensor& t, const PreparedClip& clip) const;

  // What `function` gives; where memory is out, and graphs hold some, what it gives without them.
  template <typename Function>
  auto sparing(Function function) const -> decltype(function()) {
    return sparing(function, function);
  }

 private:
  // What is recorded of a function at one shape.
  struct Recording {
    int64_t calls = 0;
    bool refused = false;  // it cannot be recorded
    std::unique_ptr<DeviceGraph> graph;
  };
  struct Encoding {
    Recording recording;
    Tensor frames, mel;
    std::vector<Tensor> maps;
    Features made;
  };
  struct Denoising {
    Recording recording;
    Tensor x, t, s0;
    PreparedClip clip;  // its number says which one lies there
  };
  // The batch, and which of two things there are.
  struct Shape {
    int64_t batch;
    bool first, second;
    bool operator==(const Shape&) const = default;
  };
  template <typename Entry>
  using Recent = std::list<std::pair<Shape, Entry>>;

  // The entry of a shape, the most recent one then.
  template <typename Entry>
  static Entry& entry_of(Recent<Entry>& entries, const Shape& shape);
  // What `function` gives; where memory is out, and graphs hold some, what `once` gives without them, now and from now on.
  template <typename Function, typename Once>
  auto sparing(Function function, Once once) const -> decltype(once()) {
    try {
      return function();
    } catch (const c10::OutOfMemoryError& error) {
      if (!any_recorded()) throw;
      say("Predicting goes on without CUDA graphs, whose memory is needed", error);
    }
    give_up();
    return once();
  }
  bool any_recorded() const;
  void give_up() const;
  // Does `work`, which touches lasting memory alone: by its graph, or as it is and then records it.
  void run(Recording& recording, const std::function<void()>& work) const;
  void say(const std::string& what, const std::exception& reason) const;

  Functions functions_;
  std::shared_ptr<GraphMaker> graphs_;
  Warn warn_;
  mutable bool off_ = false, said_ = false;
  mutable Recent<Encoding> encodings_;
  mutable Recent<Denoising> denoisings_;
};

}  // namespace diffsal
