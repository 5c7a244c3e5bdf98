#include "report.h"

#include <mutex>
#include <utility>

namespace stand_in {
namespace {

std::mutex mutex;
std::vector<std::string> mistakes, waits;

}  // namespace

void find(const std::string& mistake) {
  std::lock_guard lock(mutex);
  mistakes.push_back(mistake);
}

void wait_found(const std::string& reason) {
  std::lock_guard lock(mutex);
  waits.push_back(reason);
}

std::vector<std::string> take_mistakes() {
  std::lock_guard lock(mutex);
  return std::exchange(mistakes, {});
}

std::vector<std::string> take_waits() {
  std::lock_guard lock(mutex);
  return std::exchange(waits, {});
}

}  // namespace stand_in
