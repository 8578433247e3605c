#include "stores/postgres/codec.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <stdexcept>

namespace bb5::postgres {
namespace {

// timestamptz counts from 2000-01-01, system_clock from 1970-01-01.
constexpr std::int64_t epoch_shift_us = 946'684'800'000'000;

template <class Number>
Number swapped(Number value) {
  static_assert(std::endian::native == std::endian::little);
  if constexpr (sizeof(Number) == 2) return static_cast<Number>(__builtin_bswap16(value));
  if constexpr (sizeof(Number) == 4) return static_cast<Number>(__builtin_bswap32(value));
  if constexpr (sizeof(Number) == 8) return static_cast<Number>(__builtin_bswap64(value));
}

template <class Unsigned>
void append_number(std::string& out, Unsigned value) {
  const Unsigned big = swapped(value);
  char bytes[sizeof big];
  std::memcpy(bytes, &big, sizeof big);
  out.append(bytes, sizeof bytes);
}

template <class Unsigned>
Unsigned number_at(std::string_view field, std::size_t offset = 0) {
  if (offset + sizeof(Unsigned) > field.size())
    throw std::logic_error("a binary field is too short");
  Unsigned value;
  std::memcpy(&value, field.data() + offset, sizeof value);
  return swapped(value);
}

void require_size(std::string_view field, std::size_t size) {
  if (field.size() != size) throw std::logic_error("a binary field has an unexpected length");
}

std::int32_t length_of(std::string_view value) {
  return static_cast<std::int32_t>(value.size());
}

}  // namespace

void append_int16(std::string& out, std::int16_t value) {
  append_number(out, static_cast<std::uint16_t>(value));
}
void append_int32(std::string& out, std::int32_t value) {
  append_number(out, static_cast<std::uint32_t>(value));
}
void append_int64(std::string& out, std::int64_t value) {
  append_number(out, static_cast<std::uint64_t>(value));
}

void append_floats(std::string& out, std::span<const float> values) {
  const std::size_t before = out.size();
  out.resize(before + 4 * values.size());
  char* at = out.data() + before;
  for (const float value : values) {
    const std::uint32_t bits = swapped(std::bit_cast<std::uint32_t>(value));
    std::memcpy(at, &bits, sizeof bits);
    at += sizeof bits;
  }
}

void FieldWriter::null() {
  append_int32(out_, -1);
}
void FieldWriter::boolean(bool value) {
  append_int32(out_, 1);
  out_ += value ? '\1' : '\0';
}
void FieldWriter::int2(std::int16_t value) {
  append_int32(out_, 2);
  append_int16(out_, value);
}
void FieldWriter::int4(std::int32_t value) {
  append_int32(out_, 4);
  append_int32(out_, value);
}
void FieldWriter::int8(std::int64_t value) {
  append_int32(out_, 8);
  append_int64(out_, value);
}
void FieldWriter::float8(double value) {
  append_int32(out_, 8);
  append_number(out_, std::bit_cast<std::uint64_t>(value));
}
void FieldWriter::text(std::string_view value) {
  append_int32(out_, length_of(value));
  out_ += value;
}
void FieldWriter::uuid(const Uuid& value) {
  append_int32(out_, 16);
  out_.append(reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size());
}
void FieldWriter::timestamptz(Timestamp value) {
  int8(value.time_since_epoch().count() - epoch_shift_us);
}
void FieldWriter::vector(std::span<const float> value) {
  append_int32(out_, static_cast<std::int32_t>(4 + 4 * value.size()));
  append_int16(out_, static_cast<std::int16_t>(value.size()));
  append_int16(out_, 0);
  append_floats(out_, value);
}
void FieldWriter::jsonb(std::string_view value) {
  append_int32(out_, length_of(value) + 1);
  out_ += '\1';  // the format's version
  out_ += value;
}

template <class Values, class Write>
void FieldWriter::array(const Values& values, Oid element, Write write) {
  const std::size_t start = out_.size();
  append_int32(out_, 0);  // set below
  append_int32(out_, values.empty() ? 0 : 1);
  append_int32(out_, 0);  // no NULL among them
  append_int32(out_, static_cast<std::int32_t>(element));
  if (!values.empty()) {
    append_int32(out_, static_cast<std::int32_t>(values.size()));
    append_int32(out_, 1);  // the first index
    for (const auto& value : values) write(value);
  }
  const std::uint32_t length = swapped(static_cast<std::uint32_t>(out_.size() - start - 4));
  std::memcpy(out_.data() + start, &length, sizeof length);
}

void FieldWriter::texts(std::span<const std::string> values) {
  array(values, oid::text, [&](const std::string& value) { text(value); });
}
void FieldWriter::uuids(std::span<const Uuid> values) {
  array(values, oid::uuid, [&](const Uuid& value) { uuid(value); });
}
void FieldWriter::int2s(std::span<const std::int16_t> values) {
  array(values, oid::int2, [&](std::int16_t value) { int2(value); });
}
void FieldWriter::int8s(std::span<const std::int64_t> values) {
  array(values, oid::int8, [&](std::int64_t value) { int8(value); });
}

bool read_boolean(std::string_view field) {
  require_size(field, 1);
  return field[0] != 0;
}
std::int16_t read_int2(std::string_view field) {
  require_size(field, 2);
  return static_cast<std::int16_t>(number_at<std::uint16_t>(field));
}
std::int32_t read_int4(std::string_view field) {
  require_size(field, 4);
  return static_cast<std::int32_t>(number_at<std::uint32_t>(field));
}
std::int64_t read_int8(std::string_view field) {
  require_size(field, 8);
  return static_cast<std::int64_t>(number_at<std::uint64_t>(field));
}
double read_float8(std::string_view field) {
  require_size(field, 8);
  return std::bit_cast<double>(number_at<std::uint64_t>(field));
}
Uuid read_uuid(std::string_view field) {
  Uuid uuid;
  require_size(field, uuid.bytes.size());
  std::memcpy(uuid.bytes.data(), field.data(), uuid.bytes.size());
  return uuid;
}
Timestamp read_timestamptz(std::string_view field) {
  // The two ends are the server's -infinity and infinity; its last years are past our last.
  const std::int64_t since_2000 = read_int8(field);
  std::int64_t since_1970 = 0;
  if (since_2000 == std::numeric_limits<std::int64_t>::min() ||
      __builtin_add_overflow(since_2000, epoch_shift_us, &since_1970))
    throw std::logic_error("a time in the database is infinite or out of range");
  return Timestamp(std::chrono::microseconds(since_1970));
}

std::vector<float> read_floats(std::string_view field) {
  if (field.size() % 4 != 0) throw std::logic_error("a binary field has an unexpected length");
  std::vector<float> values(field.size() / 4);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = std::bit_cast<float>(number_at<std::uint32_t>(field, 4 * i));
  }
  return values;
}

std::vector<float> read_vector(std::string_view field) {
  const auto dimension = static_cast<std::size_t>(number_at<std::uint16_t>(field));
  require_size(field, 4 + 4 * dimension);
  return read_floats(field.substr(4));
}

/// Calls `take` with each element of an array of one dimension; NULL ones are empty.
template <class Take>
void read_array(std::string_view field, Take take) {
  const auto dimensions = number_at<std::uint32_t>(field);
  if (dimensions == 0) return;
  if (dimensions != 1) throw std::logic_error("an array has more than one dimension");
  const auto count = number_at<std::uint32_t>(field, 12);
  std::size_t at = 20;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto length = static_cast<std::int32_t>(number_at<std::uint32_t>(field, at));
    at += 4;
    const auto size = length < 0 ? 0 : static_cast<std::size_t>(length);
    if (at + size > field.size()) throw std::logic_error("an array's element is too long");
    take(field.substr(at, size));
    at += size;
  }
}

std::vector<std::string> read_texts(std::string_view field) {
  std::vector<std::string> values;
  read_array(field, [&](std::string_view element) { values.emplace_back(element); });
  return values;
}

std::vector<Uuid> read_uuids(std::string_view field) {
  std::vector<Uuid> values;
  read_array(field, [&](std::string_view element) { values.push_back(read_uuid(element)); });
  return values;
}

std::string_view read_jsonb(std::string_view field) {
  if (field.empty() || field[0] != 1) throw std::logic_error("jsonb of an unknown version");
  return field.substr(1);
}

}  // namespace bb5::postgres
