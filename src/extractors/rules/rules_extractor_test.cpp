// What whole documents give: the examples of tests/data/rules, promises that hold for any text, and
// time that grows with the length.
#include "extractors/rules/rules_extractor.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <set>

#include <nlohmann/json.hpp>

#include "base/utf8.hpp"
#include "extractors/rules/extraction_promises.hpp"
#include "tests/support/temporary_folder.hpp"

namespace bb5 {
namespace {

using Json = nlohmann::ordered_json;

Extraction extract(const Document& document) {
  return new_rules_extractor()->extract(document).value();
}

Document document_of(std::string text) {
  Document document{.source = "test.md"};
  document.turns.push_back({.text = std::move(text)});
  return document;
}

Json to_json(const Extraction& extraction) {
  Json memories = Json::array();
  for (const ExtractedMemory& memory : extraction.memories) {
    Json row = {{"content", memory.content},
                {"network", memory.network},
                {"confidence", memory.confidence}};
    if (memory.category) row["category"] = *memory.category;
    if (memory.section) row["section"] = *memory.section;
    if (memory.author) row["author"] = *memory.author;
    if (memory.happened_at) row["happened_at"] = to_rfc3339(*memory.happened_at);
    if (!memory.entities.empty()) row["entities"] = memory.entities;
    memories.push_back(std::move(row));
  }
  Json entities = Json::array();
  for (const ExtractedEntity& entity : extraction.entities)
    entities.push_back(entity.name + " (" + entity.type + ") " + std::to_string(entity.mentions));
  Json relationships = Json::array();
  for (const ExtractedRelationship& stated : extraction.relationships)
    relationships.push_back({stated.subject, stated.predicate, stated.object, stated.confidence});
  return {{"memories", memories},
          {"entities", entities},
          {"relationships", relationships},
          {"warnings", extraction.warnings}};
}

class GoldenDocument : public testing::TestWithParam<std::filesystem::path> {};

// After a change that is meant: BB5_UPDATE_GOLDEN=1 build/dev/bin/rules_extractor_test, and read
// the difference as if you had to live with these memories.
TEST_P(GoldenDocument, GivesTheMemoriesBesideIt) {
  const Json made = to_json(extract(document_of(read_file(GetParam()))));
  std::filesystem::path expected = GetParam();
  expected.replace_extension(".json");
  const std::string text = made.dump(1) + "\n";
  if (std::getenv("BB5_UPDATE_GOLDEN") != nullptr) write_file(expected, text);
  EXPECT_EQ(text, read_file(expected));
}

std::vector<std::filesystem::path> golden_documents() {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(
           std::filesystem::path(BB5_SOURCE_DIR) / "tests/data/rules"))
    if (entry.path().extension() == ".md") found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

INSTANTIATE_TEST_SUITE_P(Rules, GoldenDocument, testing::ValuesIn(golden_documents()),
                         [](const auto& path) { return path.param.stem().string(); });

TEST(RulesExtractor, HasANameForItsBehaviour) {
  EXPECT_EQ(new_rules_extractor()->name(), "rules/1");
}

TEST(RulesExtractor, OfNothingGivesNothing) {
  EXPECT_EQ(extract(Document{}), Extraction{});
  EXPECT_EQ(extract(document_of(" \n\t\r\n")), Extraction{});
}

TEST(RulesExtractor, KeepsATextThatNoRuleFits) {
  const Extraction made = extract(document_of("# Only a title"));
  ASSERT_EQ(made.memories.size(), 1U);
  EXPECT_EQ(made.memories[0].content, "# Only a title");
  EXPECT_EQ(made.memories[0].network, "observation");
  EXPECT_DOUBLE_EQ(made.memories[0].confidence, 0.5);
  EXPECT_EQ(made.warnings.size(), 1U);
}

TEST(RulesExtractor, ReadsTheSameWithAnyLineEnds) {
  const std::string text =
      "# Title\n\n- first item of all the items\n- second item is here\n\nA closing paragraph has "
      "words.\n";
  std::string crlf;
  for (const char c : text) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  EXPECT_EQ(extract(document_of(text)), extract(document_of(crlf)));
}

TEST(RulesExtractor, TakesConversationsTurnByTurn) {
  Document talk{.source = "talk.jsonl", .source_type = "transcript"};
  talk.turns = {{.text = "Hey!",
                 .author = "Caroline",
                 .said_at = parse_time("2023-05-08T13:56Z"),
                 .position = 0},
                {.text = "I went to a support group yesterday and it was so powerful.",
                 .author = "Caroline",
                 .said_at = parse_time("2023-05-08T13:56Z"),
                 .position = 1},
                {.text = "Wow, Caroline! What happened there?",
                 .author = "Melanie",
                 .said_at = parse_time("2023-05-08T13:57Z"),
                 .position = 2}};
  const Extraction made = extract(talk);
  ASSERT_EQ(made.memories.size(), 2U);
  EXPECT_EQ(made.memories[0].content, talk.turns[1].text);
  EXPECT_EQ(made.memories[0].author, "Caroline");
  EXPECT_EQ(made.memories[0].network, "experience");
  EXPECT_EQ(made.memories[0].position, 1);
  EXPECT_EQ(made.memories[0].happened_at, parse_time("2023-05-07"));
  EXPECT_THAT(made.memories[1].entities, testing::ElementsAre("Caroline"));
  EXPECT_EQ(made.memories[1].happened_at, talk.turns[2].said_at);
}

/// Pieces of Markdown put together at random, and now and then bytes of no sense.
std::string random_text(std::mt19937_64& random) {
  static constexpr std::string_view pieces[] = {"# Title\n",
                                                "## Decision 1: Use Redis\n",
                                                "**Context:** ",
                                                "**Decision:** ",
                                                "- ",
                                                "  - ",
                                                "- [x] ",
                                                "\n",
                                                "\n\n",
                                                "| a | b |\n|---|---|\n",
                                                "| 1 | `x` |\n",
                                                "```\n",
                                                "---\n",
                                                "title: x\n",
                                                "> ",
                                                "<!-- ",
                                                "-->",
                                                "`code",
                                                "`",
                                                "VectorStore uses PostgreSQL",
                                                " and ",
                                                "Redis",
                                                ", ",
                                                "Alice Johnson ",
                                                "works at ",
                                                "Acme Corp",
                                                ". ",
                                                "We chose SQLite over MongoDB",
                                                "2026-02-04 ",
                                                "yesterday ",
                                                "I think ",
                                                "?",
                                                "Berlin",
                                                "\t",
                                                "\r\n",
                                                "**",
                                                "_",
                                                "*",
                                                "[a](",
                                                "http://x.org)",
                                                "TASK-12 ",
                                                "#7 ",
                                                "@bob ",
                                                "src/a.cpp ",
                                                "foo() ",
                                                "\u00fcber ",
                                                "\u6771\u4eac\u3002",
                                                "\U0001F642",
                                                "'s ",
                                                "don't use ",
                                                "\\",
                                                "&amp;",
                                                "<b>",
                                                "Next steps:\n",
                                                "    ",
                                                "1. ",
                                                "===\n",
                                                "\xF0",
                                                "\x80",
                                                "\xED\xA0\x80"};
  std::string text;
  for (auto count = random() % 60; count > 0; --count) text += pieces[random() % std::size(pieces)];
  return text;
}

TEST(RulesExtractor, KeepsItsPromisesForAnyText) {
  std::mt19937_64 random(test_seed());
  for (int round = 0; round < (soak() ? 50000 : 3000); ++round) {
    Document document{.source = "random"};
    document.source_type = random() % 3 == 0 ? "transcript" : "generic";
    const auto turns = 1 + (random() % 3 == 0 ? random() % 5 : 0);
    for (std::uint64_t i = 0; i < turns; ++i)
      document.turns.push_back(
          {.text = random_text(random),
           .author = random() % 2 == 0 ? std::optional<std::string>("Ann") : std::nullopt,
           .said_at = parse_time("2026-03-01"),
           .position = static_cast<std::int64_t>(3 * i)});
    const Extraction made = extract(document);
    const std::string broken = rules::broken_promise(document, made);
    ASSERT_EQ(broken, "") << document.turns[0].text;
    ASSERT_EQ(extract(document), made);
  }
}

/// Seconds of CPU for the text repeated to this many bytes.
double seconds_for(std::string_view piece, std::size_t bytes) {
  std::string text;
  text.reserve(bytes + piece.size());
  while (text.size() < bytes) text += piece;
  const Document document = document_of(std::move(text));
  const std::clock_t start = std::clock();
  const Extraction made = extract(document);
  EXPECT_FALSE(made.memories.empty());
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

TEST(RulesExtractor, NeedsTimeInProportionToTheLength) {
  static constexpr std::string_view pieces[] = {
      "## Notes\n\nVectorStore uses PostgreSQL and `redis`. I think so.\n\n- item one is here\n- "
      "two\n\n",
      "one line without an end, of Words and more Words, ",
      "_*a",
      "[a](",
      "![",
      "- a\n  - b\n",
      "> ",
      "| a | b ",
      "**a** ",
      "`a",
      "a/b/",
      "a-",
      "Aa Bb ",
      "`",
      "<!-- ",
      "\xE6\x9D\xB1",
      "a.b",
      "# x\n",
      "@aa ",
      "* ",
      "**Why:** x\n\n",
  };
  for (const std::string_view piece : pieces) {
    const double small = std::max(seconds_for(piece, 100'000), 0.01);
    const double large = seconds_for(piece, 800'000);
    // quadratic would be 64 times
    EXPECT_LT(large, 24 * small) << piece;
  }
}

TEST(RulesExtractor, ReadsAHugeDocument) {
  const std::size_t bytes = soak() ? 100'000'000 : 10'000'000;
  std::string text;
  for (std::size_t i = 0; text.size() < bytes; ++i) {
    const std::string n = std::to_string(i);
    text += "## Run " + n + "\n\nWe moved table_" + n +
            " from MongoDB to PostgreSQL on 2026-02-04, which took " + n + " seconds. `Worker" + n +
            "` uses Redis.\n\n- [x] copy the rows of part " + n + "\n- [ ] drop the old table\n\n";
  }
  const std::clock_t start = std::clock();
  const Extraction made = extract(document_of(text));
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  EXPECT_GT(made.memories.size(), bytes / 200);
  RecordProperty("megabytes_per_second",
                 std::to_string(static_cast<double>(bytes) / 1e6 / seconds));
  std::printf("%zu memories, %.1f MB/s\n", made.memories.size(),
              static_cast<double>(bytes) / 1e6 / seconds);
}

}  // namespace
}  // namespace bb5
