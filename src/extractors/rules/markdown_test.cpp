#include "extractors/rules/markdown.hpp"

#include "extractors/rules/front_matter.hpp"
#include "extractors/rules/outline.hpp"

namespace bb5::rules {
namespace {

using testing::ElementsAre;

TEST(Markdown, GivesBlocksInReadingOrder) {
  const auto blocks = parse_markdown(
      "# T\n\npara *one*\ntwo\n\n- a\n  - b\n- [x] "
      "c\n\n|h|i|\n|---|---|\n|v|w|\n\n```sh\nrun\n```\n");
  ASSERT_EQ(blocks.size(), 8U);
  EXPECT_EQ(blocks[0].kind, Block::Kind::heading);
  EXPECT_EQ(blocks[1].text, "para one two");
  EXPECT_EQ(blocks[2].level, 1);
  EXPECT_TRUE(blocks[2].starts_list);
  EXPECT_EQ(blocks[3].level, 2);
  EXPECT_EQ(blocks[4].task, Block::Task::done);
  EXPECT_THAT(blocks[5].cells, ElementsAre("h", "i"));
  EXPECT_THAT(blocks[6].cells, ElementsAre("v", "w"));
  EXPECT_EQ(blocks[7].text, "run");
}

TEST(Markdown, TakesBoldTextBeforeAColonOrDashAsALabel) {
  const auto blocks = parse_markdown(
      "**Why:** because\n**Who**: me\n\n**Term** – meaning\n\n**alone**\n\nnot **here:** x");
  ASSERT_EQ(blocks.size(), 5U);
  EXPECT_EQ(blocks[0].label, "Why");
  EXPECT_EQ(blocks[0].text, "because");
  EXPECT_EQ(blocks[1].label, "Who");
  EXPECT_TRUE(blocks[1].same_paragraph);
  EXPECT_EQ(blocks[2].label, "Term");
  EXPECT_EQ(blocks[2].text, "meaning");
  EXPECT_EQ(blocks[3].label, "alone");
  EXPECT_EQ(blocks[4].label, "");
}

TEST(Markdown, KeepsAddressesAndCodeAndDropsTagsAndComments) {
  const auto blocks = parse_markdown(
      "see [docs](https://a.org/x), `f(x)` &amp; <b>more</b>\n\n<!-- no -->\n\n<p>inside of it are "
      "words</p>\n");
  ASSERT_EQ(blocks.size(), 2U);
  EXPECT_EQ(blocks[0].text, "see docs (https://a.org/x), `f(x)` & more");
  EXPECT_EQ(blocks[1].text, "inside of it are words");
}

TEST(Markdown, KnowsLinksIntoThePageAndImages) {
  const auto blocks =
      parse_markdown("- [Install](#install)\n- [real](https://a.org) text\n\n![alt](x.png)\n");
  ASSERT_EQ(blocks.size(), 3U);
  EXPECT_TRUE(blocks[0].only_link);
  EXPECT_FALSE(blocks[1].only_link);
  EXPECT_TRUE(blocks[2].only_link);
}

TEST(Markdown, OfOneLongLineKeepsEveryWord) {
  std::string line;
  for (int i = 0; i < 5000; ++i) line += "w" + std::to_string(i) + " ";
  std::string found;
  for (const Block& block : parse_markdown(line)) found += block.text + " ";
  EXPECT_EQ(found, line);
}

TEST(FrontMatter, GivesTitleAndDate) {
  const auto matter =
      read_front_matter("---\ntitle: \"A: b\"\ncreated: 2026-02-04\ntags:\n  - x\n---\ntext");
  EXPECT_EQ(matter.title, "A: b");
  ASSERT_TRUE(matter.date.has_value());
  EXPECT_EQ(to_rfc3339(*matter.date), "2026-02-04T00:00:00Z");
  EXPECT_EQ(matter.length, 54U);
}

TEST(FrontMatter, ThatIsNoneIsText) {
  EXPECT_EQ(read_front_matter("---\nA sentence, no key.\n---\n").length, 0U);
  EXPECT_EQ(read_front_matter("---\nkey: value\nnever closed").length, 0U);
  EXPECT_EQ(read_front_matter("---\n\n---\ntext").length, 0U);
  EXPECT_EQ(read_front_matter("text\n---\na: b\n---\n").length, 0U);
}

TEST(Outline, NestsSectionsByTheirLevels) {
  const auto sections = outline_of(parse_markdown("# A\n## B\ntext\n### C\n## D\n"));
  ASSERT_EQ(sections.size(), 5U);
  EXPECT_EQ(sections[3].path, "A > B > C");
  EXPECT_EQ(sections[4].path, "A > D");
  EXPECT_EQ(sections[1].end, 5U);
  EXPECT_EQ(sections[2].end, 4U);
}

TEST(Outline, JoinsALineWithAColonToTheListBelowIt) {
  const auto sections = outline_of(parse_markdown("These:\n\n- a\n- b\n\n**Why:**\n\n- c\n"));
  const auto& entries = sections[0].entries;
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].text, "These");
  EXPECT_EQ(entries[0].items.size(), 2U);
  EXPECT_EQ(entries[1].topic, Topic::rationale);
}

}  // namespace
}  // namespace bb5::rules
