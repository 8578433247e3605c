#include "stores/embedded/string_list.hpp"

#include <gmock/gmock.h>

namespace bb5::embedded {
namespace {

TEST(StringList, ComesBackAsItWas) {
  const std::vector<std::vector<std::string>> lists = {{""},
                                                       {"a", "", "b"},
                                                       {"\"quoted\"", "back\\slash", "[\",\"]"},
                                                       {"line\nfeed\ttab\x01\x1f\x7f"},
                                                       {"漢字 😀 é"}};
  for (const auto& list : lists) EXPECT_EQ(read_string_list(*write_string_list(list)), list);
}

TEST(StringList, AnEmptyListIsNoText) {
  EXPECT_EQ(write_string_list({}), std::nullopt);
  EXPECT_TRUE(read_string_list("").empty());
}

TEST(StringList, ReadsWhatSqliteWrites) {
  EXPECT_THAT(read_string_list(R"(["a\nb","\t\"","x"])"),
              testing::ElementsAre("a\nb", "\t\"", "x"));
}

TEST(StringList, TakesBrokenTextWithoutHarm) {
  for (const char* text : {"[", "[\"", "[\"a\\", "[\"\\u00", "nonsense", "[\"\\u"})
    (void)read_string_list(text);
}

}  // namespace
}  // namespace bb5::embedded
