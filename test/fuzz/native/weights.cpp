// A file of weights, and entries that say anything of it: a tensor is given, or refused, without reading beyond the file.
#include <c10/core/InferenceMode.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "bytes.h"
#include "checkpoint/mapped_source.h"
#include "runtime/error.h"

namespace {

constexpr int64_t file_bytes = 4096;

// Once a process: what is in it does not matter, only its end.
const std::string& weights_file() {
  static const std::string path = [] {
    char name[] = "/tmp/diffsal-fuzz-XXXXXX";
    int file = mkstemp(name);
    if (file < 0 || ftruncate(file, file_bytes) != 0) std::abort();
    close(file);
    static std::string kept = name;
    std::atexit([] { unlink(kept.c_str()); });
    return kept;
  }();
  return path;
}

std::vector<int64_t> sizes(Bytes& bytes, int64_t count) {
  std::vector<int64_t> list;
  for (int64_t i = 0; i < count; ++i) list.push_back(bytes.below(40));
  return list;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace diffsal;
  c10::InferenceMode inference;
  Bytes bytes(data, size);
  const char* types[] = {"F32", "F16", "BF16", "F64", "I64"};
  const char* names[] = {"a", "b.rel_pos_h"};
  std::map<std::string, StoredTensor> entries;
  std::vector<ParameterInfo> wanted;
  for (const auto* name : names) {
    auto rank = bytes.below(4);
    StoredTensor entry{types[bytes.below(5)], sizes(bytes, rank), static_cast<uint64_t>(bytes.below(file_bytes + 8)), 0, {}, {}};
    entry.end = entry.begin + static_cast<uint64_t>(bytes.below(2 * file_bytes));
    if (bytes.below(2) == 1) entry.strides = sizes(bytes, rank);
    if (bytes.below(3) == 2) {
      entry.bytes = std::make_shared<const std::string>(static_cast<size_t>(bytes.below(4096)), '\1');
      entry.end = entry.end - entry.begin;
      entry.begin = 0;
    }
    auto shape = bytes.below(4) == 0 ? sizes(bytes, rank) : entry.shape;
    // What a network asks for is never empty.
    for (auto& extent : shape) extent = std::max<int64_t>(extent, 1);
    // Half of them lie as they say.
    if (bytes.below(2) == 0) {
      uint64_t count = 1, last = 0;
      for (size_t i = 0; i < entry.shape.size(); ++i) {
        count *= static_cast<uint64_t>(entry.shape[i]);
        if (entry.strides) last += static_cast<uint64_t>(std::max<int64_t>(entry.shape[i] - 1, 0) * entry.strides->at(i));
      }
      auto width = entry.dtype == "F64" || entry.dtype == "I64" ? 8u : entry.dtype == "F32" ? 4u : 2u;
      entry.end = entry.begin + (count == 0 ? 0 : entry.strides ? last + 1 : count) * width;
    }
    entries.emplace(name, std::move(entry));
    wanted.push_back({name, shape, Init::zeros, 0, false});
  }
  try {
    static const auto identity = MappedFile(weights_file()).identity();
    MappedSource source(weights_file(), identity, std::move(entries));
    for (const auto& info : wanted) {
      // Read to its last element, which ends the process where that lies outside.
      auto tensor = source.tensor(info);
      if (tensor.sizes() != at::IntArrayRef(info.shape)) std::abort();
      volatile float sum = 0;
      auto flat = tensor.contiguous();
      for (int64_t i = 0; i < flat.numel(); ++i) sum = sum + flat.const_data_ptr<float>()[i];
    }
    source.finish();
  } catch (const Error&) {
    // What a user is told.
  }
  return 0;
}
