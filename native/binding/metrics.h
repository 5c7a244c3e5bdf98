#pragma once
#include <napi.h>

namespace diffsal {

// The metrics, on batches of maps and off the JavaScript thread. lib/metrics/ checks the arguments.
void define_metrics(Napi::Env env, Napi::Object exports);

}  // namespace diffsal
