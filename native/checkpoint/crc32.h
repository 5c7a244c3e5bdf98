#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace diffsal {

// The CRC-32 of zip and zlib (polynomial 0xEDB88320, reflected) of bytes that come one part after the other.
class Crc32 {
 public:
  void add(const char* data, size_t size);
  // Eight hexadecimal digits.
  std::string text() const;

 private:
  uint32_t rest_ = 0xffffffff;
};

}  // namespace diffsal
