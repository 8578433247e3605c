#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace bb5::fuzz {

/// One input of a fuzz target. A target returns when all is well and aborts when a promise is
/// broken.
using Input = std::span<const std::uint8_t>;
using Target = void (*)(Input);

struct NamedTarget {
  const char* name;
  Target run;
};
/// All targets; corpus/NAME holds the seeds of each, and every input that once broke it.
[[nodiscard]] std::span<const NamedTarget> all_targets();

void json(Input input);
void number(Input input);
void text(Input input);
void time(Input input);
void array(Input input);
void cache(Input input);
void migration(Input input);
void add(Input input);
void address(Input input);
void embedded(Input input);
void postgres(Input input);
void neo4j(Input input);
void rules(Input input);
void safetensors(Input input);
void word_piece(Input input);
void model(Input input);

/// Ends the process with the message unless the promise is kept.
void require(bool kept, std::string_view promise);

[[nodiscard]] inline std::string_view text_of(Input input) {
  return {reinterpret_cast<const char*>(input.data()), input.size()};
}

/// A file in memory with these bytes; path() can be opened like any other.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes);
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  [[nodiscard]] std::string path() const;

 private:
  int descriptor_;
};

}  // namespace bb5::fuzz
