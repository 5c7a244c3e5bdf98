#pragma once
#include <c10/core/Device.h>

#include <cstdint>
#include <string>

namespace diffsal {

// "2.13.0", of the libtorch that is loaded.
std::string libtorch_version();

// The CUDA that libtorch is built for, 13000 for 13.0; 0 of a CPU build.
int64_t cuda_version();

// Leaves NNPACK out: it is asked before faster libraries that then do the work, and complains on standard error of each processor that it does
// not know.
void leave_out_nnpack();

// How many CUDA devices libtorch can use; 0 for a CPU build or where there is no driver. With a driver that is too old libtorch
// complains on standard error.
int64_t cuda_devices();

// Whether a device computes what it was given after the call that gave it, in memory of its own: CUDA's do, the CPU does not.
inline bool works_apart(at::Device device) { return !device.is_cpu() && !device.is_meta(); }

// Makes `device` the calling thread's for good, so that nothing this thread does touches another one. Where the device works apart, the thread gets
// a stream: graphs cannot be captured on the one that all threads begin with, and two models would wait for each other there. float32 then is
// float32: libtorch would compute convolutions in TF32, which keeps 10 bits of the fraction. cuDNN does not try its algorithms out (benchmark): which
// one is the fastest differs from run to run, and with it the last bits of a map that a seed is to give again. Returns whether the stream is
// this thread's alone (own_stream.h), without which nothing may be captured on it; on the CPU true.
bool use_device(at::Device device);

// Waits until the device has done what the calling thread gave it; the CPU has.
void synchronize(at::Device device);

}  // namespace diffsal
