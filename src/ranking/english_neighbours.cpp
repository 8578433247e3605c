#include "ranking/english_neighbours.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <optional>

// The table lies in the program as it lies in the source tree.
__asm__(
    ".pushsection .rodata\n"
    ".global bb5_english_neighbours\n"
    ".global bb5_english_neighbours_end\n"
    "bb5_english_neighbours:\n"
    ".incbin \"" BB5_ENGLISH_NEIGHBOURS
    "\"\n"
    "bb5_english_neighbours_end:\n"
    ".popsection\n");
extern "C" const char bb5_english_neighbours[];      // NOLINT(modernize-avoid-c-arrays)
extern "C" const char bb5_english_neighbours_end[];  // NOLINT(modernize-avoid-c-arrays)

namespace bb5::ranking {
namespace {

constexpr std::string_view magic = "bb5words";
constexpr std::size_t bytes_of_a_neighbour = 3;

/// Takes numbers from the front of some bytes; after the end, nothing.
class Bytes {
 public:
  explicit Bytes(std::string_view rest) : rest_(rest) {}

  std::optional<std::string_view> take(std::size_t count) {
    if (count > rest_.size()) return std::nullopt;
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::optional<std::size_t> number(std::size_t width) {
    const auto bytes = take(width);
    if (!bytes) return std::nullopt;
    return number_of(*bytes);
  }
  static std::size_t number_of(std::string_view bytes) {
    std::size_t number = 0;
    for (std::size_t i = bytes.size(); i-- > 0;)
      number = number << 8 | static_cast<unsigned char>(bytes[i]);
    return number;
  }
  [[nodiscard]] bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

void put(std::string& bytes, std::size_t number, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) bytes += static_cast<char>(number >> (8 * i) & 0xFF);
}

class NeighbourTable final : public WordNeighbours {
 public:
  static Result<std::unique_ptr<WordNeighbours>> read(std::string_view bytes) {
    auto table = std::make_unique<NeighbourTable>();
    if (!table->parse(Bytes(bytes))) return Error{Errc::corrupt, "this is no table of words"};
    return std::unique_ptr<WordNeighbours>(std::move(table));
  }

  std::vector<WordNeighbour> nearest(const std::string& term) const override {
    std::vector<WordNeighbour> near;
    const auto place = std::lower_bound(terms_.begin(), terms_.end(), term);
    if (place == terms_.end() || *place != term) return near;
    std::string_view rows = neighbours_[static_cast<std::size_t>(place - terms_.begin())];
    for (; !rows.empty(); rows.remove_prefix(bytes_of_a_neighbour)) {
      const std::size_t other = Bytes::number_of(rows.substr(0, 2));
      const auto cosine = static_cast<unsigned char>(rows[2]);
      near.push_back({std::string(terms_[other]), cosine / 255.0});
    }
    return near;
  }

 private:
  bool parse(Bytes bytes) {
    if (bytes.take(magic.size()) != magic) return false;
    const auto count = bytes.number(4);
    if (!count || *count > 65'535) return false;
    for (std::size_t i = 0; i < *count; ++i) {
      const auto length = bytes.number(1);
      const auto term = length ? bytes.take(*length) : std::nullopt;
      if (!term || (!terms_.empty() && terms_.back() >= *term)) return false;
      terms_.push_back(*term);
    }
    for (std::size_t i = 0; i < *count; ++i) {
      const auto number = bytes.number(1);
      const auto rows = number ? bytes.take(*number * bytes_of_a_neighbour) : std::nullopt;
      if (!rows || !are_terms(*rows)) return false;
      neighbours_.push_back(*rows);
    }
    return bytes.empty();
  }
  [[nodiscard]] bool are_terms(std::string_view rows) const {
    for (std::size_t at = 0; at < rows.size(); at += bytes_of_a_neighbour) {
      if (Bytes::number_of(rows.substr(at, 2)) >= terms_.size()) return false;
    }
    return true;
  }

  std::vector<std::string_view> terms_;       // sorted
  std::vector<std::string_view> neighbours_;  // by term
};

}  // namespace

Result<std::unique_ptr<WordNeighbours>> read_neighbours(std::string_view bytes) {
  return NeighbourTable::read(bytes);
}

std::string write_neighbours(std::vector<std::string> terms, const WordNeighbours& table) {
  std::sort(terms.begin(), terms.end());
  terms.erase(std::unique(terms.begin(), terms.end()), terms.end());
  std::string bytes(magic);
  put(bytes, terms.size(), 4);
  for (const std::string& term : terms) {
    put(bytes, term.size(), 1);
    bytes += term;
  }
  for (const std::string& term : terms) {
    std::string rows;
    for (const WordNeighbour& near : table.nearest(term)) {
      const auto place = std::lower_bound(terms.begin(), terms.end(), near.term);
      if (place == terms.end() || *place != near.term) continue;
      put(rows, static_cast<std::size_t>(place - terms.begin()), 2);
      put(rows, static_cast<std::size_t>(std::lround(std::clamp(near.cosine, 0.0, 1.0) * 255)), 1);
      if (rows.size() == table_neighbours * bytes_of_a_neighbour) break;
    }
    put(bytes, rows.size() / bytes_of_a_neighbour, 1);
    bytes += rows;
  }
  return bytes;
}

const WordNeighbours& english_neighbours() {
  static const std::unique_ptr<WordNeighbours> table = [] {
    const std::string_view bytes(
        bb5_english_neighbours,
        static_cast<std::size_t>(bb5_english_neighbours_end - bb5_english_neighbours));
    auto read = read_neighbours(bytes);
    // Part of the program, and read by its tests.
    if (!read) std::abort();
    return std::move(*read);
  }();
  return *table;
}

}  // namespace bb5::ranking
