#pragma once

// Compiles a function for each of these processors and lets the one at hand choose when the addon is loaded, whatever ATEN_CPU_CAPABILITY says.
// Of what such a function calls, only what is inlined is compiled so; lambdas are not. A level is chosen by the processor's features, where the
// name of a model, such as haswell, would choose for that model alone; GCC knows levels from 12 on. On arm64 every processor has NEON.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#define DIFFSAL_VECTORISED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#elif defined(__x86_64__)
#define DIFFSAL_VECTORISED __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define DIFFSAL_VECTORISED
#endif
