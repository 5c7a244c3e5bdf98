#include "runtime/error.h"

#include <cerrno>
#include <system_error>

namespace diffsal {

Error file_error(const std::string& doing, const std::string& path, int number) {
  if (number == ENOSPC || number == EDQUOT) {
    return Error(ErrorCode::no_space,
                 "The disk is full: cannot " + doing + " '" + path + "'. Nothing was left behind; free some space and try again.", path);
  }
  return Error(ErrorCode::file, "Cannot " + doing + " '" + path + "': " + std::generic_category().message(number) + ".", path);
}

}  // namespace diffsal
