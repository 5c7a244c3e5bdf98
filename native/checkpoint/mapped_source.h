#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ops/parameters.h"

namespace diffsal {

// A file mapped into memory, private and copy-on-write: training on its tensors does not write to the file.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  char* data() const { return data_; }
  size_t size() const { return size_; }
  // Device, inode, size and time of change, as lib/checkpoint/weights-file.ts writes them.
  const std::string& identity() const { return identity_; }

 private:
  char* data_ = nullptr;
  size_t size_ = 0;
  std::string identity_;
};

// One tensor of a safetensors or .pth file, which lib/checkpoint has found and checked. begin and end are offsets in the
// file, or in `bytes` where the file has them compressed.
struct StoredTensor {
  std::string dtype;
  std::vector<int64_t> shape;
  uint64_t begin, end;
  // In elements, of a tensor that does not lie one element after the other or shares memory with another: it is copied.
  std::optional<std::vector<int64_t>> strides;
  std::shared_ptr<const std::string> bytes;
};

// Gives a network the tensors of a file. Aligned float32 tensors are the mapping itself, so loading copies nothing; others
// are converted. Names that are missing or misshapen are collected, so that finish() can say all of them at once. Tables
// of relative positions may be of another length: they are resized.
class MappedSource : public ParameterSource {
 public:
  // `identity`: of the file whose header the entries are from; another file of that name is refused.
  MappedSource(std::string path, const std::string& identity, std::map<std::string, StoredTensor> entries);
  at::Tensor tensor(const ParameterInfo& info) override;
  bool has(const std::string& name) const { return entries_.count(name) > 0; }

  // Throws when a name was missing, misshapen, or never asked for.
  void finish() const;

 private:
  at::Tensor stored(const std::string& name, const StoredTensor& entry) const;

  std::string path_;
  std::shared_ptr<MappedFile> file_;
  std::map<std::string, StoredTensor> entries_;
  std::vector<std::string> missing_, misshapen_;
  std::set<std::string> used_;
};

}  // namespace diffsal
