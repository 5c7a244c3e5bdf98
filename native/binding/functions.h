#pragma once
#include <napi.h>

namespace diffsal {

// The addon's functions that need no model.
void define_functions(Napi::Env env, Napi::Object exports);

}  // namespace diffsal
