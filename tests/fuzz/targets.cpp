#include "tests/fuzz/targets.hpp"

#include <cstdio>
#include <cstdlib>

#include <sys/mman.h>
#include <unistd.h>

namespace bb5::fuzz {

std::span<const NamedTarget> all_targets() {
  static constexpr NamedTarget targets[] = {
      {"json", json},
      {"number", number},
      {"text", text},
      {"time", time},
      {"array", array},
      {"cache", cache},
      {"migration", migration},
      {"add", add},
      {"address", address},
      {"embedded", embedded},
      {"postgres", postgres},
      {"neo4j", neo4j},
      {"rules", rules},
      {"safetensors", safetensors},
      {"word_piece", word_piece},
      {"model", model},
  };
  return targets;
}

void require(bool kept, std::string_view promise) {
  if (kept) return;
  std::fprintf(stderr, "broken promise: %.*s\n", static_cast<int>(promise.size()), promise.data());
  std::abort();
}

MemoryFile::MemoryFile(std::string_view bytes) : descriptor_(memfd_create("fuzz", MFD_CLOEXEC)) {
  require(descriptor_ >= 0, "a file in memory can be made");
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    require(count > 0, "a file in memory takes bytes");
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

MemoryFile::~MemoryFile() {
  close(descriptor_);
}

std::string MemoryFile::path() const {
  return "/proc/self/fd/" + std::to_string(descriptor_);
}

}  // namespace bb5::fuzz
