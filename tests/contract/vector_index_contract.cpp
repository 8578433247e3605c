#include <algorithm>
#include <random>

#include "tests/contract/bank_contract.hpp"
#include "tests/support/temporary_folder.hpp"

namespace bb5 {
namespace {

using testing::IsEmpty;

constexpr std::size_t dimension = 16;
constexpr auto go_on = [](const MemorySearch::DerivedStep&) { return true; };

/// Vectors around a few directions, as texts have them.
std::vector<Memory> clustered(std::mt19937_64& random, int count) {
  std::normal_distribution<float> normal;
  std::vector<std::vector<float>> centres(40, std::vector<float>(dimension));
  for (auto& centre : centres) {
    for (float& x : centre) x = normal(random);
  }
  std::vector<Memory> memories;
  for (int i = 0; i < count; ++i) {
    std::vector<float> vector = centres[random() % centres.size()];
    for (float& x : vector) x += normal(random) * 0.5F;
    memories.push_back(vector_memory("m" + std::to_string(i), std::move(vector)));
    memories.back().network = std::string(known_networks[random() % 4]);
  }
  return memories;
}

TEST_P(BankContract, ABankWithoutAnIndexIsExactAndSaysSo) {
  ASSERT_THAT(bank().set_embedder({.model = "test/two", .dimension = 2}), Succeeds());
  must_write({vector_memory("a", {1, 0}), vector_memory("b", {0, 1}), make_memory("none")});
  ASSERT_THAT(bank().derive(go_on), Succeeds());
  const auto status = bank().vector_index();
  ASSERT_THAT(status, Succeeds());
  EXPECT_EQ(status->kind, VectorIndexKind::none);
  EXPECT_EQ(status->chosen, std::nullopt);
  EXPECT_EQ(status->vectors, 2);
  EXPECT_EQ(status->tail, 2);
  EXPECT_EQ(status->bytes, 0);
  EXPECT_EQ(status->recall, std::nullopt);
  const std::vector<float> query = {1, 0.1F};
  EXPECT_EQ(bank().nearest_exact(query, 5)->hits, bank().nearest(query, 5, {})->hits);
  EXPECT_THAT(bank().rebuild_index({.kind = VectorIndexKind::none}, go_on), Succeeds());
}

/// What every store with an index promises: right answers in every respect but one, that a few of
/// the nearest may be missing in favour of the next ones.
/// A store may have none: then it says so, and every answer is exact.
bool has_no_index(const Result<>& built) {
  return !built && built.error().code == Errc::unsupported;
}

TEST_P(BankContract, AnIndexFindsNearlyAllAndNeverMakesAnAnswerShort) {
  std::mt19937_64 random(test_seed());
  ASSERT_THAT(bank().set_embedder({.model = "test/many", .dimension = dimension}), Succeeds());
  std::vector<Memory> held = clustered(random, 2500);
  must_write(held);
  const auto built = bank().rebuild_index({.kind = VectorIndexKind::hnsw}, go_on);
  if (has_no_index(built)) return;
  ASSERT_THAT(built, Succeeds());
  EXPECT_EQ(bank().vector_index()->kind, VectorIndexKind::hnsw);
  EXPECT_EQ(bank().vector_index()->chosen, VectorIndexKind::hnsw);
  EXPECT_GT(bank().vector_index()->bytes, 0);
  EXPECT_EQ(bank().vector_index()->built_for, 2500);
  for (const int part : {1, 2}) {
    double found = 0;
    int asked = 0;
    for (int round = 0; round < 40; ++round) {
      std::vector<float> query = held[random() % held.size()].embedding;
      for (float& x : query) x += 0.1F;
      const MemoryFilter filter{
          .networks = round % 2 == 0 ? std::vector<std::string>{}
                                     : std::vector{std::string(known_networks[random() % 4])}};
      const std::size_t k = round % 8 == 5 ? 1500 : 10;
      const auto matching = std::count_if(held.begin(), held.end(), [&](const Memory& memory) {
        return filter.networks.empty() || filter.networks[0] == memory.network;
      });
      const auto result = bank().nearest(query, k, filter);
      ASSERT_THAT(result, Succeeds());
      ASSERT_EQ(result->hits.size(), std::min(k, static_cast<std::size_t>(matching)))
          << result->plan.index;
      if (!filter.networks.empty() || k != 10) continue;
      const auto truth = bank().nearest_exact(query, k);
      ASSERT_THAT(truth, Succeeds());
      EXPECT_TRUE(truth->plan.exact);
      EXPECT_FALSE(result->plan.exact) << result->plan.index;
      for (const Hit& hit : truth->hits)
        found += std::find(result->hits.begin(), result->hits.end(), hit) != result->hits.end();
      asked += 10;
    }
    EXPECT_GE(found / asked, 0.95);
    if (part == 2) break;
    for (int i = 0; i < 700; ++i) {
      ASSERT_THAT(bank().erase(held.back().id), HasValue(true));
      held.pop_back();
    }
  }
  EXPECT_THAT(bank().check(true), HasValue(IsEmpty()));
}

TEST_P(BankContract, TheEffortOfSearchesIsTheBanks) {
  std::mt19937_64 random(test_seed());
  ASSERT_THAT(bank().set_embedder({.model = "test/many", .dimension = dimension}), Succeeds());
  must_write(clustered(random, 1800));
  const auto built = bank().rebuild_index({.kind = VectorIndexKind::hnsw, .m = 8}, go_on);
  if (has_no_index(built)) return;
  ASSERT_THAT(built, Succeeds());
  EXPECT_EQ(bank().vector_index()->m, 8);
  EXPECT_THAT(bank().set_effort(0, 0.5), FailsWith(Errc::invalid_argument));
  ASSERT_THAT(bank().set_effort(47, 0.9875), Succeeds());
  const auto other = again();
  for (Bank* handle : {&bank(), other.get()}) {
    if (handle == nullptr) continue;
    const auto status = handle->vector_index();
    EXPECT_EQ(status->effort, 47);
    EXPECT_EQ(status->recall, 0.9875);
    const std::vector<float> query(dimension, 1);
    EXPECT_THAT(handle->nearest(query, 3, {})->plan.index, testing::HasSubstr("47"));
    EXPECT_THAT(handle->nearest_with(90, query, 3)->plan.index, testing::HasSubstr("90"));
    EXPECT_THAT(handle->nearest_with(0, query, 3), FailsWith(Errc::invalid_argument));
  }
  // What derives goes by it, and leaves it alone.
  ASSERT_THAT(bank().derive(go_on), Succeeds());
  EXPECT_EQ(bank().vector_index()->effort, 47);
  EXPECT_EQ(bank().vector_index()->recall, 0.9875);
  ASSERT_THAT(bank().rebuild_index({.kind = VectorIndexKind::hnsw}, go_on), Succeeds());
  EXPECT_EQ(bank().vector_index()->m, 16);
  EXPECT_EQ(bank().vector_index()->recall, std::nullopt) << "of another index";
  ASSERT_THAT(bank().rebuild_index({.kind = VectorIndexKind::none}, go_on), Succeeds());
  EXPECT_EQ(bank().vector_index()->kind, VectorIndexKind::none);
  ASSERT_THAT(bank().derive(go_on), Succeeds());
  EXPECT_TRUE(bank().nearest(std::vector<float>(dimension, 1), 3, {})->plan.exact);
}

TEST_P(BankContract, RefusesAnIndexThatCannotBe) {
  ASSERT_THAT(bank().set_embedder({.model = "test/two", .dimension = 2}), Succeeds());
  const auto dense = bank().rebuild_index({.kind = VectorIndexKind::hnsw, .m = 65}, go_on);
  ASSERT_FALSE(dense.has_value());
  EXPECT_TRUE(dense.error().code == Errc::invalid_argument ||
              dense.error().code == Errc::unsupported);
  EXPECT_FALSE(dense.error().remedy.empty());
  EXPECT_EQ(bank().vector_index()->chosen, std::nullopt) << "nothing was recorded";
}

}  // namespace
}  // namespace bb5
