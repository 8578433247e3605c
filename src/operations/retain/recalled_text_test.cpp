#include "operations/retain/recalled_text.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace bb5 {
namespace {

TEST(RecalledText, IsCutOutBetweenItsMarks) {
  const auto block = fmt::format("{}\n- Redis is fast\n{}", recalled_begin, recalled_end);
  const OwnText own = without_recalled(fmt::format("Before.\n{0}\nAfter.\n{0}", block));
  EXPECT_EQ(own.text, "Before.\n\nAfter.\n");
  EXPECT_EQ(own.blocks, 2);
  EXPECT_EQ(without_recalled(fmt::format("a {} b", recalled_begin)).text, "a ");
  EXPECT_EQ(without_recalled("a <relevant-memories>x</relevant-memories> b").text, "a  b");
}

TEST(RecalledText, TheOldSystemsBlockIsKnownByItsHeadingAndLastLine) {
  const OwnText own = without_recalled(
      "# Context\n\n## Relevant Memories\n\n### WORLD\n\n- **Redis is fast...**\n  (confidence: "
      "0.9, relevance: "
      "0.51)\n\n---\n*Recalled 1 memories from 10 total*\nWe go on.\n");
  EXPECT_EQ(own.text, "# Context\n\nWe go on.\n");
  EXPECT_EQ(own.blocks, 1);
  EXPECT_EQ(without_recalled("## Relevant Memories\n\n*No relevant memories found.*\nx").text, "x");
  EXPECT_EQ(without_recalled("## Relevant Memories\n\n- a\n## Plan\nx").text, "## Plan\nx");
}

TEST(RecalledText, OtherTextStaysAsItIs) {
  for (const char* text :
       {"", "<b>x</b> # y", "## Relevant Memories of Easter\nx", "See ## Relevant Memories", "a\n"})
    EXPECT_EQ(without_recalled(text).text, text);
}

}  // namespace
}  // namespace bb5
