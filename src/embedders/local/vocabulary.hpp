#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace bb5::local {

/// The pieces that words are made of, by their text. Two tables, since a piece within a word
/// (`##ing`) is another one than the same letters at its start.
/// Safe to read from several threads at once.
class Vocabulary {
 public:
  using Id = std::int32_t;
  static constexpr Id none = -1;

  /// One piece a line; its number is the line's, from 0. `name` stands in the messages.
  /// Errors: corrupt (an empty line, a piece twice).
  [[nodiscard]] static Result<Vocabulary> parse(std::string_view text, std::string_view name);

  /// The piece that a word starts with, or a whole line of the file that is no `##` piece.
  [[nodiscard]] Id start(std::string_view piece) const { return starts_.find(piece); }
  /// The piece that goes on within a word; without its `##`.
  [[nodiscard]] Id continuation(std::string_view piece) const { return continuations_.find(piece); }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  /// Open addressing over offsets into the text: made in a millisecond, in one allocation.
  class Table {
   public:
    explicit Table(std::size_t pieces);
    [[nodiscard]] bool add(std::string_view piece, Id id);
    [[nodiscard]] Id find(std::string_view piece) const;

   private:
    struct Slot {
      const char* text = nullptr;
      std::uint32_t length = 0;
      Id id = none;
    };
    [[nodiscard]] std::size_t slot_of(std::string_view piece) const;
    std::vector<Slot> slots_;  // their number is a power of two, at least half of them free
  };

  explicit Vocabulary(std::vector<char> text, std::size_t lines);
  std::vector<char> text_;  // not a string: moving one may move its bytes
  std::size_t size_;
  Table starts_;
  Table continuations_;
};

}  // namespace bb5::local
