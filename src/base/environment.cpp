#include "base/environment.hpp"

#include <cstdlib>

namespace bb5 {

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets any
  return value != nullptr ? value : "";
}

}  // namespace bb5
