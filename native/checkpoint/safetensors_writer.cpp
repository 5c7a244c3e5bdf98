#include "checkpoint/safetensors_writer.h"

#include <ATen/ops/isfinite.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <random>

#include "checkpoint/crc32.h"
#include "runtime/cancellation.h"
#include "runtime/error.h"

namespace diffsal {
namespace {

// A file beside `path` that is gone again unless it is published.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& path) : path_(path) {
    follow_links();
    // By chance, not by process: in containers every process may have the same number.
    temporary_ = path_ + "." + std::to_string(std::random_device()()) + ".tmp";
    file_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file_ < 0) throw file_error("write", path, errno);
  }
  ~TemporaryFile() {
    if (file_ >= 0) ::close(file_);
    if (!published_) ::unlink(temporary_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void write(const char* data, size_t size) {
    while (size > 0) {
      auto written = ::write(file_, data, std::min<size_t>(size, size_t{1} << 24));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw file_error("write", path_, errno);
      data += written;
      size -= static_cast<size_t>(written);
      throw_if_cancelled();
    }
  }

  // Over bytes that are written already.
  void overwrite(size_t position, const std::string& bytes) {
    if (::pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(position)) != static_cast<ssize_t>(bytes.size())) throw file_error("write", path_, errno);
  }

  void publish() {
    if (::fsync(file_) != 0) throw file_error("write", path_, errno);
    int closed = ::close(file_);
    file_ = -1;
    if (closed != 0 || ::rename(temporary_.c_str(), path_.c_str()) != 0) throw file_error("write", path_, errno);
    published_ = true;
    sync_folder();
  }

 private:
  // A link stays one: what it leads to is replaced.
  void follow_links() {
    std::filesystem::path place(path_);
    std::error_code error;
    for (int links = 0; std::filesystem::is_symlink(place, error); ++links) {
      if (links == 40) throw file_error("write", path_, ELOOP);
      auto next = std::filesystem::read_symlink(place, error);
      if (error) throw file_error("write", path_, error.value());
      place = place.parent_path() / next;
    }
    path_ = place.string();
  }

  // The new name is on the disk once the folder is. A file system that cannot sync folders still has the file.
  void sync_folder() const {
    auto slash = path_.find_last_of('/');
    auto folder = slash == std::string::npos ? std::string(".") : path_.substr(0, slash + 1);
    int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) return;
    ::fsync(file);
    ::close(file);
  }

  std::string path_, temporary_;
  int file_ = -1;
  bool published_ = false;
};

}  // namespace

void write_safetensors(const std::string& path, const std::string& header, const std::vector<Parameter>& parameters, at::ScalarType type) {
  TemporaryFile file(path);
  Crc32 sum;
  auto write = [&](const char* data, size_t size) {
    sum.add(data, size);
    file.write(data, size);
  };
  write(header.data(), header.size());
  for (const auto& parameter : parameters) {
    auto tensor = parameter.tensor.detach().to(at::kCPU, parameter.info.buffer ? at::kFloat : type).contiguous();
    // A damaged weight is kept as it is; one that is only too large for the type would be a new damage.
    if (tensor.scalar_type() != at::kFloat && !tensor.isfinite().all().item<bool>() && parameter.tensor.isfinite().all().item<bool>()) {
      throw invalid_argument("dtype", "one that holds the weights", std::string("'") + parameter.info.name + "' with values beyond it");
    }
    write(static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes());
  }
  // lib/checkpoint/checksum.ts leaves the place. Quotes in the texts of other metadata are escaped, so that this stands there only.
  const std::string place = "\"diffsal_crc32\":\"00000000\"";
  if (auto at = header.find(place); at != std::string::npos) file.overwrite(at + place.size() - 9, sum.text());
  file.publish();
}

}  // namespace diffsal
