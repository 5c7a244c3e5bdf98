#include "binding/scenes.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "binding/call.h"
#include "binding/job.h"
#include "binding/tensors.h"
#include "binding/values.h"
#include "scenes/motion.h"
#include "scenes/picture.h"
#include "scenes/scene.h"
#include "scenes/tone.h"
#include "scenes/truth.h"

namespace diffsal {
namespace {

// What is wanted of a scene.
struct Wanted {
  int64_t from, to;  // frames
  bool frames, sound;
  int64_t truth;  // of this frame; -1 for none
};

struct Drawn {
  std::vector<Shape> shapes;
  std::vector<int> sounding;
  at::Tensor track, frames, samples, target, fixations;
};

SceneOptions scene_options_from_js(const Napi::Object& object) {
  auto small = [&](const char* name) { return static_cast<int>(integer(object, name)); };
  auto natural = [&](const char* name) { return static_cast<uint32_t>(integer(object, name)); };
  return {natural("seed"),          natural("domain"),           natural("index"),          small("fewest"), small("most"),  small("hues"),
          boolean(object, "pitch"), boolean(object, "loudness"), number(object, "changes"), small("height"), small("width"), small("rate"),
          integer(object, "frames")};
}

template <typename Value>
at::Tensor tensor_of(const std::vector<Value>& values, at::IntArrayRef shape, at::ScalarType type) {
  auto tensor = at::empty(shape, type);
  std::copy(values.begin(), values.end(), tensor.mutable_data_ptr<Value>());
  return tensor;
}

Drawn draw(const SceneOptions& options, const Wanted& wanted) {
  Scene scene(options);
  Motion motion(scene);
  Drawn drawn;
  drawn.shapes = scene.shapes;
  auto count = std::max<int64_t>(0, wanted.to - wanted.from), shapes = static_cast<int64_t>(scene.shapes.size());
  int64_t height = options.height, width = options.width;
  drawn.track = at::empty({count, shapes, 3}, at::kFloat);
  auto* track = drawn.track.mutable_data_ptr<float>();
  std::optional<Painter> painter;
  if (wanted.frames) {
    drawn.frames = at::empty({count, height, width, 3}, at::kByte);
    painter.emplace(scene);
  }
  for (int64_t frame = 0; frame < std::max(wanted.to, wanted.truth + 1); ++frame, motion.advance()) {
    const auto& places = motion.places();
    if (frame == wanted.truth) {
      const auto& centre = places[static_cast<size_t>(scene.sounding(frame))];
      drawn.target = tensor_of(gaussian_map(options, centre), {1, height, width}, at::kFloat);
      drawn.fixations = tensor_of(draw_fixations(scene, centre), {1, height, width}, at::kByte);
    }
    if (frame < wanted.from || frame >= wanted.to) continue;
    throw_if_cancelled();
    drawn.sounding.push_back(scene.sounding(frame));
    for (size_t i = 0; i < places.size(); ++i) {
      double radius = swollen(scene.shapes[i], scene.seconds(frame));
      for (double value : {places[i].x, places[i].y, radius}) *track++ = static_cast<float>(value * options.height);
    }
    if (painter) painter->draw(frame, places, drawn.frames.mutable_data_ptr<uint8_t>() + (frame - wanted.from) * height * width * 3);
  }
  if (wanted.sound) {
    // From half a frame before the first frame to half a frame after the last, to the nearest sample.
    auto sample_at = [&](int64_t halves) {
      auto twice = 2 * halves * sound_rate + 2 * options.rate, per = 4 * static_cast<int64_t>(options.rate);
      return twice >= 0 ? twice / per : -((-twice + per - 1) / per);
    };
    auto samples = draw_sound(scene, sample_at(2 * wanted.from - 1), sample_at(2 * wanted.to - 1));
    drawn.samples = tensor_of(samples, {static_cast<int64_t>(samples.size())}, at::kFloat);
  }
  return drawn;
}

Napi::Value to_js(Napi::Env env, Drawn& drawn) {
  auto object = Napi::Object::New(env);
  auto numbers = [&](auto& list, auto number) {
    auto array = Napi::Array::New(env, list.size());
    for (uint32_t i = 0; i < list.size(); ++i) array.Set(i, Napi::Number::New(env, number(list[i])));
    return array;
  };
  object.Set("kinds", numbers(drawn.shapes, [](const Shape& shape) { return shape.kind; }));
  object.Set("hues", numbers(drawn.shapes, [](const Shape& shape) { return shape.hue; }));
  object.Set("sounding", numbers(drawn.sounding, [](int shape) { return shape; }));
  auto set = [&](const char* name, const at::Tensor& tensor) {
    if (tensor.defined()) object.Set(name, tensor_to_js(env, tensor));
  };
  set("track", drawn.track);
  set("frames", drawn.frames);
  set("samples", drawn.samples);
  set("target", drawn.target);
  set("fixations", drawn.fixations);
  return object;
}

// (options, { from, to, frames, sound, truth }, cancel | undefined) -> Promise<NativeScene>
Napi::Value scene(const Call& call) {
  auto env = call.env();
  auto options = scene_options_from_js(call[0].As<Napi::Object>());
  auto object = call[1].As<Napi::Object>();
  Wanted wanted{integer(object, "from"), integer(object, "to"), boolean(object, "frames"), boolean(object, "sound"), integer(object, "truth")};
  return run_job<Drawn>(
      env, Environment::of(env).drawing(), Napi::Object::New(env), CancelToken::flag_of(call[2]), [=] { return draw(options, wanted); }, to_js);
}

}  // namespace

void define_scenes(Napi::Env env, Napi::Object exports) { export_function<scene>(exports, "scene"); }

}  // namespace diffsal
