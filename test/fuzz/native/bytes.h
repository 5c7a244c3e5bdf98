#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

// What a fuzzer gives, read as numbers from its beginning; past its end they are 0.
class Bytes {
 public:
  Bytes(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  template <typename Number>
  Number next() {
    Number value{};
    size_t count = size_ < sizeof value ? size_ : sizeof value;
    if (count > 0) std::memcpy(&value, data_, count);
    data_ += count;
    size_ -= count;
    return value;
  }
  int64_t below(int64_t limit) { return static_cast<int64_t>(next<uint32_t>() % static_cast<uint64_t>(limit)); }
  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  const uint8_t* data_;
  size_t size_;
};
