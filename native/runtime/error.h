#pragma once
#include <stdexcept>
#include <string>

namespace diffsal {

// What a failure is, in the words of lib/errors.ts (there with the prefix ERR_DIFFSAL_).
enum class ErrorCode { invalid_argument, disposed, checkpoint, file, no_space, device, out_of_memory, diverged, internal };

// A failure that a caller can act on: `argument` names what it is about as the caller wrote it.
struct Error : std::runtime_error {
  Error(ErrorCode code, const std::string& message, std::string argument = {}, std::string expected = {}, std::string received = {})
      : std::runtime_error(message), code(code), argument(std::move(argument)), expected(std::move(expected)), received(std::move(received)) {}

  ErrorCode code;
  std::string argument, expected, received;
};

// '<argument>' must be <expected>, but <received> came.
inline Error invalid_argument(const std::string& argument, const std::string& expected, const std::string& received) {
  return Error(ErrorCode::invalid_argument, "'" + argument + "' must be " + expected + ", but " + received + " came.", argument, expected, received);
}

// A system call on `path` failed with `number`; a full disk has a code of its own.
Error file_error(const std::string& doing, const std::string& path, int number);

}  // namespace diffsal
