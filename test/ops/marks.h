#pragma once

namespace diffsal::test {

// Runs each side of some operations once, at sizes of a small network's, between two marks that an emulator counts instructions at.
int mark_sides();

}  // namespace diffsal::test
