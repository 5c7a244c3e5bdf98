#pragma once

namespace diffsal {

// The signed distance from a point to the outline of a shape of radius 1 about the origin: negative inside.
float outline(int kind, float x, float y);

// A shape's pattern at a point of it: -1 dark to 1 light.
float pattern(int which, float x, float y);

}  // namespace diffsal
