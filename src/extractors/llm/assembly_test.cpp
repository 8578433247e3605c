#include "extractors/llm/assembly.hpp"

#include "base/time.hpp"
#include "tests/support/result_matchers.hpp"

namespace bb5::llm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const Document& notes() {
  static const Document document{.source = "notes", .turns = {{.text = "text", .position = 3}}};
  return document;
}

const Document& talk() {
  static const Document document{
      .source = "talk",
      .turns = {{.text = "a", .author = "Anna", .said_at = parse_time("2024-05-01")},
                {.text = "b", .author = "Ben", .said_at = parse_time("2024-05-02"), .position = 1},
                {.text = "c", .author = "Anna", .position = 2}}};
  return document;
}

ReplyMemory memory(std::string content, std::optional<std::int64_t> turn = {}) {
  return {.memory = {.content = std::move(content)}, .turn = turn};
}

Extraction assembled(const Document& document, std::vector<Reply> replies) {
  Assembly assembly;
  for (Reply& reply : replies) assembly.add(whole(document), std::move(reply));
  return std::move(assembly).finish();
}

std::vector<std::string> contents(const Extraction& extraction) {
  std::vector<std::string> all;
  for (const auto& read : extraction.memories) all.push_back(read.content);
  return all;
}

TEST(Assembly, NothingGivesNothing) {
  EXPECT_EQ(assembled(notes(), {}), Extraction{});
}

TEST(Assembly, EndsOfRelationshipsAndNamesInMemoriesBecomeEntities) {
  Reply reply;
  reply.memories = {{.memory = {.content = "a", .entities = {"Kafka"}}, .turn = {}}};
  reply.relationships = {{.subject = "Shop", .predicate = "uses", .object = "Redis"}};
  const auto extraction = assembled(notes(), {reply});
  EXPECT_THAT(extraction.entities, ElementsAre(ExtractedEntity{"Shop"}, ExtractedEntity{"Redis"},
                                               ExtractedEntity{"Kafka"}));
}

TEST(Assembly, OneSpellingForOneName) {
  Reply reply;
  reply.entities = {{.name = "PostgreSQL", .type = "technology", .mentions = 2},
                    {.name = "postgresql ", .type = "technologies", .mentions = 3}};
  reply.memories = {
      {.memory = {.content = "a", .entities = {"POSTGRESQL", "postgresql"}}, .turn = {}}};
  reply.relationships = {
      {.subject = "postgreSQL", .predicate = "uses", .object = "libpq"},
      {.subject = "PostgreSQL", .predicate = "uses", .object = "LIBPQ", .confidence = 0.9}};
  const auto extraction = assembled(notes(), {reply});
  EXPECT_THAT(extraction.entities, ElementsAre(ExtractedEntity{"PostgreSQL", "technology", 5},
                                               ExtractedEntity{"libpq"}));
  EXPECT_THAT(extraction.memories[0].entities, ElementsAre("PostgreSQL"));
  EXPECT_THAT(extraction.relationships,
              ElementsAre(ExtractedRelationship{"PostgreSQL", "uses", "libpq", 0.9}));
}

TEST(Assembly, ABetterTypeReplacesConceptAndTwoRealOnesStayApart) {
  Reply reply;
  reply.entities = {{.name = "Jordan"},
                    {.name = "Jordan", .type = "person"},
                    {.name = "jordan", .type = "location"},
                    {.name = "Jordan"}};
  EXPECT_THAT(assembled(notes(), {reply}).entities,
              ElementsAre(ExtractedEntity{"Jordan", "person", 3},
                          ExtractedEntity{"Jordan", "location", 1}));
}

TEST(Assembly, ANameThatStandsInAMemoryIsItsEntity) {
  Reply reply;
  reply.entities = {{.name = "Go"}, {.name = "C++"}, {.name = "東京"}, {.name = "Rust"}};
  reply.memories = {memory("Good code in c++ and RUST."), memory("彼は東京に住む"),
                    memory("go, Rusty")};
  const auto extraction = assembled(notes(), {reply});
  EXPECT_THAT(extraction.memories[0].entities, ElementsAre("C++", "Rust"));
  EXPECT_THAT(extraction.memories[1].entities, ElementsAre("東京"));
  EXPECT_THAT(extraction.memories[2].entities, ElementsAre("Go"));
}

TEST(Assembly, RepetitionsFromTheOverlapCountOnce) {
  Reply first;
  first.memories = {memory("Redis is used."), memory("Other")};
  Reply second;
  second.memories = {{.memory = {.content = "redis  is used",
                                 .confidence = 0.95,
                                 .entities = {"Redis"},
                                 .happened_at = parse_time("2024-05-03")},
                      .turn = {}},
                     memory("Redis is not used.")};
  const auto extraction = assembled(notes(), {first, second});
  EXPECT_THAT(contents(extraction), ElementsAre("Redis is used.", "Other", "Redis is not used."));
  EXPECT_EQ(extraction.memories[0].confidence, 0.95);
  EXPECT_THAT(extraction.memories[0].entities, ElementsAre("Redis"));
  EXPECT_EQ(extraction.memories[0].happened_at, parse_time("2024-05-03"));
}

TEST(Assembly, MemoriesOfATranscriptKnowWhoSaidThemAndWhenAndStandInOrder) {
  Reply reply;
  reply.memories = {memory("late", 2), memory("from ben", 1), memory("dated", 0), memory("loose")};
  reply.memories[2].memory.happened_at = parse_time("2020-01-01");
  const auto extraction = assembled(talk(), {reply});
  EXPECT_THAT(contents(extraction), ElementsAre("dated", "loose", "from ben", "late"));
  std::int64_t position = 0;
  for (const auto& read : extraction.memories) EXPECT_EQ(read.position, position++);
  EXPECT_EQ(extraction.memories[0].author, "Anna");
  EXPECT_EQ(extraction.memories[0].happened_at, parse_time("2020-01-01"));
  EXPECT_EQ(extraction.memories[1].author, std::nullopt);
  EXPECT_EQ(extraction.memories[2].author, "Ben");
  EXPECT_EQ(extraction.memories[2].happened_at, parse_time("2024-05-02"));
  EXPECT_EQ(extraction.memories[3].happened_at, std::nullopt);
  EXPECT_THAT(extraction.warnings, IsEmpty());
}

TEST(Assembly, ALineThatIsNotThereIsSaidSo) {
  Reply reply;
  reply.memories = {memory("a", 17)};
  const auto extraction = assembled(talk(), {reply});
  EXPECT_THAT(extraction.memories, SizeIs(1));
  EXPECT_THAT(extraction.warnings, ElementsAre(HasSubstr("line 17")));
  EXPECT_THAT(assembled(notes(), {reply}).warnings, IsEmpty());
}

}  // namespace
}  // namespace bb5::llm
