#include <algorithm>
#include <cmath>
#include <random>

#include "tests/contract/bank_contract.hpp"
#include "tests/support/temporary_folder.hpp"

namespace bb5 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<std::string> found_ids(Bank& bank, const SearchResult& result) {
  std::vector<std::string> ids;
  for (const Hit& hit : result.hits) {
    const MemoryId wanted[] = {hit.id};
    ids.push_back(bank.get(wanted, false)->at(0).legacy_id);
  }
  return ids;
}

double plain_cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double dot = 0;
  double aa = 0;
  double bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    dot += static_cast<double>(a[i]) * b[i];
    aa += static_cast<double>(a[i]) * a[i];
    bb += static_cast<double>(b[i]) * b[i];
  }
  return dot / (std::sqrt(aa) * std::sqrt(bb));
}

TEST_P(BankContract, NearestRanksByCosineWhateverTheLengths) {
  ASSERT_THAT(bank().set_embedder({.model = "test/two", .dimension = 2}), Succeeds());
  must_write({vector_memory("far", {-1, 0}), vector_memory("near", {100, 1}),
              vector_memory("right", {0, 0.001f}), make_memory("none")});
  const auto result = bank().nearest(std::vector<float>{1, 0}, 10, {});
  ASSERT_THAT(result, Succeeds());
  EXPECT_THAT(found_ids(bank(), *result), ElementsAre("near", "right", "far"));
  EXPECT_NEAR(result->hits[0].score, 100 / std::sqrt(10001.0), 1e-12);
  EXPECT_NEAR(result->hits[1].score, 0, 1e-12);
  EXPECT_NEAR(result->hits[2].score, -1, 1e-12);
  EXPECT_TRUE(result->plan.exact);
}

TEST_P(BankContract, TiesKeepTheOrderOfInsertion) {
  ASSERT_THAT(bank().set_embedder({.model = "test/two", .dimension = 2}), Succeeds());
  std::vector<Memory> memories;
  for (int i = 0; i < 30; ++i)
    memories.push_back(vector_memory("m" + std::to_string(29 - i), {1, 1}));
  must_write(memories);
  EXPECT_THAT(found_ids(bank(), *bank().nearest(std::vector<float>{1, 1}, 3, {})),
              ElementsAre("m29", "m28", "m27"));
}

/// A vector whose cosine with itself rounding lifts above 1.
std::vector<float> vector_above_one(std::size_t dimension) {
  std::mt19937_64 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> vector(dimension);
  for (int attempt = 0; attempt < 10'000; ++attempt) {
    for (float& x : vector) x = normal(random);
    if (plain_cosine(vector, vector) > 1) return vector;
  }
  return {};
}

TEST_P(BankContract, NoRoundingLiftsAScoreAboveOne) {
  constexpr std::size_t dimension = 24;
  const std::vector<float> vector = vector_above_one(dimension);
  ASSERT_THAT(vector, SizeIs(dimension)) << "no such vector was found";
  std::vector<float> opposite = vector;
  for (float& x : opposite) x = -x;
  ASSERT_THAT(bank().set_embedder({.model = "test/many", .dimension = dimension}), Succeeds());
  must_write({vector_memory("opposite", opposite), vector_memory("same", vector)});
  const auto result = bank().nearest(vector, 2, {});
  ASSERT_THAT(result, Succeeds());
  ASSERT_THAT(found_ids(bank(), *result), ElementsAre("same", "opposite"));
  EXPECT_EQ(result->hits[0].score, 1);
  EXPECT_EQ(result->hits[1].score, -1);
}

TEST_P(BankContract, NearestOfAnEmptyBankIsEmpty) {
  ASSERT_THAT(bank().set_embedder({.model = "test/two", .dimension = 2}), Succeeds());
  EXPECT_THAT(bank().nearest(std::vector<float>{1, 1}, 3, {})->hits, IsEmpty());
}

TEST_P(BankContract, RefusesAQueryThatIsNoDirection) {
  ASSERT_THAT(bank().set_embedder({.model = "test/two", .dimension = 2}), Succeeds());
  EXPECT_THAT(bank().nearest(std::vector<float>{1, 1, 1}, 3, {}),
              FailsWith(Errc::invalid_argument));
  EXPECT_THAT(bank().nearest(std::vector<float>{0, 0}, 3, {}), FailsWith(Errc::invalid_argument));
  EXPECT_THAT(bank().nearest(std::vector<float>{NAN, 1}, 3, {}), FailsWith(Errc::invalid_argument));
}

TEST_P(BankContract, NearestEqualsBruteForceUnderFiltersReplacementsAndDeletes) {
  std::mt19937_64 random(test_seed());
  constexpr std::size_t dimension = 24;
  ASSERT_THAT(bank().set_embedder({.model = "test/many", .dimension = dimension}), Succeeds());
  std::normal_distribution<float> normal;
  const auto vector = [&] {
    std::vector<float> v(dimension);
    for (float& x : v) x = normal(random);
    return v;
  };
  std::vector<Memory> held;
  for (int i = 0; i < 400; ++i) {
    held.push_back(vector_memory("m" + std::to_string(i), vector()));
    held.back().network = std::string(known_networks[random() % 4]);
  }
  must_write(held);
  for (int i = 0; i < 60; ++i) {
    Memory& changed = held[random() % held.size()];
    changed.embedding = vector();
    must_write({changed}, OnConflict::replace);
  }
  for (int i = 0; i < 60; ++i) {
    const auto gone = held.begin() + static_cast<std::ptrdiff_t>(random() % held.size());
    ASSERT_THAT(bank().erase(gone->id), HasValue(true));
    held.erase(gone);
  }
  for (int round = 0; round < 20; ++round) {
    const auto query = vector();
    const std::size_t k = 1 + random() % 50;
    MemoryFilter filter;
    if (round % 2 == 0) filter.networks = {std::string(known_networks[random() % 4])};
    std::vector<std::pair<double, MemoryId>> expected;
    for (const Memory& memory : held) {
      if (filter.networks.empty() || filter.networks[0] == memory.network) {
        expected.emplace_back(plain_cosine(query, memory.embedding), memory.id);
      }
    }
    std::stable_sort(expected.begin(), expected.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    if (expected.size() > k) expected.resize(k);
    const auto result = bank().nearest(query, k, filter);
    ASSERT_THAT(result, Succeeds());
    ASSERT_EQ(result->hits.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(result->hits[i].id, expected[i].second) << "place " << i;
      EXPECT_NEAR(result->hits[i].score, expected[i].first, 1e-12);
    }
  }
}

TEST_P(BankContract, KeywordFindsAnyOfTheWordsAndPrefersMore) {
  must_write({make_memory("a", "PostgreSQL with pgvector is used for vector similarity search"),
              make_memory("b", "SQLite was too slow with two writers"),
              make_memory("c", "We drink tea at four")});
  EXPECT_THAT(found_ids(bank(), *bank().keyword("why is pgvector similarity slow?", 10, {})),
              ElementsAre("a", "b"));
  const auto found = *bank().keyword("pgvector slow", 10, {});
  for (const Hit& hit : found.hits) EXPECT_GT(hit.score, 0);
  EXPECT_THAT(bank().keyword("pgvector similarity slow", 1, {})->hits, SizeIs(1));
}

TEST_P(BankContract, KeywordTakesAnyTextWithoutComplaint) {
  must_write({make_memory("a", "plain words")});
  for (const char* text : {"", "   ", "\"", "words AND (", "NOT", "words*", "-words", "col:words",
                           "'; DROP TABLE memories; --", "漢字", "\\", "a OR", "NEAR(words plain)",
                           "<->", "!", "&", "|", ":*"}) {
    EXPECT_THAT(bank().keyword(text, 5, {}), Succeeds()) << text;
  }
  EXPECT_THAT(bank().keyword("nothing of that", 5, {})->hits, IsEmpty());
  EXPECT_THAT(bank().keyword("words", 5, {})->hits, SizeIs(1));
}

TEST_P(BankContract, KeywordObeysFilters) {
  std::vector<Memory> memories;
  for (int i = 0; i < 40; ++i) {
    memories.push_back(make_memory("m" + std::to_string(i), "tea number " + std::to_string(i)));
    memories.back().network = i % 10 == 9 ? "world" : "opinion";
  }
  must_write(memories);
  EXPECT_THAT(bank().keyword("tea", 4, {.networks = {"world"}})->hits, SizeIs(4));
  EXPECT_THAT(bank().keyword("tea", 100, {.networks = {"world"}})->hits, SizeIs(4));
}

/// The old system searched entities and relationships along with memories; a filter leaves them
/// out.
TEST_P(BankContract, FindsPseudoMemoriesUnlessTheFilterLeavesThemOut) {
  ASSERT_THAT(bank().set_embedder({.model = "test/two", .dimension = 2}), Succeeds());
  std::vector<Memory> memories;
  for (int i = 0; i < 40; ++i) {
    const auto number = static_cast<float>(i);
    memories.push_back(vector_memory("m" + std::to_string(i), {1, number / 100}));
    memories.back().content = "Redis number " + std::to_string(i);
    memories.back().network = i % 2 == 0 ? "world" : "observation";
    // The farthest ones alone are memories proper.
    if (i < 34) {
      memories.back() = with_metadata(
          memories.back(), i % 2 == 0
                               ? R"({"is_entity":true,"entity_name":"Redis"})"
                               : R"({"is_relationship":true,"subject":"RALF","object":"Redis"})");
    }
  }
  must_write(memories);
  const std::vector<float> query = {1, 0};
  const MemoryFilter proper{.kinds = {MemoryKind::memory}};
  const MemoryFilter proper_world{.networks = {"world"}, .kinds = {MemoryKind::memory}};
  EXPECT_THAT(found_ids(bank(), *bank().nearest(query, 3, {})), ElementsAre("m0", "m1", "m2"));
  EXPECT_THAT(found_ids(bank(), *bank().nearest(query, 3, proper)),
              ElementsAre("m34", "m35", "m36"));
  EXPECT_THAT(found_ids(bank(), *bank().nearest(query, 9, proper_world)),
              ElementsAre("m34", "m36", "m38"));
  EXPECT_THAT(found_ids(bank(), *bank().nearest(query, 2, {.kinds = {MemoryKind::relationship}})),
              ElementsAre("m1", "m3"));
  EXPECT_THAT(bank().keyword("redis", 100, {})->hits, SizeIs(40));
  EXPECT_THAT(bank().keyword("redis", 6, proper)->hits, SizeIs(6));
  EXPECT_THAT(bank().keyword("redis", 100, proper)->hits, SizeIs(6));
  EXPECT_THAT(bank().keyword("redis", 3, proper_world)->hits, SizeIs(3));
}

TEST_P(BankContract, CachesEmbeddingsByModelAndText) {
  using Entry = EmbeddingCache::Entry;
  const std::string key(32, 'a');
  const std::vector<Entry> entries = {{key, "m/1", {1, 2}}, {key, "m/2", {3}}};
  ASSERT_THAT(bank().cache_embeddings(entries, nullptr),
              HasValue(ElementsAre(WriteAction::inserted, WriteAction::inserted)));
  EXPECT_THAT(bank().cache_embeddings(entries, nullptr),
              HasValue(ElementsAre(WriteAction::identical, WriteAction::identical)));
  EXPECT_THAT(**bank().cached_embedding("m/1", key), ElementsAre(1, 2));
  EXPECT_EQ(*bank().cached_embedding("m/3", key), std::nullopt);
  const std::vector<Entry> changed = {{key, "m/1", {5, 6}}};
  EXPECT_THAT(bank().cache_embeddings(changed, nullptr),
              HasValue(ElementsAre(WriteAction::replaced)));
  EXPECT_THAT(**bank().cached_embedding("m/1", key), ElementsAre(5, 6));
  EXPECT_THAT(bank().cached_embeddings("", "", 10), HasValue(SizeIs(2)));
  EXPECT_THAT(bank().cached_embeddings("m/1", key, 10), HasValue(ElementsAre(entries[1])));
}

TEST_P(BankContract, DerivesToTheEnd) {
  ASSERT_THAT(bank().set_embedder({.model = "test/two", .dimension = 2}), Succeeds());
  must_write({vector_memory("a", {1, 2}), vector_memory("b", {2, 1})});
  ASSERT_THAT(bank().derive([](const MemorySearch::DerivedStep&) { return true; }), Succeeds());
  const auto steps = *bank().derived_steps();
  for (const auto& step : steps) {
    EXPECT_EQ(step.done, step.total) << step.name;
    EXPECT_EQ(step.state, "ready") << step.name;
  }
  EXPECT_THAT(bank().nearest(std::vector<float>{1, 2}, 5, {})->hits, SizeIs(2));
}

TEST_P(BankContract, ForgetsComputedVectorsThatWereUsedLongestAgo) {
  using Entry = EmbeddingCache::Entry;
  const auto key = [](char c) { return std::string(32, c); };
  const Timestamp noon = *parse_time("2026-03-01T12:00:00Z");
  const auto later = [&](int hours) { return noon + std::chrono::hours(hours); };
  const auto computed = [&](char c) { return Entry{key(c), "m", {1, 2}}; };
  const auto is_held = [&](char c) { return bank().cached_embedding("m", key(c))->has_value(); };
  const std::vector<Entry> imported = {{key('0'), "m", {1, 2, 3, 4}}, computed('1')};
  ASSERT_THAT(bank().cache_embeddings(imported, nullptr), Succeeds());
  constexpr std::int64_t two_vectors = 16;
  for (const auto& [c, hours] : {std::pair('a', 1), std::pair('b', 2)})
    ASSERT_THAT(bank().keep_computed(std::vector{computed(c)}, later(hours), two_vectors),
                Succeeds());
  EXPECT_TRUE(is_held('a') && is_held('b'));
  ASSERT_THAT(bank().note_use("m", key('a'), later(3)), Succeeds());
  ASSERT_THAT(bank().keep_computed(std::vector{computed('c')}, later(4), two_vectors), Succeeds());
  EXPECT_TRUE(is_held('a') && is_held('c'));
  EXPECT_FALSE(is_held('b'));
  EXPECT_THAT(bank().cached_embeddings("", "", 10), HasValue(ElementsAre(imported[0], imported[1])))
      << "what may go is no record";
  // Half an hour after the last noted use, nothing is noted.
  ASSERT_THAT(bank().note_use("m", key('a'), later(3) + std::chrono::minutes(30)), Succeeds());
  ASSERT_THAT(bank().note_use("m", key('a'), later(3) + std::chrono::minutes(59)), Succeeds());
  ASSERT_THAT(bank().keep_computed(std::vector{computed('d')}, later(5), two_vectors), Succeeds());
  EXPECT_FALSE(is_held('a'));
  ASSERT_THAT(bank().keep_computed({}, later(6), 0), Succeeds());
  EXPECT_FALSE(is_held('c') || is_held('d'));
  EXPECT_TRUE(is_held('0') && is_held('1')) << "imported ones never go";
}

TEST_P(BankContract, AComputedVectorThatIsImportedStays) {
  using Entry = EmbeddingCache::Entry;
  const std::string key(32, 'a');
  const std::vector<Entry> entries = {{key, "m", {1, 2}}};
  const std::vector<Entry> others = {{key, "m", {3, 4}}};
  const Timestamp noon = *parse_time("2026-03-01T12:00:00Z");
  ASSERT_THAT(bank().keep_computed(entries, noon, 1000), Succeeds());
  ASSERT_THAT(bank().cache_embeddings(entries, nullptr),
              HasValue(ElementsAre(WriteAction::identical)));
  ASSERT_THAT(bank().keep_computed(others, noon, 0), Succeeds());
  ASSERT_THAT(bank().note_use("m", key, noon + std::chrono::hours(9)), Succeeds());
  ASSERT_THAT(bank().keep_computed({}, noon, 0), Succeeds());
  EXPECT_THAT(bank().cached_embeddings("", "", 10), HasValue(ElementsAre(entries[0])));
}

}  // namespace
}  // namespace bb5
