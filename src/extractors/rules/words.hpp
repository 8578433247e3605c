#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bb5::rules {

struct Token {
  enum class Kind : std::uint8_t {
    word,    ///< Starts with a letter or `_`; may hold inner `-`, `.`, `'`, `::`; paths, tickets.
    number,  ///< Starts with a digit: amounts, versions, dates, times.
    code,    ///< What stands between backticks, without them.
    url,     ///< http:// or https://.
    handle,  ///< `@name`.
    symbol   ///< One code point of anything else but white space.
  };
  std::uint32_t begin = 0;  ///< Byte offsets into the text.
  std::uint32_t end = 0;
  Kind kind = Kind::symbol;
  bool capital = false;        ///< First character is an upper case letter.
  bool starts_clause = false;  ///< Stands first in a sentence, a line, or after a colon or dash.
  bool possessive = false;     ///< `'s` followed; it is not part of the token.
  bool call = false;           ///< `()` followed; it is not part of the token.
};

/// A text and its tokens. The text must outlive it and be shorter than 4 GiB.
class Words {
 public:
  explicit Words(std::string_view text);

  [[nodiscard]] std::size_t size() const noexcept { return tokens_.size(); }
  [[nodiscard]] const Token& operator[](std::size_t i) const { return tokens_[i]; }
  [[nodiscard]] std::string_view text() const noexcept { return text_; }
  [[nodiscard]] std::string_view raw(std::size_t i) const {
    return text_.substr(tokens_[i].begin, tokens_[i].end - tokens_[i].begin);
  }
  /// The token with A–Z in lower case; other letters stay. Empty past the end.
  [[nodiscard]] std::string_view low(std::size_t i) const {
    if (i >= tokens_.size()) return {};
    return std::string_view(lowered_).substr(tokens_[i].begin, tokens_[i].end - tokens_[i].begin);
  }
  [[nodiscard]] bool is(std::size_t i, std::string_view low_text) const {
    return low(i) == low_text;
  }

 private:
  std::string_view text_;
  std::string lowered_;
  std::vector<Token> tokens_;
};

[[nodiscard]] std::string to_lower_ascii(std::string_view text);
/// Without white space (Unicode's too) at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);
/// Trimmed, and every run of white space one space.
[[nodiscard]] std::string one_line(std::string_view text);
/// True when a letter or digit of any script is in it.
[[nodiscard]] bool says_something(std::string_view text);
/// A path as it stands in text: an ending that files have, or a start like `./`, `~/`, `src/a/b`.
[[nodiscard]] bool looks_like_path(std::string_view word);
/// Code points in well-formed UTF-8.
[[nodiscard]] std::size_t count_characters(std::string_view text) noexcept;
/// At most `limit` characters; what is cut off at a word's end is replaced by `…`.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t limit);

}  // namespace bb5::rules
