#include <limits>

#include <gmock/gmock.h>

#include "model/cosine.hpp"
#include "ranking/asked_words.hpp"
#include "tests/contract/bank_contract.hpp"
#include "tests/support/result_matchers.hpp"

/// What a store delivers for the ranking, and finds by words.
namespace bb5 {
namespace {

using ranking::Neighbour;
using ranking::Reach;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

Memory turn(const std::string& name, const std::string& thread,
            std::optional<std::int64_t> position) {
  Memory memory = make_memory(name, "turn " + name);
  memory.thread = thread;
  memory.position = position;
  return memory;
}

std::vector<std::string> names_of(Bank& bank, const Result<SearchResult>& found) {
  std::vector<std::string> names;
  if (!found) return {found.error().message};
  for (const Hit& hit : found->hits) {
    for (const Memory& memory : *bank.get({&hit.id, 1}, false)) names.push_back(memory.legacy_id);
  }
  return names;
}

TEST_P(BankContract, KnowsWhoStandsNearInAThread) {
  const std::vector<Memory> turns = {turn("a", "t", 1),  turn("b", "t", 2), turn("c", "t", 4),
                                     turn("d", "t", 9),  turn("e", "u", 2), turn("f", "t", 2),
                                     turn("g", "t", {}), make_memory("h")};
  must_write(turns);
  const auto near = [&](std::vector<Reach> reaches) { return bank().near(reaches); };
  EXPECT_THAT(near({{turns[1].id, 2}}),
              HasValue(UnorderedElementsAre(Neighbour{turns[1].id, turns[0].id, 1},
                                            Neighbour{turns[1].id, turns[2].id, 2},
                                            Neighbour{turns[1].id, turns[5].id, 0})));
  EXPECT_THAT(near({{turns[2].id, 5}, {turns[3].id, 4}}),
              HasValue(UnorderedElementsAre(
                  Neighbour{turns[2].id, turns[0].id, 3}, Neighbour{turns[2].id, turns[1].id, 2},
                  Neighbour{turns[2].id, turns[5].id, 2}, Neighbour{turns[2].id, turns[3].id, 5})));
  EXPECT_THAT(near({{turns[4].id, 9}, {turns[6].id, 9}, {turns[7].id, 9}}), HasValue(IsEmpty()));
  EXPECT_THAT(near({{make_memory("unknown").id, 3}}), HasValue(IsEmpty()));
  EXPECT_THAT(near({}), HasValue(IsEmpty()));
}

TEST_P(BankContract, KnowsWhoStandsNearAtTheEndsOfTheNumbers) {
  constexpr auto first = std::numeric_limits<std::int64_t>::min();
  constexpr auto last = std::numeric_limits<std::int64_t>::max();
  const std::vector<Memory> turns = {turn("a", "t", first), turn("b", "t", first + 1),
                                     turn("c", "t", last)};
  must_write(turns);
  const std::vector<Reach> all = {{turns[0].id, 6}, {turns[2].id, 6}};
  EXPECT_THAT(bank().near(all), HasValue(ElementsAre(Neighbour{turns[0].id, turns[1].id, 1})));
}

TEST_P(BankContract, DeliversWhatTheRankingLooksAt) {
  ASSERT_THAT(bank().set_embedder({"test/two", 2}), Succeeds());
  Memory said = vector_memory("a", {3, 4});
  said.content = "Ann: The dogs ran";
  said.author = "Ann";
  said.thread = "t";
  said.position = 7;
  said.created_at = parse_time("2023-05-08T10:00:00Z");
  said.network = "world";
  Memory plain = make_memory("b", "No dog at all, no dogs");
  plain.network = "opinion";
  must_write({said, plain, make_memory("c", "A cat")});
  const MemoryId ids[] = {said.id, plain.id, make_memory("gone").id};
  const std::vector<float> numbers = {1, 0};
  const QueryVector query(numbers);
  const auto asked = ranking::asked_words("Did a dog run to Ann? zebra").terms;
  auto material = bank().ranking_material(ids, &query, {.networks = {"world"}}, asked);
  ASSERT_THAT(material, Succeeds());
  auto& rows = material->rows;
  ASSERT_EQ(rows.size(), 2U);
  if (rows[0].id != said.id) std::swap(rows[0], rows[1]);
  EXPECT_EQ(rows[0].content, said.content);
  EXPECT_EQ(rows[0].author, "Ann");
  EXPECT_EQ(rows[0].thread, "t");
  EXPECT_EQ(rows[0].position, 7);
  EXPECT_EQ(rows[0].created_at, said.created_at);
  EXPECT_EQ(rows[0].cosine, cosine(numbers, said.embedding));
  EXPECT_TRUE(rows[0].passes);
  EXPECT_EQ(rows[1].id, plain.id);
  EXPECT_LT(rows[0].seq, rows[1].seq);
  EXPECT_EQ(rows[1].author, "");
  EXPECT_EQ(rows[1].thread, "");
  EXPECT_EQ(rows[1].position, std::nullopt);
  EXPECT_EQ(rows[1].cosine, std::nullopt);
  EXPECT_FALSE(rows[1].passes);
  EXPECT_EQ(material->corpus.memories, 3);
  auto& holding = material->corpus.holding;
  EXPECT_EQ(holding["dog"], 2);
  EXPECT_EQ(holding["run"], 1);
  EXPECT_EQ(holding["ann"], 1);
  EXPECT_EQ(holding["zebra"], 0);

  material = bank().ranking_material(ids, nullptr, {}, {});
  ASSERT_THAT(material, Succeeds());
  for (const RankedRow& row : material->rows) {
    EXPECT_EQ(row.cosine, std::nullopt);
    EXPECT_TRUE(row.passes);
  }
  EXPECT_THAT(bank().ranking_material({}, nullptr, {}, {}), Succeeds());
  const QueryVector other_model(numbers, "test/other");
  EXPECT_THAT(bank().ranking_material(ids, &other_model, {}, {}), FailsWith(Errc::conflict));
  const std::vector<float> three = {1, 0, 0};
  const QueryVector other_length(three);
  EXPECT_THAT(bank().ranking_material(ids, &other_length, {}, {}),
              FailsWith(Errc::invalid_argument));
}

/// A neighbour in a thread need not have what the filter asks about.
TEST_P(BankContract, WhatAMemoryDoesNotSayPassesNoFilter) {
  const std::vector<Memory> memories = {
      with_metadata(make_memory("a"), R"({"category":"technical","task_id":"T-1"})"),
      make_memory("b")};
  must_write(memories);
  const MemoryId ids[] = {memories[0].id, memories[1].id};
  const MemoryFilter filters[] = {
      {.categories = {"technical"}},
      {.tasks = {"T-1"}},
      {.metadata = *json::parse_text(R"({"task_id":"T-1"})")->object()}};
  for (const MemoryFilter& filter : filters) {
    const auto material = bank().ranking_material(ids, nullptr, filter, {});
    ASSERT_THAT(material, Succeeds());
    ASSERT_EQ(material->rows.size(), 2U);
    for (const RankedRow& row : material->rows) EXPECT_EQ(row.passes, row.id == ids[0]);
  }
  Memory dated = make_memory("c");
  dated.created_at.reset();
  must_write({dated});
  const auto since = bank().ranking_material(std::span(&dated.id, 1), nullptr,
                                             {.since = parse_time("2020-01-01")}, {});
  ASSERT_THAT(since, Succeeds());
  EXPECT_FALSE(since->rows.at(0).passes);
}

TEST_P(BankContract, CountsWhoHoldsATermAsMemoriesChange) {
  const auto asked = ranking::asked_words("tea").terms;
  const auto holding = [&] {
    return bank().ranking_material({}, nullptr, {}, asked)->corpus.holding["tea"];
  };
  EXPECT_EQ(holding(), 0);
  must_write({make_memory("a", "tea"), make_memory("b", "teas and tea")});
  EXPECT_EQ(holding(), 2);
  Memory changed = make_memory("a", "coffee");
  must_write({changed}, OnConflict::replace);
  EXPECT_EQ(holding(), 1);
  EXPECT_THAT(bank().count(), HasValue(2));
  EXPECT_THAT(bank().erase(make_memory("b").id), HasValue(true));
  EXPECT_EQ(holding(), 0);
  EXPECT_THAT(bank().count(), HasValue(1));
  EXPECT_THAT(bank().count(), HasValue(bank().stats()->memories));
}

TEST_P(BankContract, KeywordKnowsIrregularForms) {
  must_write({make_memory("a", "She taught children"), make_memory("b", "A teacher teaches"),
              make_memory("c", "Tea")});
  EXPECT_THAT(names_of(bank(), bank().keyword("teach", 9, {})), UnorderedElementsAre("a", "b"));
  EXPECT_THAT(names_of(bank(), bank().keyword("child", 9, {})), ElementsAre("a"));
}

TEST_P(BankContract, KeywordHonoursPhrasesAndWordsThatMustNotBeThere) {
  must_write({make_memory("a", "the connection pool is full"),
              make_memory("b", "a pool of connections"), make_memory("c", "the swimming pool"),
              make_memory("d", "state of the art pool")});
  const auto found = [&](const char* text) {
    return names_of(bank(), bank().keyword(text, 9, {}));
  };
  EXPECT_THAT(found("\"connection pool\""), ElementsAre("a"));
  EXPECT_THAT(found("\"pools\" full"), testing::Contains("c"));
  EXPECT_THAT(found("pool -connection"), UnorderedElementsAre("c", "d"));
  EXPECT_THAT(found("pool -\"connection pool\" -swimming"), UnorderedElementsAre("b", "d"));
  EXPECT_THAT(found("\"state of the art\""), ElementsAre("d"));
  EXPECT_THAT(found("\"art state\""), IsEmpty());
  EXPECT_THAT(found("-connection"), IsEmpty());
}

TEST_P(BankContract, KeywordFindsIdentifiersPathsIdeographsAndAuthors) {
  Memory said = make_memory("e", "I like tea");
  said.author = "Zoë Lind";
  must_write({make_memory("a", "call getUserName() first"),
              make_memory("b", "it is in src/stores/graph_fold.cpp"),
              make_memory("c", "昨日は東京都に行った"), make_memory("d", "mail bob@example.org"),
              said});
  const auto found = [&](const char* text) {
    return names_of(bank(), bank().keyword(text, 9, {}));
  };
  EXPECT_THAT(found("getUserName"), ElementsAre("a"));
  EXPECT_THAT(found("user names"), ElementsAre("a"));
  EXPECT_THAT(found("graph_fold.cpp"), ElementsAre("b"));
  EXPECT_THAT(found("src/stores/graph_fold.cpp"), ElementsAre("b"));
  EXPECT_THAT(found("what folds stores?"), ElementsAre("b"));
  EXPECT_THAT(found("東京"), ElementsAre("c"));
  EXPECT_THAT(found("東京大阪"), ElementsAre("c"));
  EXPECT_THAT(found("bob@example.org"), ElementsAre("d"));
  EXPECT_THAT(found("example"), ElementsAre("d"));
  EXPECT_THAT(found("zoe"), ElementsAre("e"));
}

TEST_P(BankContract, KeywordFollowsAnAuthorWhoChanges) {
  Memory said = make_memory("a", "I like tea");
  said.author = "Ann";
  must_write({said});
  said.author = "Bob";
  must_write({said}, OnConflict::replace);
  EXPECT_THAT(bank().keyword("ann", 9, {})->hits, IsEmpty());
  EXPECT_THAT(names_of(bank(), bank().keyword("bob", 9, {})), ElementsAre("a"));
  EXPECT_THAT(bank().check(true), HasValue(IsEmpty()));
}

}  // namespace
}  // namespace bb5
