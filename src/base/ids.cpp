#include "base/ids.hpp"

#include <random>

#include "base/digest.hpp"

namespace bb5 {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool hyphen_follows(std::size_t byte) {
  return byte == 3 || byte == 5 || byte == 7 || byte == 9;
}

void stamp(Uuid& id, int version) {
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0F) | (version << 4));
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3F) | 0x80);
}

}  // namespace

std::string Uuid::to_string() const {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    text += digits[bytes[i] >> 4];
    text += digits[bytes[i] & 15];
    if (hyphen_follows(i)) text += '-';
  }
  return text;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Uuid id;
  std::size_t at = 0;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    const int high = hex_value(text[at]);
    const int low = hex_value(text[at + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    id.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
    at += 2;
    if (hyphen_follows(i) && text[at++] != '-') return std::nullopt;
  }
  return id;
}

Uuid Uuid::v5(const Uuid& name_space, std::string_view name) {
  std::string input(reinterpret_cast<const char*>(name_space.bytes.data()),
                    name_space.bytes.size());
  input += name;
  const auto digest = sha1(input);
  Uuid id;
  std::copy_n(digest.begin(), id.bytes.size(), id.bytes.begin());
  stamp(id, 5);
  return id;
}

Uuid Uuid::random() {
  std::random_device source;
  Uuid id;
  for (std::size_t i = 0; i < id.bytes.size(); i += 4) {
    const std::uint32_t word = source();
    std::memcpy(id.bytes.data() + i, &word, sizeof word);
  }
  stamp(id, 4);
  return id;
}

}  // namespace bb5
