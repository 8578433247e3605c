#include "stores/postgres/codec.hpp"

#include <bit>
#include <limits>
#include <stdexcept>

#include <gmock/gmock.h>

#include "base/digest.hpp"
#include "model/memory.hpp"

namespace bb5::postgres {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string written(const std::function<void(FieldWriter&)>& write) {
  std::string out;
  FieldWriter writer(out);
  write(writer);
  return out;
}

std::string_view field_of(const std::string& written) {
  return std::string_view(written).substr(4);
}

TEST(PostgresCodec, NumbersAreBigEndianBehindTheirLength) {
  EXPECT_EQ(written([](FieldWriter& w) { w.int2(-2); }), std::string("\0\0\0\2\xFF\xFE", 6));
  EXPECT_EQ(written([](FieldWriter& w) { w.int4(1); }), std::string("\0\0\0\4\0\0\0\1", 8));
  EXPECT_EQ(written([](FieldWriter& w) { w.null(); }), std::string("\xFF\xFF\xFF\xFF", 4));
  EXPECT_EQ(
      written([](FieldWriter& w) { w.timestamptz(*parse_time("2000-01-01T00:00:00.000001Z")); }),
      std::string("\0\0\0\10\0\0\0\0\0\0\0\1", 12));
}

TEST(PostgresCodec, WhatIsWrittenIsRead) {
  for (const std::int64_t value : {std::numeric_limits<std::int64_t>::min(), std::int64_t{-1},
                                   std::int64_t{0}, std::numeric_limits<std::int64_t>::max()}) {
    EXPECT_EQ(read_int8(field_of(written([&](FieldWriter& w) { w.int8(value); }))), value);
  }
  for (const double value : {0.0, -0.0, 0.1, 1e308, 5e-324}) {
    EXPECT_EQ(std::bit_cast<std::uint64_t>(
                  read_float8(field_of(written([&](FieldWriter& w) { w.float8(value); })))),
              std::bit_cast<std::uint64_t>(value));
  }
  const Uuid uuid = Uuid::random();
  EXPECT_EQ(read_uuid(field_of(written([&](FieldWriter& w) { w.uuid(uuid); }))), uuid);
  for (const char* time :
       {"0001-01-01", "1969-12-31T23:59:59.999999", "9999-12-31T23:59:59.999999"}) {
    const Timestamp moment = *parse_time(time);
    EXPECT_EQ(read_timestamptz(field_of(written([&](FieldWriter& w) { w.timestamptz(moment); }))),
              moment);
  }
  const std::vector<std::string> texts = {"", "a", "漢字, \"quoted\""};
  EXPECT_EQ(read_texts(field_of(written([&](FieldWriter& w) { w.texts(texts); }))), texts);
  EXPECT_THAT(read_texts(field_of(written([&](FieldWriter& w) { w.texts({}); }))), IsEmpty());
  const std::vector<float> vector = {1, -0.0f, 1e-45f, 3.4028234e38f};
  EXPECT_EQ(read_vector(field_of(written([&](FieldWriter& w) { w.vector(vector); }))), vector);
}

TEST(PostgresCodec, AVectorsBytesAreThoseThatItsHashIsMadeFrom) {
  Memory memory;
  memory.embedding = {1, 2.5f, -3e-39f};
  const std::string wire(field_of(written([&](FieldWriter& w) { w.vector(memory.embedding); })));
  const Sha256 digest = sha256(wire);
  EXPECT_EQ(vector_hash(memory),
            std::string(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

TEST(PostgresCodec, ATimeThatWeCannotHoldIsRefused) {
  for (const std::int64_t micros :
       {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(),
        std::numeric_limits<std::int64_t>::max() - 946'684'800'000'000 + 1}) {
    const std::string field(field_of(written([&](FieldWriter& w) { w.int8(micros); })));
    EXPECT_THROW(static_cast<void>(read_timestamptz(field)), std::logic_error) << micros;
  }
  const std::string latest(field_of(written([](FieldWriter& w) {
    w.int8(std::numeric_limits<std::int64_t>::max() - 946'684'800'000'000);
  })));
  EXPECT_EQ(read_timestamptz(latest).time_since_epoch().count(),
            std::numeric_limits<std::int64_t>::max());
}

TEST(PostgresCodec, AFieldOfAnotherShapeIsABug) {
  EXPECT_THROW(static_cast<void>(read_int8("1234")), std::logic_error);
  EXPECT_THROW(static_cast<void>(read_uuid("short")), std::logic_error);
  EXPECT_THROW(static_cast<void>(read_vector(std::string("\0\2\0\0\0\0\0\0", 8))),
               std::logic_error);
  EXPECT_THROW(static_cast<void>(read_texts(std::string("\0\0\0\2", 4))), std::logic_error);
  EXPECT_THROW(static_cast<void>(read_jsonb("\2{}")), std::logic_error);
}

}  // namespace
}  // namespace bb5::postgres
