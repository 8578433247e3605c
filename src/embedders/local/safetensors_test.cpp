#include "embedders/local/safetensors.hpp"

#include <cstring>

#include "tests/support/result_matchers.hpp"

namespace bb5::local {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A file with this header, and so many bytes of data.
std::string file_of(std::string header, std::size_t data_bytes) {
  while (header.size() % 8 != 0) header += ' ';
  std::string file(8, '\0');
  const std::uint64_t length = header.size();
  std::memcpy(file.data(), &length, sizeof length);
  file += header;
  for (std::size_t i = 0; i < data_bytes; ++i) file += static_cast<char>(i);
  return file;
}

constexpr const char* two_tensors =
    R"({"__metadata__": {"format": "pt"},
        "b": {"dtype": "F32", "shape": [2, 2], "data_offsets": [8, 24]},
        "a": {"dtype": "I64", "shape": [1], "data_offsets": [0, 8]}})";

std::string damage(const std::string& file) {
  const auto parsed = SafeTensors::parse(file, "weights");
  if (parsed) return "none";
  EXPECT_EQ(parsed.error().code, Errc::corrupt);
  EXPECT_THAT(parsed.error().message, testing::StartsWith("weights is damaged: "));
  return parsed.error().message.substr(20);
}

std::string damage(const std::string& header, std::size_t data_bytes) {
  return damage(file_of(header, data_bytes));
}

std::string one_tensor(const std::string& entry, std::size_t data_bytes = 16) {
  return damage(R"({"t": )" + entry + "}", data_bytes);
}

TEST(SafeTensors, GivesTheNumbersInPlace) {
  const std::string file = file_of(two_tensors, 24);
  const auto parsed = SafeTensors::parse(file, "weights");
  ASSERT_THAT(parsed, Succeeds());
  EXPECT_EQ(parsed->size(), 2U);
  const auto numbers = parsed->floats("b", {2, 2});
  ASSERT_THAT(numbers, Succeeds());
  EXPECT_EQ(reinterpret_cast<const char*>(numbers->data()), file.data() + file.size() - 16);
  EXPECT_EQ(numbers->size(), 4U);
  EXPECT_THAT(parsed->rows("b", 2), Succeeds());
}

TEST(SafeTensors, AnotherTypeOrShapeIsAnError) {
  const std::string file = file_of(two_tensors, 24);
  const auto parsed = *SafeTensors::parse(file, "weights");
  EXPECT_EQ(parsed.floats("c", {1}).error().message, "weights is damaged: it has no tensor c");
  EXPECT_EQ(parsed.floats("b", {4}).error().message,
            "weights is damaged: tensor b is F32 [2, 2], not F32 [4]");
  EXPECT_EQ(parsed.floats("a", {1}).error().message,
            "weights is damaged: tensor a is I64 [1], not F32 [1]");
  EXPECT_THAT(parsed.rows("b", 3), FailsWith(Errc::corrupt));
  EXPECT_THAT(parsed.rows("c", 3), FailsWith(Errc::corrupt));
}

TEST(SafeTensors, AFileCutOffAnywhereIsDamaged) {
  const std::string file = file_of(two_tensors, 24);
  for (std::size_t length = 0; length < file.size(); ++length)
    EXPECT_NE(damage(file.substr(0, length)), "none") << length;
  EXPECT_EQ(damage(file), "none");
  EXPECT_EQ(damage(file + "x"), "1 bytes behind the last tensor");
  EXPECT_EQ(damage(""), "0 bytes, not even the length of its header");
}

TEST(SafeTensors, AHeaderLongerThanTheFileOrThanSenseIsDamaged) {
  std::string file = file_of("{}", 0);
  file[1] = 1;
  EXPECT_THAT(damage(file), HasSubstr("its header alone takes"));
  file[7] = '\x7F';
  EXPECT_THAT(damage(file), HasSubstr("(at most 1048576)"));
  file.replace(0, 8, 8, '\xFF');
  EXPECT_THAT(damage(file), HasSubstr("a header of 18446744073709551615 bytes"));
}

TEST(SafeTensors, AHeaderThatIsNoObjectIsDamaged) {
  for (const char* header : {"", "{", "[]", "null", "{\"a\": \xFF}", "{} {}"})
    EXPECT_EQ(damage(header, 0), "its header is no JSON object") << header;
}

TEST(SafeTensors, EachFieldIsChecked) {
  EXPECT_EQ(one_tensor(R"({"dtype": "F32", "shape": [4], "data_offsets": [0, 16]})"), "none");
  EXPECT_EQ(one_tensor("3"), "tensor t has no dtype");
  EXPECT_EQ(one_tensor(R"({"dtype": 3})"), "tensor t has no dtype");
  EXPECT_EQ(one_tensor(R"({"dtype": "F33"})"), "tensor t is of unknown dtype F33");
  EXPECT_EQ(one_tensor(R"({"dtype": "F32"})"), "tensor t has no shape");
  EXPECT_EQ(one_tensor(R"({"dtype": "F32", "shape": [-4]})"), "tensor t has no shape");
  EXPECT_EQ(one_tensor(R"({"dtype": "F32", "shape": [4.0]})"), "tensor t has no shape");
  EXPECT_EQ(one_tensor(R"({"dtype": "F32", "shape": [4]})"), "tensor t has no data_offsets");
  EXPECT_EQ(one_tensor(R"({"dtype": "F32", "shape": [4], "data_offsets": [0]})"),
            "tensor t has no data_offsets");
}

TEST(SafeTensors, OffsetsMustFitTheFileAndTheShape) {
  EXPECT_THAT(one_tensor(R"({"dtype": "F32", "shape": [4], "data_offsets": [0, 17]})"),
              HasSubstr("lies at bytes 0 to 17 of 16"));
  EXPECT_THAT(one_tensor(R"({"dtype": "F32", "shape": [4], "data_offsets": [16, 0]})"),
              HasSubstr("lies at bytes 16 to 0"));
  EXPECT_EQ(one_tensor(R"({"dtype": "F32", "shape": [5], "data_offsets": [0, 16]})"),
            "tensor t, F32 [5], has 16 bytes");
  EXPECT_THAT(one_tensor(R"({"dtype": "F32", "shape": [4611686018427387904, 4],
                             "data_offsets": [0, 0]})"),
              HasSubstr("has 0 bytes"));
}

TEST(SafeTensors, TensorsMustNotOverlapNorLeaveGaps) {
  const auto entry = [](const char* name, int from, int to) {
    return std::string("\"") + name + R"(": {"dtype": "U8", "shape": [)" +
           std::to_string(to - from) + R"(], "data_offsets": [)" + std::to_string(from) + ", " +
           std::to_string(to) + "]}";
  };
  EXPECT_EQ(damage("{" + entry("a", 0, 8) + ", " + entry("b", 8, 16) + "}", 16), "none");
  EXPECT_THAT(damage("{" + entry("a", 0, 9) + ", " + entry("b", 8, 16) + "}", 16),
              HasSubstr("belong to no or two tensors"));
  EXPECT_THAT(damage("{" + entry("a", 0, 7) + ", " + entry("b", 8, 16) + "}", 16),
              HasSubstr("belong to no or two tensors"));
}

}  // namespace
}  // namespace bb5::local
