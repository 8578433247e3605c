#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"

/// PostgreSQL's binary formats, as send and receive functions of each type define them. All numbers
/// are big-endian. One field is its int32 length (-1: NULL) and its bytes, in parameters and in
/// COPY alike.
namespace bb5::postgres {

using Oid = unsigned int;
namespace oid {
inline constexpr Oid inferred =
    0;  ///< The server finds out: types of extensions have no fixed number.
inline constexpr Oid boolean = 16;
inline constexpr Oid bytea = 17;
inline constexpr Oid int8 = 20;
inline constexpr Oid int2 = 21;
inline constexpr Oid int4 = 23;
inline constexpr Oid text = 25;
inline constexpr Oid float8 = 701;
inline constexpr Oid text_array = 1009;
inline constexpr Oid int2_array = 1005;
inline constexpr Oid int8_array = 1016;
inline constexpr Oid float8_array = 1022;
inline constexpr Oid timestamptz = 1184;
inline constexpr Oid timestamptz_array = 1185;
inline constexpr Oid bytea_array = 1001;
inline constexpr Oid uuid = 2950;
inline constexpr Oid uuid_array = 2951;
inline constexpr Oid jsonb = 3802;
}  // namespace oid

/// Appends fields to a buffer that belongs to the caller.
class FieldWriter {
 public:
  explicit FieldWriter(std::string& out) : out_(out) {}

  void null();
  void boolean(bool value);
  void int2(std::int16_t value);
  void int4(std::int32_t value);
  void int8(std::int64_t value);
  void float8(double value);
  void text(std::string_view value);
  void bytes(std::string_view value) { text(value); }
  void uuid(const Uuid& value);
  void timestamptz(Timestamp value);
  /// pgvector's `vector`: at most 16,000 finite numbers.
  void vector(std::span<const float> value);
  /// The text is parsed by the server.
  void jsonb(std::string_view value);

  void texts(std::span<const std::string> values);
  void uuids(std::span<const Uuid> values);
  void int2s(std::span<const std::int16_t> values);
  void int8s(std::span<const std::int64_t> values);

  void optional(const std::optional<std::string>& value) { value ? text(*value) : null(); }
  void optional(const std::optional<double>& value) { value ? float8(*value) : null(); }
  void optional(const std::optional<std::int64_t>& value) { value ? int8(*value) : null(); }
  void optional(const std::optional<Timestamp>& value) { value ? timestamptz(*value) : null(); }
  void optional(const std::optional<MemoryId>& value) { value ? uuid(value->uuid) : null(); }

 private:
  template <class Values, class Write>
  void array(const Values& values, Oid element, Write write);

  std::string& out_;
};

/// Big-endian numbers at the end of a buffer.
void append_int16(std::string& out, std::int16_t value);
void append_int32(std::string& out, std::int32_t value);
void append_int64(std::string& out, std::int64_t value);
/// The numbers' binary32 words, big-endian.
void append_floats(std::string& out, std::span<const float> values);

/// One field's bytes, read. A field of another length or shape is a bug of ours (a statement and
/// its reader disagree) and throws std::logic_error.
[[nodiscard]] bool read_boolean(std::string_view field);
[[nodiscard]] std::int16_t read_int2(std::string_view field);
[[nodiscard]] std::int32_t read_int4(std::string_view field);
[[nodiscard]] std::int64_t read_int8(std::string_view field);
[[nodiscard]] double read_float8(std::string_view field);
[[nodiscard]] Uuid read_uuid(std::string_view field);
/// Throws also where another program has written `infinity` or a year past 294246.
[[nodiscard]] Timestamp read_timestamptz(std::string_view field);
[[nodiscard]] std::vector<float> read_vector(std::string_view field);
[[nodiscard]] std::vector<float> read_floats(std::string_view field);
/// One dimension; NULL elements become empty texts.
[[nodiscard]] std::vector<std::string> read_texts(std::string_view field);
[[nodiscard]] std::vector<Uuid> read_uuids(std::string_view field);
/// The server's text of the value: one space after each `,` and `:`.
[[nodiscard]] std::string_view read_jsonb(std::string_view field);

}  // namespace bb5::postgres
