#include "embedders/local/vocabulary.hpp"

#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

#include <fmt/format.h>

namespace bb5::local {
namespace {

constexpr std::string_view within_word = "##";

Error damaged(std::string_view file, std::string_view what) {
  return {.code = Errc::corrupt, .message = fmt::format("{} is damaged: {}", file, what)};
}

}  // namespace

Vocabulary::Table::Table(std::size_t pieces) : slots_(std::bit_ceil(2 * pieces + 1)) {}

std::size_t Vocabulary::Table::slot_of(std::string_view piece) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = std::hash<std::string_view>{}(piece)&mask;
  while (slots_[at].id != none && std::string_view(slots_[at].text, slots_[at].length) != piece)
    at = (at + 1) & mask;
  return at;
}

bool Vocabulary::Table::add(std::string_view piece, Id id) {
  Slot& slot = slots_[slot_of(piece)];
  if (slot.id != none) return false;
  slot = {piece.data(), static_cast<std::uint32_t>(piece.size()), id};
  return true;
}

Vocabulary::Id Vocabulary::Table::find(std::string_view piece) const {
  return slots_[slot_of(piece)].id;
}

Vocabulary::Vocabulary(std::vector<char> text, std::size_t lines)
    : text_(std::move(text)), size_(lines), starts_(lines), continuations_(lines) {}

Result<Vocabulary> Vocabulary::parse(std::string_view text, std::string_view name) {
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) +
                     (text.empty() || text.ends_with('\n') ? 0 : 1);
  if (lines > 10'000'000) return damaged(name, fmt::format("{} lines", lines));
  Vocabulary made(std::vector<char>(text.begin(), text.end()), lines);
  std::string_view rest(made.text_.data(), made.text_.size());
  for (std::size_t line = 0; line < lines; ++line) {
    std::string_view piece = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), piece.size() + 1));
    if (piece.ends_with('\r')) piece.remove_suffix(1);
    const bool continues = piece.starts_with(within_word) && piece.size() > within_word.size();
    Table& table = continues ? made.continuations_ : made.starts_;
    if (continues) piece.remove_prefix(within_word.size());
    if (piece.empty()) return damaged(name, fmt::format("line {} is empty", line + 1));
    if (!table.add(piece, static_cast<Id>(line)))
      return damaged(name, fmt::format("line {} repeats {}", line + 1, piece));
  }
  return made;
}

}  // namespace bb5::local
