#include "extractors/rules/statements.hpp"

#include "extractors/rules/turns.hpp"
#include "extractors/rules/vocabulary.hpp"
#include "extractors/rules/wording.hpp"

namespace bb5::rules {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> contents_of(std::string_view markdown) {
  std::vector<std::string> contents;
  for (const Statement& statement : statements_of(markdown).statements)
    contents.push_back(statement.content);
  return contents;
}

Judgement judged(std::string_view text, Topic topic = Topic::none,
                 Block::Task task = Block::Task::none) {
  return judge(Words(text), 0, topic, task);
}

TEST(Topics, AreReadFromHeadings) {
  EXPECT_EQ(read_heading("2. Next steps:").topic, Topic::next_step);
  EXPECT_TRUE(read_heading("Open questions").generic);
  EXPECT_EQ(read_heading("Decision 3: Use Redis").topic, Topic::decision);
  EXPECT_EQ(read_heading("Decision 3: Use Redis").subject, "Use Redis");
  EXPECT_EQ(read_heading("ADR-012 – Events").topic, Topic::decision);
  EXPECT_EQ(read_heading("Issue tracker for the whole company").topic, Topic::none);
  EXPECT_EQ(read_heading("Storage").topic, Topic::none);
}

TEST(Statements, OfADecisionHoldItsReasons) {
  EXPECT_THAT(
      contents_of(
          "## Decision 1: Use SQLite\n\n**Context:** one file\n\n**Rationale:**\n- fast\n- safe\n"),
      ElementsAre("Decision: Use SQLite. Context: one file. Rationale: fast; safe."));
  EXPECT_THAT(contents_of("# Cache\n\n**Decision:** none\n**Why:** it is fast enough\n\nOther text "
                          "is here for all.\n"),
              ElementsAre("Why: it is fast enough.", "Other text is here for all."));
}

TEST(Statements, OfADecisionInSectionsAreOne) {
  EXPECT_THAT(contents_of("# Pick a store\n\n## Context\n\nWe need one.\n\n## Decision\n\nWe take "
                          "SQLite.\n\n## Next steps\n\n- write it\n"),
              ElementsAre("Decision: Pick a store. Context: We need one. Decision: We take SQLite.",
                          "Pick a store – Next steps: write it"));
}

TEST(Statements, ThatDoNotStandAloneGetTheTitleInFront) {
  EXPECT_THAT(contents_of("# Cache service\n\n## Next steps\n\n- add an index\n"),
              ElementsAre("Cache service – Next steps: add an index"));
  EXPECT_THAT(contents_of("## Eviction of old entries\n\nThis happens every hour.\n"),
              ElementsAre("Eviction of old entries: This happens every hour."));
  EXPECT_THAT(contents_of("## Eviction\n\nThe cache drops entries that nobody read for an hour.\n"),
              ElementsAre("The cache drops entries that nobody read for an hour."));
}

TEST(Statements, OfAnItemHoldTheItemsBelowIt) {
  EXPECT_THAT(contents_of("- The reader works in windows:\n  - small\n  - bounded\n- The writer "
                          "waits for the reader to finish.\n"),
              ElementsAre("The reader works in windows: small; bounded",
                          "The writer waits for the reader to finish."));
}

TEST(Statements, OfShortItemsAreOne) {
  EXPECT_THAT(contents_of("We support these databases:\n\n- SQLite\n- PostgreSQL\n"),
              ElementsAre("We support these databases: SQLite; PostgreSQL"));
}

TEST(Statements, OfARowCarryTheHeaders) {
  EXPECT_THAT(contents_of("## Load times\n\n| size | seconds |\n|---|---|\n| 10 k | 19 |\n"),
              ElementsAre("Load times: size: 10 k; seconds: 19"));
}

TEST(Statements, LeaveOutWhatSaysNothing) {
  EXPECT_THAT(contents_of("## Blockers\n\nNone.\n\n## Notes\n\nTBD\n\n---\n\n- [Top](#top)\n"),
              IsEmpty());
}

TEST(Statements, TakeTheDateOfTheTitleAbove) {
  const auto made = statements_of("## 2026-02-04\n\nThe import of all records took four hours.\n");
  ASSERT_EQ(made.statements.size(), 1U);
  ASSERT_TRUE(made.statements[0].happened_at.has_value());
  EXPECT_EQ(to_rfc3339(*made.statements[0].happened_at), "2026-02-04T00:00:00Z");
}

TEST(Statements, TakeTheDateThatStandsAlone) {
  const auto made =
      statements_of("# Log\n\n2026-02-04\n\nThe import of all records took four hours.\n");
  ASSERT_EQ(made.statements.size(), 1U);
  EXPECT_EQ(made.statements[0].happened_at, parse_time("2026-02-04"));
}

TEST(Statements, KeepALineThatOnlyLooksLikeATitle) {
  EXPECT_THAT(contents_of("The key of the build server lies in the safe of the office.\n---\n"),
              ElementsAre("The key of the build server lies in the safe of the office."));
}

TEST(Statements, KnowATableRightBelowAText) {
  EXPECT_THAT(contents_of("Times of the load:\n| size | seconds |\n|---|---|\n| 10 k | 19 |\n"),
              ElementsAre("Times of the load: size: 10 k; seconds: 19"));
}

TEST(Statements, KeepTheFirstLinesOfCodeWithTheTextBeforeIt) {
  EXPECT_THAT(
      contents_of("## Start\n\nThe server is started by one command:\n\n```sh\nrun --all\n```\n"),
      ElementsAre("The server is started by one command:\nrun --all"));
}

TEST(Statements, OfLongParagraphsArePartsOfWholeSentences) {
  std::string text;
  for (int i = 0; i < 40; ++i)
    text += "This sentence number " + std::to_string(i) + " is here to be counted. ";
  std::size_t found = 0;
  for (const std::string& part : contents_of(text)) {
    EXPECT_LE(part.size(), 520U);
    EXPECT_THAT(part, testing::EndsWith("counted."));
    for (std::size_t at = part.find("number"); at != std::string::npos;
         at = part.find("number", at + 1))
      ++found;
  }
  EXPECT_EQ(found, 40U);
}

TEST(Wording, TellsTheNetwork) {
  EXPECT_EQ(judged("Redis listens on port 6379.").network, "world");
  EXPECT_EQ(judged("I ran the tests twice.").network, "experience");
  EXPECT_EQ(judged("Migrated the store to SQLite over the weekend.").network, "experience");
  EXPECT_EQ(judged("I think tabs are better.").network, "opinion");
  EXPECT_EQ(judged("We should drop the cache.").network, "opinion");
  EXPECT_EQ(judged("SQLite is better than files.").network, "opinion");
  EXPECT_EQ(judged("It turned out that the disk was full.").network, "observation");
  EXPECT_EQ(judged("We use Redis.").network, "world");
}

TEST(Wording, TellsTheCategory) {
  EXPECT_EQ(judged("We chose SQLite because it is one file.").category, "decision");
  EXPECT_EQ(judged("I learned that WAL needs a local disk.").category, "learning");
  EXPECT_EQ(judged("TODO: add an index").category, "next_step");
  EXPECT_EQ(judged("Redis listens on port 6379.").category, std::nullopt);
}

TEST(Wording, TellsTheConfidence) {
  EXPECT_DOUBLE_EQ(judged("The load takes four hours.").confidence, 0.75);
  EXPECT_DOUBLE_EQ(judged("The load probably takes four hours.").confidence, 0.65);
  EXPECT_DOUBLE_EQ(judged("Measured: the load takes four hours.").confidence, 0.85);
  EXPECT_DOUBLE_EQ(judged("maybe it might possibly seem so").confidence, 0.5);
  EXPECT_DOUBLE_EQ(judged("the box", Topic::next_step, Block::Task::done).confidence, 0.85);
  EXPECT_DOUBLE_EQ(judged("the box", Topic::next_step, Block::Task::open).confidence, 0.65);
}

TEST(Turns, ThatSaySomethingAreKeptAsTheyWereSaid) {
  const auto said =
      statements_of_turns({{.text = "hi!", .author = "Ann", .position = 0},
                           {.text = "The key is in the safe.", .author = "Bo", .position = 1},
                           {.text = "ok, thanks", .author = "Ann", .position = 2},
                           {.text = "🙂", .author = "Bo", .position = 3},
                           {.text = "I'll fetch it.", .author = "Ann", .position = 4}});
  ASSERT_EQ(said.size(), 2U);
  EXPECT_EQ(said[0].content, "The key is in the safe.");
  EXPECT_EQ(said[0].author, "Bo");
  EXPECT_EQ(said[0].position, 1);
  EXPECT_EQ(said[1].position, 4);
}

TEST(Turns, ThatAreLongAreCutAtSentencesAndKeepTheirOrder) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "This is one of the sixty sentences here. ";
  const auto said = statements_of_turns(
      {{.text = text, .position = 3}, {.text = "And then this one.", .position = 4}});
  ASSERT_EQ(said.size(), 4U);
  for (std::size_t i = 0; i < said.size(); ++i) {
    EXPECT_EQ(said[i].position, static_cast<std::int64_t>(3 + i));
    EXPECT_LE(said[i].content.size(), 1000U);
  }
}

TEST(KnownNames, AreSortedAndWellFormed) {
  std::string_view text = known_names_text();
  std::string last;
  int rows = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view row = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (row.empty() || row.starts_with('#')) continue;
    const std::string name = to_lower_ascii(row.substr(0, row.find('\t')));
    EXPECT_LT(last, name) << row;
    last = name;
    const auto known = known_name(name);
    ASSERT_TRUE(known.has_value()) << row;
    EXPECT_THAT(std::string(known->type),
                testing::AnyOf("technology", "organization", "location", "given"));
    ++rows;
  }
  EXPECT_GT(rows, 900);
}

}  // namespace
}  // namespace bb5::rules
