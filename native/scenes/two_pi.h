#pragma once

namespace diffsal {

constexpr double two_pi = 6.283185307179586476925;

}  // namespace diffsal
