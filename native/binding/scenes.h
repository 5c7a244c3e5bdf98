#pragma once
#include <napi.h>

namespace diffsal {

// The addon's function that draws sounding scenes.
void define_scenes(Napi::Env env, Napi::Object exports);

}  // namespace diffsal
