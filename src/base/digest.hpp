#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace bb5 {

using Md5 = std::array<std::uint8_t, 16>;
using Sha1 = std::array<std::uint8_t, 20>;
using Sha256 = std::array<std::uint8_t, 32>;

[[nodiscard]] Md5 md5(std::string_view bytes);
[[nodiscard]] Sha1 sha1(std::string_view bytes);
[[nodiscard]] Sha256 sha256(std::string_view bytes);

/// Lower-case hex, two digits a byte.
[[nodiscard]] std::string to_hex(std::span<const std::uint8_t> bytes);

/// SHA-256 of a stream of pieces. Not thread-safe; after finish() it starts anew.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(const Sha256Stream&) = delete;
  Sha256Stream& operator=(const Sha256Stream&) = delete;
  Sha256Stream(Sha256Stream&&) noexcept;
  Sha256Stream& operator=(Sha256Stream&&) noexcept;

  void add(std::string_view bytes);
  /// A tag byte, the length as eight bytes, then the bytes: two different field lists never give
  /// the same stream.
  void add_field(char tag, std::string_view bytes);
  [[nodiscard]] Sha256 finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bb5
