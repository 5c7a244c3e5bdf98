#include "checkpoint/safetensors_writer.h"

#include <ATen/ops/isfinite.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "checkpoint/crc32.h"
#include "runtime/cancellation.h"
#include "runtime/error.h"

namespace diffsal {
namespace {

// A plan's temporary file, which is gone again unless it is published.
class TemporaryFile {
 public:
  explicit TemporaryFile(const WritingPlan& plan) : plan_(plan) {
    file_ = ::open(plan_.temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file_ < 0) throw failure();
  }
  ~TemporaryFile() {
    if (file_ >= 0) ::close(file_);
    if (!published_) ::unlink(plan_.temporary.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void write(const char* data, size_t size) {
    while (size > 0) {
      auto written = ::write(file_, data, std::min<size_t>(size, size_t{1} << 24));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw failure();
      data += written;
      size -= static_cast<size_t>(written);
      throw_if_cancelled();
    }
  }

  // Over bytes that are written already.
  void overwrite(size_t position, const std::string& bytes) {
    if (::pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(position)) != static_cast<ssize_t>(bytes.size())) throw failure();
  }

  void publish() {
    if (::fsync(file_) != 0) throw failure();
    int closed = ::close(file_);
    file_ = -1;
    if (closed != 0 || ::rename(plan_.temporary.c_str(), plan_.place.c_str()) != 0) throw failure();
    published_ = true;
    sync_folder();
  }

 private:
  [[nodiscard]] Error failure() const { return file_error("write", plan_.path, errno); }

  // The new name is on the disk once the folder is. A file system that cannot sync folders still has the file.
  void sync_folder() const {
    auto folder = plan_.place.substr(0, plan_.place.find_last_of('/') + 1);
    int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) return;
    ::fsync(file);
    ::close(file);
  }

  WritingPlan plan_;
  int file_ = -1;
  bool published_ = false;
};

}  // namespace

void write_safetensors(const WritingPlan& plan, const std::string& header, const std::vector<Parameter>& parameters, at::ScalarType type) {
  TemporaryFile file(plan);
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
