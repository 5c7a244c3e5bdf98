#pragma once
#include <napi.h>

#include "network/config.h"

namespace diffsal {

// The network's configuration from a complete, checked DiffSalConfig (lib/config.ts).
Config config_from_js(const Napi::Object& object);

}  // namespace diffsal
