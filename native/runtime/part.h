#pragma once
#include <atomic>
#include <mutex>
#include <string>

namespace diffsal {

// A function of a library, which is opened. Throws where it cannot be, or has no such function.
void* function_of(const std::string& path, const char* name);

// A part of the addon: a library whose one symbol is a function that gives what it offers. It is opened once in a process.
template <typename Functions>
class Part {
 public:
  constexpr explicit Part(const char* symbol) : symbol_(symbol) {}

  // Of two threads that call it the second waits. Throws where it cannot be opened, and what `check` throws, which may refuse it.
  const Functions& open(const std::string& path, void (*check)(const Functions&) = nullptr) {
    std::lock_guard lock(opening_);
    if (const auto* functions = opened_.load()) return *functions;
    const auto* functions = reinterpret_cast<const Functions* (*)()>(function_of(path, symbol_))();
    if (check != nullptr) check(*functions);
    opened_ = functions;
    return *functions;
  }

  // Null until it is open.
  const Functions* opened() const { return opened_.load(); }

 private:
  const char* symbol_;
  std::mutex opening_;
  std::atomic<const Functions*> opened_{nullptr};
};

}  // namespace diffsal
