#pragma once
#include <napi.h>

#include "tracing/network_traces.h"

namespace diffsal {

// lib/addon/native.ts's NativeTrace. Constants that repeat themselves along a dimension have one entry there, and the whole shape beside them.
Napi::Object trace_to_js(Napi::Env env, const NamedTrace& trace);

}  // namespace diffsal
