#include "checkpoint/mapped_source.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/upsample_linear1d.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "runtime/error.h"

namespace diffsal {
namespace {

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

// The first few of a list, and how many more there are.
std::string list_text(const std::vector<std::string>& names) {
  const size_t shown = 12;
  std::string text;
  for (size_t i = 0; i < names.size() && i < shown; ++i) text += (i ? ", " : "") + names[i];
  if (names.size() > shown) text += ", and " + std::to_string(names.size() - shown) + " more";
  return text;
}

// Elements from a tensor's first to its last.
uint64_t span(const StoredTensor& entry) {
  uint64_t last = 0, count = 1;
  for (size_t i = 0; i < entry.shape.size(); ++i) {
    auto size = static_cast<uint64_t>(entry.shape[i]);
    if (size == 0) return 0;
    count *= size;
    if (entry.strides) last += (size - 1) * static_cast<uint64_t>(entry.strides->at(i));
  }
  return entry.strides ? last + 1 : count;
}

// Whether a table of relative positions differs in its length alone.
bool is_resizable(const std::string& name, const std::vector<int64_t>& stored, const std::vector<int64_t>& wanted) {
  bool table = name.find(".rel_pos_") != std::string::npos && stored.size() == 2 && wanted.size() == 2;
  return table && stored[0] > 0 && stored[0] != wanted[0] && stored[1] == wanted[1];
}

at::ScalarType scalar_type(const std::string& dtype, const std::string& name, const std::string& path) {
  if (dtype == "F32") return at::kFloat;
  if (dtype == "F16") return at::kHalf;
  if (dtype == "BF16") return at::kBFloat16;
  if (dtype == "F64") return at::kDouble;
  throw Error(ErrorCode::checkpoint, "The weights file '" + path + "' stores '" + name + "' as " + dtype + "; F32, F16, BF16 and F64 can be read.",
              name, "F32, F16, BF16 or F64", dtype);
}

}  // namespace

MappedFile::MappedFile(const std::string& path) {
  int file = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);  // what took the name since may be a pipe
  if (file < 0) throw file_error("read", path, errno);
  struct stat status;
  void* address = MAP_FAILED;
  if (::fstat(file, &status) == 0) {
    size_ = static_cast<size_t>(status.st_size);
    auto milliseconds = static_cast<uint64_t>(status.st_mtim.tv_sec) * 1000u + static_cast<uint64_t>(status.st_mtim.tv_nsec) / 1000000u;
    for (uint64_t part : {uint64_t{status.st_dev}, uint64_t{status.st_ino}, uint64_t{size_}, milliseconds}) {
      identity_ += (identity_.empty() ? "" : ":") + std::to_string(part);
    }
    address = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
  }
  int number = errno;
  ::close(file);
  if (address == MAP_FAILED) throw file_error("map", path, number);
  data_ = static_cast<char*>(address);
}

MappedFile::~MappedFile() { ::munmap(data_, size_); }

MappedSource::MappedSource(std::string path, const std::string& identity, std::map<std::string, StoredTensor> entries)
    : path_(std::move(path)), file_(std::make_shared<MappedFile>(path_)), entries_(std::move(entries)) {
  if (file_->identity() != identity) {
    throw Error(ErrorCode::checkpoint, "The weights file '" + path_ + "' changed while it was read. Load it again.", path_);
  }
}

at::Tensor MappedSource::tensor(const ParameterInfo& info) {
  auto found = entries_.find(info.name);
  if (found == entries_.end()) {
    missing_.push_back(info.name);
    return at::empty(info.shape, at::kFloat);
  }
  used_.insert(info.name);
  const auto& entry = found->second;
  if (is_resizable(info.name, entry.shape, info.shape)) {
    auto table = stored(info.name, entry).t().unsqueeze(0);
    return at::upsample_linear1d(table, {info.shape[0]}, false)[0].t().contiguous();
  }
  if (entry.shape != info.shape) {
    misshapen_.push_back(info.name + " is " + shape_text(entry.shape) + " instead of " + shape_text(info.shape));
    return at::empty(info.shape, at::kFloat);
  }
  return stored(info.name, entry);
}

at::Tensor MappedSource::stored(const std::string& name, const StoredTensor& entry) const {
  auto type = scalar_type(entry.dtype, name, path_);
  uint64_t bytes = span(entry) * c10::elementSize(type);
  uint64_t size = entry.bytes ? entry.bytes->size() : file_->size();
  // lib/ has checked it; reading past the mapping's end would be a crash.
  if (entry.begin > entry.end || entry.end > size || entry.end - entry.begin != bytes) {
    throw Error(ErrorCode::internal, "'" + name + "' does not lie within its file.", name);
  }
  const char* data = (entry.bytes ? entry.bytes->data() : file_->data()) + entry.begin;
  bool aligned = reinterpret_cast<uintptr_t>(data) % c10::elementSize(type) == 0;
  if (aligned && !entry.bytes && !entry.strides) {
    auto keep = file_;
    return at::from_blob(file_->data() + entry.begin, entry.shape, [keep](void*) {}, at::TensorOptions(type)).to(at::kFloat);
  }
  auto copy = at::empty({static_cast<int64_t>(bytes / c10::elementSize(type))}, type);
  if (bytes > 0) std::memcpy(copy.data_ptr(), data, bytes);
  auto view = entry.strides ? copy.as_strided(entry.shape, *entry.strides) : copy.view(entry.shape);
  return view.to(at::kFloat).contiguous();
}

void MappedSource::finish() const {
  std::vector<std::string> extra;
  for (const auto& [name, entry] : entries_) {
    if (!used_.count(name)) extra.push_back(name);
  }
  std::string problems;
  auto add = [&](const std::string& what, const std::vector<std::string>& names) {
    if (names.empty()) return;
    problems += (problems.empty() ? "" : "; ") + std::to_string(names.size()) + " " + what + ": " + list_text(names);
  };
  add("missing", missing_);
  add("of another shape", misshapen_);
  add("not known to this configuration", extra);
  if (problems.empty()) return;
  throw Error(ErrorCode::checkpoint, "The weights file '" + path_ + "' does not fit the configuration. Tensors " + problems + ".", path_);
}

}  // namespace diffsal
