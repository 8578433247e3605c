#include "model/entity_resolution.hpp"

#include <cstdio>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/environment.hpp"
#include "base/letters.hpp"
#include "tests/support/entity_pairs.hpp"
#include "tests/support/result_matchers.hpp"

namespace bb5 {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

std::vector<EntityPair> labelled_pairs() {
  auto pairs = read_entity_pairs(BB5_SOURCE_DIR "/tests/data/entity_pairs.tsv");
  EXPECT_THAT(pairs, Succeeds());
  return *pairs;
}

struct Figures {
  int pairs = 0;
  int right = 0;   // same, and said so
  int wrong = 0;   // apart, and called the same
  int missed = 0;  // same, and not said so…
  int asked = 0;   // …of which a person is asked
  [[nodiscard]] double precision() const { return right / static_cast<double>(right + wrong); }
  [[nodiscard]] double recall() const { return right / static_cast<double>(right + missed); }
  [[nodiscard]] double with_asking() const {
    return (right + asked) / static_cast<double>(right + missed);
  }
};

Figures measure(bool held_out) {
  Figures figures;
  const bool tell = !held_out && !environment("BB5_TELL").empty();
  for (const EntityPair& pair : labelled_pairs()) {
    if (pair.held_out != held_out) continue;
    ++figures.pairs;
    const NameMatch match = match_names(pair.a, pair.b);
    const bool said = match.sameness == Sameness::same;
    if (pair.same) ++(said ? figures.right : figures.missed);
    if (pair.same && match.sameness == Sameness::perhaps) ++figures.asked;
    if (!pair.same && said) ++figures.wrong;
    if (tell && said != pair.same) {
      std::printf("%s: %s (%s) / %s (%s): %s\n", said ? "WRONG" : "missed", pair.a.name.c_str(),
                  pair.a.type.c_str(), pair.b.name.c_str(), pair.b.type.c_str(),
                  match.reason.c_str());
    }
  }
  std::printf("%-4s %d pairs: precision %.3f, recall %.3f (%.3f with those that are asked about)\n",
              held_out ? "held" : "dev", figures.pairs, figures.precision(), figures.recall(),
              figures.with_asking());
  return figures;
}

TEST(EntityPairs, PrecisionAndRecallOfBothPartsHoldTheirFloors) {
  const Figures dev = measure(false);
  const Figures held = measure(true);
  EXPECT_GE(dev.pairs + held.pairs, 300);
  EXPECT_GE(dev.precision(), 0.99);
  EXPECT_GE(dev.recall(), 0.80);
  EXPECT_GE(held.precision(), 0.98);
  EXPECT_GE(held.recall(), 0.80);
}

TEST(EntityPairs, AreJudgedAlikeInBothDirections) {
  for (const EntityPair& pair : labelled_pairs())
    EXPECT_EQ(match_names(pair.a, pair.b), match_names(pair.b, pair.a)) << pair.a.name;
}

Entity entity_of(const NamedEntity& named, std::string key) {
  Entity entity;
  entity.key = std::move(key);
  entity.name = named.name;
  entity.type = named.type;
  return entity;
}

TEST(EntityResolver, FindsAmongManyTheSameAsItDoesByItself) {
  std::vector<Entity> entities;
  for (const EntityPair& pair : labelled_pairs()) {
    for (const NamedEntity& named : {pair.a, pair.b})
      entities.push_back(entity_of(named, std::to_string(entities.size())));
  }
  const auto keys_of = [](const std::vector<ResolvedPair>& pairs) {
    std::vector<std::pair<std::string, std::string>> keys;
    for (const ResolvedPair& pair : pairs)
      if (pair.match.sameness == Sameness::same) keys.emplace_back(pair.from->key, pair.into->key);
    return keys;
  };
  const auto same = keys_of(EntityResolver(entities, {.only_same = true}).pairs());
  EXPECT_GT(same.size(), 150U);
  EXPECT_EQ(same, keys_of(EntityResolver(entities).pairs()));
}

TEST(Letters, LoseTheirDressAndNothingElse) {
  EXPECT_EQ(plain_letters("Ｃafé™ ŁÓDŹ"), "cafe lodz");
  EXPECT_EQ(plain_letters("が"), "が");
  EXPECT_EQ(plain_letters_german("Jürgen Groß"), "juergen gross");
  EXPECT_EQ(latin_letters("Москва"), "moskva");
  EXPECT_EQ(latin_letters("北京"), "北京");
}

Sameness sameness(const NamedEntity& a, const NamedEntity& b) {
  return match_names(a, b).sameness;
}

TEST(MatchNames, NumbersMustAgreeWhateverElseDoes) {
  const auto technology = [](const char* name) { return NamedEntity{name, "technology"}; };
  EXPECT_EQ(sameness(technology("GPT-4"), technology("GPT4")), Sameness::same);
  EXPECT_EQ(sameness(technology("GPT-4"), technology("GPT-3.5")), Sameness::different);
  EXPECT_EQ(sameness(technology("Postgres 16"), technology("PostgreSQL v16")), Sameness::same);
  EXPECT_EQ(sameness(technology("Postgres 15"), technology("PostgreSQL 16")), Sameness::different);
  EXPECT_EQ(sameness(technology("Web 1.2"), technology("Web 12")), Sameness::different);
}

TEST(MatchNames, TypesMustAgree) {
  EXPECT_EQ(sameness({"Paris", "person"}, {"Paris", "location"}), Sameness::different);
  EXPECT_EQ(sameness({"Redis", "unknown"}, {"REDIS", "technology"}), Sameness::same);
  EXPECT_EQ(sameness({"Delta", "concept"}, {"Delta", "organization"}), Sameness::perhaps);
  EXPECT_EQ(sameness({"Ada Lovelace", "concept"}, {"Ada Lovelace", "person"}), Sameness::same);
}

TEST(Letters, AreWrittenInTheSpellingsThatDiffer) {
  EXPECT_THAT(plain_spellings("Redis`s"), testing::ElementsAre("redis's"));
  EXPECT_THAT(plain_spellings("Caf\u00E9"), testing::ElementsAre("cafe"));
  EXPECT_THAT(plain_spellings("M\u00FCller"), testing::ElementsAre("muller", "mueller"));
  EXPECT_THAT(plain_spellings("Mu\u0308ller"), testing::ElementsAre("muller", "mueller"));
  EXPECT_THAT(plain_spellings("\u041C\u043E\u0441\u043A\u0432\u0430"),
              testing::ElementsAre("\u043C\u043E\u0441\u043A\u0432\u0430", "moskva"));
}

TEST(MatchNames, TakesAnyText) {
  for (const char* name : {"", " ", "()", "(a)", "\xFF", "'", ".", "v", "v 1", "\"", "🙂"}) {
    EXPECT_NE(sameness({name, ""}, {"Redis", ""}), Sameness::same) << name;
    EXPECT_EQ(sameness({name, "file"}, {name, "person"}), Sameness::different) << name;
  }
}

Entity entity(const std::string& name, const std::string& type, std::int64_t mentions = 1) {
  return {.key = entity_key(name, type), .name = name, .type = type, .mention_count = mentions};
}

TEST(EntityResolver, FoldsTheRareIntoTheFrequent) {
  const std::vector<Entity> entities = {
      entity("Node.js", "technology", 9),     entity("NodeJS", "technology", 2),
      entity("Acme Inc.", "organization", 1), entity("Acme", "organization", 5),
      entity("k8s", "technology", 1),         entity("Kubernetes", "technology", 3),
      entity("PostgreSQL 15", "technology"),  entity("PostgreSQL 16", "technology")};
  const EntityResolver resolver(entities);
  const auto pairs = resolver.pairs();
  ASSERT_THAT(pairs, SizeIs(3));
  EXPECT_EQ(pairs[0].from->name, "Acme Inc.");
  EXPECT_EQ(pairs[0].into->name, "Acme");
  EXPECT_EQ(pairs[1].from->name, "k8s");
  EXPECT_EQ(pairs[2].into->name, "Node.js");
  EXPECT_THAT(resolver.pairs_of({"technology:k8s"}), SizeIs(1));
  EXPECT_THAT(resolver.pairs_of({"technology:postgresql 15"}), IsEmpty());
}

TEST(EntityResolver, AsksWhereSeveralCouldBeMeant) {
  const std::vector<Entity> entities = {entity("Acme", "organization", 1),
                                        entity("Acme GmbH", "organization", 3),
                                        entity("Acme Inc.", "organization", 2)};
  for (const ResolvedPair& pair : EntityResolver(entities).pairs())
    EXPECT_EQ(pair.match.sameness, Sameness::perhaps) << pair.from->name << pair.into->name;
}

TEST(EntityResolver, LeavesOutWhatMayBeOneWhereOnlyTheSureIsWanted) {
  const std::vector<Entity> entities = {entity("J. Smith", "person", 1),
                                        entity("John Smith", "person", 3)};
  const auto pairs = EntityResolver(entities).pairs();
  ASSERT_THAT(pairs, SizeIs(1));
  EXPECT_EQ(pairs[0].match.sameness, Sameness::perhaps);
  EXPECT_THAT(EntityResolver(entities, {.only_same = true}).pairs(), IsEmpty());
}

}  // namespace
}  // namespace bb5
