#include "checkpoint/crc32.h"

#include <array>
#include <cstdio>
#include <cstring>

namespace diffsal {
namespace {

// tables[k][b]: what byte b comes to when k zero bytes follow it, so that eight bytes are one step (Kounavis and Berry, 2005).
using Tables = std::array<std::array<uint32_t, 256>, 8>;
constexpr Tables make_tables() {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ ((rest & 1) ? 0xedb88320u : 0u);
    tables[0][byte] = rest;
  }
  for (size_t k = 1; k < 8; ++k) {
    for (size_t byte = 0; byte < 256; ++byte) tables[k][byte] = (tables[k - 1][byte] >> 8) ^ tables[0][tables[k - 1][byte] & 0xff];
  }
  return tables;
}
constexpr Tables tables = make_tables();

}  // namespace

void Crc32::add(const char* data, size_t size) {
  uint32_t rest = rest_;
  for (; size >= 8; size -= 8, data += 8) {
    uint32_t low = 0, high = 0;  // little-endian, as all machines that this runs on
    std::memcpy(&low, data, 4);
    std::memcpy(&high, data + 4, 4);
    low ^= rest;
    rest = tables[7][low & 0xff] ^ tables[6][(low >> 8) & 0xff] ^ tables[5][(low >> 16) & 0xff] ^ tables[4][low >> 24] ^ tables[3][high & 0xff] ^
           tables[2][(high >> 8) & 0xff] ^ tables[1][(high >> 16) & 0xff] ^ tables[0][high >> 24];
  }
  for (; size > 0; --size, ++data) rest = (rest >> 8) ^ tables[0][(rest ^ static_cast<uint8_t>(*data)) & 0xff];
  rest_ = rest;
}

std::string Crc32::text() const {
  char digits[9];
  std::snprintf(digits, sizeof digits, "%08x", ~rest_);
  return digits;
}

}  // namespace diffsal
