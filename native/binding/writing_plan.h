#pragma once
#include "binding/values.h"
#include "checkpoint/safetensors_writer.h"

namespace diffsal {

// lib/media/output-file.ts's WritingPlan.
inline WritingPlan writing_plan_from_js(const Napi::Value& value) {
  auto plan = value.As<Napi::Object>();
  return {text(plan, "path"), text(plan, "place"), text(plan, "temporary")};
}

}  // namespace diffsal
