#include "sources/blackbox5/vector_text.hpp"

#include <charconv>
#include <cmath>
#include <cstring>

#include "json/number.hpp"

namespace bb5::blackbox5 {
namespace {

constexpr std::string_view line_start = "\n      ";

/// The decimal rounded once to binary32. `nearest`: the same decimal as binary64.
float to_float(std::string_view token, double nearest) {
  const auto candidate = static_cast<float>(nearest);
  if (static_cast<double>(candidate) == nearest || !std::isfinite(candidate)) return candidate;
  float once = 0;  // rounding the binary64 again could go the wrong way at a tie
  if (std::from_chars(token.data(), token.data() + token.size(), once).ec != std::errc{})
    return candidate;
  return once;
}

bool is_canonical(std::string_view token, float number) {
  char text[json::max_number_length];
  const std::size_t length = json::write_number(static_cast<double>(number), text);
  return length == token.size() && std::memcmp(text, token.data(), length) == 0;
}

/// True when what stands between `from` and `to` is exactly one line start.
bool is_line_start(const char* from, const char* to) {
  return static_cast<std::size_t>(to - from) == line_start.size() &&
         std::memcmp(from, line_start.data(), line_start.size()) == 0;
}

/// Takes numbers as the old system wrote them (each on its line, binary32, shortest spelling) as
/// far as they go: nearly all that there ever are, at a third of the time that the general way
/// takes. `before`: where the last element or bracket ended; moved to where the last number taken
/// ended. True: the array's end is reached.
bool take_written_numbers(const char*& before, const char* end, std::vector<float>& numbers) {
  constexpr std::string_view array_end = "\n    ]";
  const auto starts_with = [&](const char* at, std::string_view text) {
    return static_cast<std::size_t>(end - at) >= text.size() &&
           std::memcmp(at, text.data(), text.size()) == 0;
  };
  while (starts_with(before, line_start)) {
    float number = 0;
    const char* after = json::read_written_binary32(before + line_start.size(), end, number);
    if (after == nullptr || after == end) return false;
    if (*after == ',') {
      numbers.push_back(number);
      before = after + 1;
    } else if (starts_with(after, array_end)) {
      numbers.push_back(number);
      before = after + array_end.size();
      return true;
    } else {
      return false;
    }
  }
  return false;
}

}  // namespace

bool read_vector(json::Cursor& cursor, VectorText& vector) {
  vector.numbers.clear();
  if (cursor.peek() != '[') {
    json::Value value;
    if (!cursor.value(value)) return false;
    vector.shape = value.is_null() ? VectorText::Shape::absent : VectorText::Shape::other;
    vector.canonical = value.is_null();
    return true;
  }
  cursor.take('[');
  const char* before = cursor.position();  // where the last element or bracket ended
  if (cursor.take(']')) {
    vector.shape = VectorText::Shape::absent;
    vector.canonical = false;  // an absent vector is written as null
    return true;
  }
  vector.shape = VectorText::Shape::numbers;
  const auto spoil = [&](VectorText::Shape shape, std::size_t index) {
    if (vector.shape != VectorText::Shape::numbers) return;
    vector.shape = shape;
    vector.bad_index = index;
    vector.canonical = false;
  };
  std::size_t index = 0;
  while (true) {
    if (vector.canonical) {
      const bool ended = take_written_numbers(before, cursor.end(), vector.numbers);
      cursor.move_to(before);
      if (ended) return true;
      index = vector.numbers.size();
    }
    const char next = cursor.peek();
    if (next == '-' || (next >= '0' && next <= '9') || next == 'N' || next == 'I') {
      std::string_view token;
      const char* start = cursor.position();
      if (!cursor.number_token(token)) return false;
      if (vector.shape == VectorText::Shape::numbers) {
        const double wide = json::to_double(token);
        const float number = to_float(token, wide);
        if (!std::isfinite(number)) {
          spoil(VectorText::Shape::not_finite, index);
        } else {
          vector.numbers.push_back(number);
          vector.exact = vector.exact && static_cast<double>(number) == wide;
          vector.canonical =
              vector.canonical && is_line_start(before, start) && is_canonical(token, number);
        }
      }
    } else {
      json::Value value;
      if (!cursor.value(value)) return false;
      spoil(VectorText::Shape::other, index);
    }
    ++index;
    const char* after = cursor.position();
    if (cursor.take(',')) {
      vector.canonical = vector.canonical && cursor.position() == after + 1;
      before = cursor.position();
      continue;
    }
    if (!cursor.expect(']')) return false;
    vector.canonical =
        vector.canonical &&
        std::string_view(after, static_cast<std::size_t>(cursor.position() - after)) == "\n    ]";
    break;
  }
  if (vector.shape != VectorText::Shape::numbers) vector.numbers.clear();
  return true;
}

bool is_fallback_vector(const std::vector<float>& numbers) {
  if (numbers.size() != 384) return false;
  double smallest = 0;
  double square = 0;
  int set = 0;
  for (const float number : numbers) {
    if (number < 0) return false;
    if (number == 0) continue;
    ++set;
    smallest = smallest == 0 ? number : std::min<double>(smallest, number);
    square += static_cast<double>(number) * number;
  }
  if (set == 0) return true;
  if (set > 50 || std::fabs(std::sqrt(square) - 1) > 1e-5) return false;
  // Counts of words in a bucket, over their length: the smallest may stand for 1, 2, … words.
  for (int words = 1; words <= 8; ++words) {
    const double unit = smallest / words;
    bool fits = true;
    for (const float number : numbers) {
      const double multiple = number / unit;
      fits = fits && std::fabs(multiple - std::round(multiple)) < 1e-4 && multiple < 50.5;
    }
    if (fits) return true;
  }
  return false;
}

}  // namespace bb5::blackbox5
