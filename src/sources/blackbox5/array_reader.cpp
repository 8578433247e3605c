#include "sources/blackbox5/array_reader.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace bb5::blackbox5 {
namespace {

/// A larger element is taken for damage: no store of the old system could have worked with one.
constexpr std::size_t largest_element = std::size_t{128} << 20;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

std::size_t skip(std::string_view text, std::size_t at) {
  while (at < text.size() && is_space(text[at])) ++at;
  return at;
}

/// Where the value that starts at `text` ends by its brackets alone, when a comma or the array's
/// end follows; npos otherwise.
std::size_t balanced_end(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (in_string) {
      if (c == '\\') ++at;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (depth < 0) return std::string_view::npos;
    if (depth > 0 || is_space(c)) continue;
    if (c == '}' || c == ']' || (depth == 0 && c == ',')) {
      const std::size_t end = c == ',' ? at : at + 1;
      const std::size_t next = skip(text, end);
      return next < text.size() && (text[next] == ',' || text[next] == ']')
                 ? end
                 : std::string_view::npos;
    }
  }
  return std::string_view::npos;
}

/// Where a record seems to end because another begins behind it: `}`, a comma, `{`, a key that
/// records begin with. Returns the place behind the `}` or, when that is missing, before the comma.
std::size_t next_record(std::string_view text, std::size_t from) {
  constexpr std::string_view first_keys[] = {"\"id\"", "\"network\"", "\"content\"", "\"name\"",
                                             "\"subject\""};
  for (std::size_t brace = text.find('{', from); brace != std::string_view::npos;
       brace = text.find('{', brace + 1)) {
    const std::size_t key = skip(text, brace + 1);
    const bool starts =
        std::any_of(std::begin(first_keys), std::end(first_keys),
                    [&](std::string_view k) { return text.substr(key, k.size()) == k; });
    if (!starts) continue;
    std::size_t comma = brace;
    while (comma > 1 && is_space(text[comma - 1])) --comma;
    if (comma <= 1 || text[comma - 1] != ',') continue;
    // A record of the writer starts two spaces in; objects within one stand deeper.
    const std::size_t indent = brace - comma;
    if (indent > 3) continue;
    return comma - 1;
  }
  return std::string_view::npos;
}

const char* kind_of(char first) {
  switch (first) {
    case '{':
      return "an object";
    case '"':
      return "a text";
    case 'n':
      return "null";
    case 't':
    case 'f':
      return "true or false";
    default:
      return (first >= '0' && first <= '9') || first == '-' ? "a number" : "no JSON";
  }
}

}  // namespace

Result<> ArrayReader::open(const std::string& path) {
  path_ = path;
  return window_.open(path);
}

void ArrayReader::remark(std::string code, std::string message) {
  issues_.push_back({.kind = LedgerIssue::Kind::warning,
                     .ordinal = -1,
                     .byte_from = window_.offset(),
                     .code = std::move(code),
                     .message = std::move(message)});
}

Result<bool> ArrayReader::skip_space() {
  while (true) {
    const auto view = window_.view();
    const std::size_t at = skip(view, 0);
    window_.consume(at);
    if (at < view.size()) return true;
    auto more = window_.grow();
    if (!more) return std::move(more).error();
    if (!*more) return false;
  }
}

Result<char> ArrayReader::peek() {
  auto there = skip_space();
  if (!there) return std::move(there).error();
  return *there ? window_.view().front() : '\0';
}

Result<> ArrayReader::begin() {
  begun_ = true;
  BB5_TRY(window_.grow());
  if (window_.view().starts_with(byte_order_mark)) {
    remark("byte_order_mark",
           "the file starts with a byte order mark, which the old system could not read");
    window_.consume(byte_order_mark.size());
  }
  auto first = peek();
  if (!first) return std::move(first).error();
  if (*first == '[') {
    window_.consume(1);
    return ok();
  }
  const bool empty = window_.at_end_of_file() && window_.view().empty();
  return Error{
      Errc::corrupt,
      fmt::format(
          "{} {}", path_,
          empty ? "is empty" : fmt::format("holds {}, not an array of records", kind_of(*first))),
      "give a memories.json as the old system wrote it, or restore it from a backup"};
}

std::optional<ArrayReader::Element> ArrayReader::element(std::size_t length, std::string code,
                                                         std::string problem,
                                                         std::int64_t problem_at) {
  Element element{.ordinal = ordinal_++,
                  .byte_from = window_.offset(),
                  .byte_to = window_.offset() + static_cast<std::int64_t>(length),
                  .raw = window_.view().substr(0, length),
                  .problem = std::move(problem),
                  .code = std::move(code),
                  .problem_at = problem_at};
  taken_ = length;
  return element;
}

Result<std::optional<ArrayReader::Element>> ArrayReader::finish() {
  done_ = true;
  auto rest = skip_space();
  if (!rest) return std::move(rest).error();
  if (*rest) remark("trailing_bytes", "bytes follow the end of the array");
  return std::optional<Element>{};
}

Result<std::optional<ArrayReader::Element>> ArrayReader::damaged(std::int64_t error_at,
                                                                 std::string code,
                                                                 std::string problem) {
  const auto error_in_view = static_cast<std::size_t>(error_at - window_.offset());
  while (true) {
    const auto view = window_.view();
    const std::size_t end =
        std::min(balanced_end(view), next_record(view, std::min(error_in_view, view.size())));
    if (end != std::string_view::npos && end > 0)
      return element(end, std::move(code), std::move(problem), error_at);
    if (view.size() >= largest_element) break;
    auto more = window_.grow();
    if (!more) return std::move(more).error();
    if (!*more) break;
  }
  return element(window_.view().size(), std::move(code), std::move(problem), error_at);
}

Result<std::optional<ArrayReader::Element>> ArrayReader::next(const Parse& parse) {
  if (done_) return std::optional<Element>{};
  window_.consume(taken_);
  const bool first = !begun_;
  taken_ = 0;
  if (!begun_) BB5_TRY(begin());
  auto byte = peek();
  if (!byte) return std::move(byte).error();
  if (*byte == ']') {
    window_.consume(1);
    return finish();
  }
  if (!first && *byte == ',') {
    window_.consume(1);
    byte = peek();
    if (!byte) return std::move(byte).error();
    if (*byte == ']') {
      remark("trailing_comma", "a comma stands before the end of the array");
      window_.consume(1);
      return finish();
    }
  } else if (!first && *byte != '\0') {
    remark("missing_comma", "no comma stands between two records");
  }
  if (*byte == '\0' && window_.at_end_of_file() && window_.view().empty()) {
    done_ = true;
    remark("truncated", "the file ends before its array does");
    return std::optional<Element>{};
  }
  while (true) {
    json::Cursor cursor(window_.view());
    const bool good = parse(cursor);
    // A value that ends with the window might go on behind it (a number), so more is looked at
    // first.
    if (good && (!cursor.at_end() || window_.at_end_of_file()))
      return element(cursor.offset(), {}, {}, 0);
    const std::int64_t at = window_.offset() + static_cast<std::int64_t>(cursor.offset());
    if (!good && cursor.status() == json::Cursor::Status::bad) {
      const bool utf8 = cursor.message() == "bytes that are not UTF-8";
      return damaged(at, utf8 ? "bad_utf8" : "bad_json",
                     fmt::format("{} at byte {}", cursor.message(), at));
    }
    if (window_.view().size() >= largest_element)
      return damaged(at, "too_large", "a record of more than 128 MiB");
    auto more = window_.grow();
    if (!more) return std::move(more).error();
    if (*more) continue;
    if (good) return element(cursor.offset(), {}, {}, 0);
    remark("truncated", fmt::format("the file ends at byte {} in the middle of a record", at));
    done_ = true;
    return element(window_.view().size(), "truncated", "the file ends in the middle of this record",
                   at);
  }
}

}  // namespace bb5::blackbox5
