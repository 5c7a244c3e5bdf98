#pragma once
#include <ATen/core/Tensor.h>
#include <c10/core/Stream.h>

#include <cstdint>

namespace stand_in {

// The device's pointers are no addresses of the machine: the bits that make them so are known here alone. Where the host follows one, the process
// ends with a line that says so.

// What an allocator needs to make the device's memory.
c10::Allocator* device_allocator();

// The tensor's memory as a tensor of the CPU, for a kernel. It keeps nothing alive. Tensors of one storage share the storage given.
at::Tensor on_host(const at::Tensor& tensor, const c10::Storage& host_storage);
c10::Storage host_storage_of(const at::Tensor& tensor);

// A kernel with `number` on `stream` reads, or writes, a tensor's memory: refused where another stream may still write it, or read what it
// overwrites.
void touch(const at::Tensor& tensor, bool write, const c10::Stream& stream, uint64_t number);

// The memory must live until what `stream` was given is done.
void used_on(const c10::DataPtr& data, const c10::Stream& stream);

}  // namespace stand_in
