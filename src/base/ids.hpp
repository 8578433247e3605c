#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace bb5 {

/// 16 bytes in the order in which they are printed. Compared bytewise, as PostgreSQL compares uuid.
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  /// Lower-case, with hyphens: 36 characters.
  [[nodiscard]] std::string to_string() const;
  /// Accepts upper and lower case, with hyphens only; nothing else.
  static std::optional<Uuid> parse(std::string_view text);
  /// RFC 9562 §5.5: SHA-1 of the namespace's bytes followed by the name.
  static Uuid v5(const Uuid& name_space, std::string_view name);
  /// RFC 9562 §5.4, from the operating system's random source.
  static Uuid random();

  auto operator<=>(const Uuid&) const = default;
};

/// Names one memory within a bank.
struct MemoryId {
  Uuid uuid;
  [[nodiscard]] std::string to_string() const { return uuid.to_string(); }
  auto operator<=>(const MemoryId&) const = default;
};

/// Names one fact (a record about an entity or a relationship) within a bank.
struct FactId {
  Uuid uuid;
  [[nodiscard]] std::string to_string() const { return uuid.to_string(); }
  auto operator<=>(const FactId&) const = default;
};

/// Names one migration run.
struct RunId {
  Uuid uuid;
  [[nodiscard]] std::string to_string() const { return uuid.to_string(); }
  auto operator<=>(const RunId&) const = default;
};

}  // namespace bb5

template <>
struct std::hash<bb5::Uuid> {
  std::size_t operator()(const bb5::Uuid& id) const noexcept {
    std::uint64_t high = 0;
    std::memcpy(&high, id.bytes.data(), sizeof high);
    return high;  // v4 and v5 ids are uniformly distributed
  }
};
template <>
struct std::hash<bb5::MemoryId> {
  std::size_t operator()(const bb5::MemoryId& id) const noexcept {
    return std::hash<bb5::Uuid>{}(id.uuid);
  }
};
template <>
struct std::hash<bb5::FactId> {
  std::size_t operator()(const bb5::FactId& id) const noexcept {
    return std::hash<bb5::Uuid>{}(id.uuid);
  }
};
