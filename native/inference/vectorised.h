#pragma once

// Compiles a function for each of these processors and lets the one at hand choose when the addon is loaded. Of what such a function calls,
// only what is inlined is compiled so; lambdas are not.
#if defined(__x86_64__)
#define DIFFSAL_VECTORISED __attribute__((target_clones("avx512f", "arch=haswell", "default")))
#else
#define DIFFSAL_VECTORISED
#endif
