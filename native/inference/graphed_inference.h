#pragma once
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <utility>

#include "inference/inference.h"
#include "runtime/device_graph.h"

namespace diffsal {

// Another form, run as graphs: what the host does for encode() and denoise(), thousands of calls each, is done once a batch size and
// combination of senses and recorded at their second call, for those that come once do not pay. A graph reads and writes memory of
// its own. So inputs are copied to it, a kept result is copied from it, and a clip stays in it while its steps are denoised. Of each
// function the shapes used last keep their graphs. All of it belongs to one thread and its stream.
class GraphedInference : public Inference {
 public:
  using Warn = std::function<void(const std::string&)>;

  GraphedInference(std::unique_ptr<Inference> inner, std::shared_ptr<GraphMaker> graphs, Warn warn)
      : inner_(std::move(inner)), graphs_(std::move(graphs)), warn_(std::move(warn)) {}

  std::vector<Tensor> see(const Tensor& frames) const override { return inner_->see(frames); }
  Tensor hear(const Tensor& mel) const override { return inner_->hear(mel); }
  Features encode(const Tensor& frames, const std::vector<Tensor>& maps, const Tensor& mel, bool keep) const override;
  Tensor denoise(const Tensor& x, const Tensor& t, const PreparedClip& clip) const override;

 private:
  PreparedClip make_clip(const std::vector<Tensor>& video, const Tensor& audio) const override;

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
  auto sparing(Function function, Once once) const -> decltype(once());
  // Does `work`, which touches lasting memory alone: by its graph, or as it is and then records it.
  void run(Recording& recording, const std::function<void()>& work) const;
  void say(const std::string& what, const std::exception& reason) const;

  std::unique_ptr<Inference> inner_;
  std::shared_ptr<GraphMaker> graphs_;
  Warn warn_;
  mutable bool off_ = false, said_ = false;
  mutable Recent<Encoding> encodings_;
  mutable Recent<Denoising> denoisings_;
};

}  // namespace diffsal
