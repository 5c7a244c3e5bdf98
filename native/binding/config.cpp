#include "binding/config.h"

#include <map>

#include "binding/tensors.h"
#include "binding/values.h"
#include "runtime/error.h"

namespace diffsal {
namespace {

Napi::Object inner(const Napi::Object& object, const char* name) { return object.Get(name).ToObject(); }

std::vector<double> numbers(const Napi::Value& value) {
  auto array = value.As<Napi::Array>();
  std::vector<double> list;
  for (uint32_t i = 0; i < array.Length(); ++i) list.push_back(number(array.Get(i)));
  return list;
}

template <typename T>
std::array<T, 3> triple(const Napi::Value& value) {
  auto list = numbers(value);
  return {static_cast<T>(list.at(0)), static_cast<T>(list.at(1)), static_cast<T>(list.at(2))};
}

template <typename Choice>
Choice choice(const Napi::Object& object, const char* name, const std::map<std::string, Choice>& choices) {
  auto found = choices.find(text(object, name));
  if (found == choices.end()) throw Error(ErrorCode::internal, std::string("An unchecked choice of '") + name + "'.");
  return found->second;
}

}  // namespace

Config config_from_js(const Napi::Object& o) {
  Config c;
  c.dialect = choice<Dialect>(o, "dialect", {{"paper", Dialect::paper}, {"released", Dialect::released}});
  auto size = integers_from_js(o.Get("size"));
  c.height = size.at(0);
  c.width = size.at(1);
  c.clip_length = integer(o, "clipLength");
  c.video = boolean(o, "video");
  c.audio = boolean(o, "audio");
  auto video = inner(o, "videoEncoder");
  c.video_encoder = {choice<VideoEncoderKind>(video, "name",
                                              {{"mvitv2_s", VideoEncoderKind::mvitv2_s},
                                               {"s3d", VideoEncoderKind::s3d},
                                               {"swin3d_t", VideoEncoderKind::swin3d_t},
                                               {"resnet3d_50", VideoEncoderKind::resnet3d_50}}),
                     integer(video, "embedDim"),
                     integer(video, "depth"),
                     integer(video, "heads"),
                     integers_from_js(video.Get("downscaleAt")),
                     triple<int64_t>(video.Get("pretrainSize")),
                     triple<int64_t>(video.Get("kvStride")),
                     number(video, "mlpRatio"),
                     number(video, "width")};
  auto audio = inner(o, "audioEncoder");
  auto widths = audio.Get("widths").As<Napi::Array>();
  for (uint32_t i = 0; i < widths.Length(); ++i) c.audio_encoder.widths.push_back(integers_from_js(widths.Get(i)));
  c.audio_encoder.heads = integer(audio, "heads");
  c.audio_encoder.head_dim = integer(audio, "headDim");
  c.audio_encoder.hidden = integer(audio, "hidden");
  c.unet_width = integer(o, "unetWidth");
  c.norm_groups = integer(o, "normGroups");
  c.attention = choice<Attention>(o, "attention", {{"eca", Attention::eca}, {"sca", Attention::sca}, {"none", Attention::none}});
  c.interaction = text(o, "interaction");
  c.mam_stages = integer(o, "mamStages");
  c.kv_kernel = integers_from_js(o.Get("kvKernel"));
  c.attention_heads = integer(o, "attentionHeads");
  c.dropout = number(o, "dropout");
  c.timesteps = integer(o, "timesteps");
  auto normalisation = inner(o, "normalisation");
  c.pixel_scale = number(normalisation, "scale");
  c.mean = triple<double>(normalisation.Get("mean"));
  c.std = triple<double>(normalisation.Get("std"));
  return c;
}

}  // namespace diffsal
