#include "stores/neo4j/graph_keys.hpp"

#include <span>

#include "base/digest.hpp"
#include "base/utf8.hpp"

namespace bb5::neo4j {
namespace {

/// sortable() doubles a text at worst, and 2 × 4,000 bytes still fit into an index.
constexpr std::size_t longest_key_bytes = 4'000;

/// In UTF-8 exactly the characters from U+E000 up start with 0xEE or more.
constexpr unsigned char first_lead_byte = 0xEE;

std::string cut(std::string_view text) {
  if (text.size() <= longest_key_bytes) return std::string(text);
  std::size_t end = longest_key_bytes - 70;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "\u2026" + to_hex(sha256(text));
}

std::string with_bank(std::string_view bank, std::string_view text) {
  std::string whole;
  whole.reserve(bank.size() + 1 + text.size());
  whole += bank;
  whole += '|';
  whole += text;
  return whole;
}

/// Bytes of the well-formed UTF-8 character with this first byte.
std::size_t length_of(unsigned char lead) {
  return lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
}

char32_t decode(std::string_view character) {
  char32_t code = static_cast<unsigned char>(character[0]);
  code &= character.size() == 4 ? 0x07U : 0x0FU;
  for (const char c : character.substr(1))
    code = (code << 6) | (static_cast<unsigned char>(c) & 0x3F);
  return code;
}

}  // namespace

bool is_sortable(std::string_view utf8) noexcept {
  for (const char c : utf8)
    if (static_cast<unsigned char>(c) >= first_lead_byte) return false;
  return true;
}

// A character from U+E000 up becomes two of the basic plane: U+E000 plus its high bits, then U+1000
// plus its low twelve. No other character of the result is U+E000 or more, so the first tells it
// apart and the pair keeps its place.
std::string sortable(std::string_view utf8) {
  if (is_sortable(utf8)) return std::string(utf8);
  std::string text;
  text.reserve(utf8.size() + 16);
  for (std::size_t at = 0; at < utf8.size();) {
    const auto lead = static_cast<unsigned char>(utf8[at]);
    const std::string_view character = utf8.substr(at, length_of(lead));
    if (lead < first_lead_byte) {
      text += character;
    } else {
      const char32_t code = decode(character);
      append_utf8(text, 0xE000 + (code >> 12));
      append_utf8(text, 0x1000 + (code & 0xFFF));
    }
    at += character.size();
  }
  return text;
}

bool StoredKey::odd() const {
  return full.has_value() || key.find(separator) != std::string::npos;
}

StoredKey stored_entity_key(std::string_view bank, std::string_view entity_key) {
  std::string whole = with_bank(bank, entity_key);
  StoredKey stored{.key = cut(whole), .full = {}, .sort = {}};
  if (!is_sortable(whole) || stored.key != whole) stored.sort = sortable(whole);
  if (stored.key != whole) stored.full = std::move(whole);
  return stored;
}

std::string order_key_of(const StoredKey& key) {
  return sortable(key.key + std::string(separator));
}

std::string lookup_key(std::string_view bank, std::string_view text) {
  return cut(with_bank(bank, text));
}

std::string memory_key(std::string_view bank, const MemoryId& memory) {
  return with_bank(bank, memory.to_string());
}

std::string tombstone_key(std::string_view bank, char kind, std::string_view row_key) {
  const Sha256 digest = sha256(row_key);
  return with_bank(bank, std::string{kind, '|'} + to_hex(std::span(digest).first<16>()));
}

std::string bank_start(std::string_view bank) {
  return with_bank(bank, "");
}

std::string bank_end(std::string_view bank) {
  return std::string(bank) + static_cast<char>('|' + 1);
}

}  // namespace bb5::neo4j
