#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "json/value.hpp"

namespace bb5::json {

/// Walks over JSON text token by token. The text may end in the middle: then status() is
/// `incomplete`, and a caller that can bring more bytes starts again from where its value began. A
/// step returns false when it could not be done; status() and message() tell why, offset() where.
/// Not thread-safe; the text must outlive it.
class Cursor {
 public:
  enum class Status { good, incomplete, bad };

  explicit Cursor(std::string_view text, std::size_t offset = 0)
      : begin_(text.data()), at_(text.data() + offset), end_(text.data() + text.size()) {}

  void skip_space() noexcept {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
  }
  /// The next byte after white space, '\0' at the end.
  [[nodiscard]] char peek() noexcept {
    skip_space();
    return at_ == end_ ? '\0' : *at_;
  }
  /// Takes the byte if it comes next after white space.
  bool take(char c) noexcept {
    if (peek() != c || at_ == end_) return false;
    ++at_;
    return true;
  }
  /// As take, an error otherwise.
  bool expect(char c);

  bool string(std::string& wtf8);
  /// The token's bytes; the value of the number is not looked at.
  bool number_token(std::string_view& token);
  bool value(Value& value) { return value_at(value, 0); }

  [[nodiscard]] Status status() const { return status_; }
  [[nodiscard]] const std::string& message() const { return message_; }
  [[nodiscard]] std::size_t offset() const { return static_cast<std::size_t>(at_ - begin_); }
  [[nodiscard]] bool at_end() const { return at_ == end_; }
  [[nodiscard]] const char* position() const { return at_; }
  void move_to(const char* position) { at_ = position; }
  [[nodiscard]] const char* end() const { return end_; }
  bool fail(std::string message);
  bool ran_out();

 private:
  bool value_at(Value& value, int depth);
  bool word(std::string_view word);
  bool escape(std::string& wtf8);
  bool four_hex(unsigned& code);
  bool array(Value& value, int depth);
  bool object(Value& value, int depth);

  const char* begin_;
  const char* at_;
  const char* end_;
  Status status_ = Status::good;
  std::string message_;
};

}  // namespace bb5::json
