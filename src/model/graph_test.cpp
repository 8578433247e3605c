#include "model/graph.hpp"

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace bb5 {
namespace {

TEST(EntityKey, IsOneForAllSpellingsAndCannotBeForged) {
  EXPECT_EQ(entity_key("PostgreSQL", "Technology"), "technology:postgresql");
  EXPECT_EQ(entity_key(" postgresql ", "technology"), "technology:postgresql");
  EXPECT_EQ(entity_key("Redis", ""), "concept:redis");
  EXPECT_NE(entity_key("b:c", "a"), entity_key("c", "a:b"));
  EXPECT_EQ(entity_key("c", "a:b%"), "a%3Ab%25:c");
}

TEST(EntityKey, NeverHoldsTheSeparatorOfRelationshipKeys) {
  const std::string separator = "\u241F";
  for (const std::string& key : {entity_key("a\u241Fb", "t"), entity_key("b", "t\u241Fu"),
                                 name_key_of("\u241F"), name_key_of("a\u241B\u241F")})
    EXPECT_EQ(key.find(separator), std::string::npos) << key;
  // Different names stay different, whatever they make of the escape itself.
  std::set<std::string> keys;
  const std::vector<std::string> names = {
      "a\u241Fb", "a\u241Bb", "ab", "a\u241Bub", "a\u241Beb", "a\u241Beub", "a\u241B\u241Fb"};
  for (const std::string& name : names) keys.insert(name_key_of(name));
  EXPECT_EQ(keys.size(), names.size());
  // Names that hold neither control picture have the keys that they always had.
  EXPECT_EQ(entity_key("50 % of A:B", "100%"), "100%25:50 % of a:b");
  EXPECT_EQ(name_key_of(" Caf\u00C9 \u2420"), "caf\u00E9 \u2420");
}

TEST(RelationshipKey, IsAnothersForOtherParts) {
  const auto key = [](const std::string& subject, const std::string& predicate,
                      const std::string& object) {
    return relationship_key({.subject_key = entity_key(subject, "t"),
                             .predicate = predicate,
                             .object_key = entity_key(object, "t")});
  };
  EXPECT_EQ(key("a", "uses", "b"), "t:a\u241Fuses\u241Ft:b");
  EXPECT_NE(key("a\u241Fp", "q", "c"), key("a", "p\u241Fq", "c"));
  EXPECT_NE(key("a", "p\u241Ft:b", "c"), key("a", "p", "b\u241Ft:c"));
}

TEST(RelationshipType, IsReadableAndNeverNeedsQuoting) {
  EXPECT_EQ(relationship_type_of("uses"), "USES");
  EXPECT_EQ(relationship_type_of("works on"), "WORKS_ON");
  EXPECT_EQ(relationship_type_of("  is-part  of "), "IS_PART_OF");
  EXPECT_EQ(relationship_type_of("`]->() DETACH DELETE n //"), "DETACH_DELETE_N");
  EXPECT_EQ(relationship_type_of(""), "RELATES_TO");
  EXPECT_EQ(relationship_type_of("!!!"), "RELATES_TO");
  EXPECT_EQ(relationship_type_of("benötigt"), "BENöTIGT");
  EXPECT_EQ(relationship_type_of(std::string(500, 'x')).size(), 200u);
}

TEST(FactsOf, ReadsThePseudoMemoriesOfTheOldSystem) {
  Memory memory;
  memory.id = memory_id_of("\"e\"");
  memory.metadata =
      R"({"entity_name":"Redis","entity_type":"technology","mention_count":3,"first_seen":"2026-02-04T03:50:10","is_entity":true})";
  derive_columns(memory);
  ASSERT_EQ(memory.kind, MemoryKind::entity);
  const auto entity = facts_of(memory).entity;
  ASSERT_TRUE(entity);
  EXPECT_EQ(entity->name, "Redis");
  EXPECT_EQ(entity->type, "technology");
  EXPECT_EQ(entity->mentions, 3);
  EXPECT_EQ(entity->first_seen, parse_time("2026-02-04T03:50:10"));

  memory.created_at = parse_time("2026-02-05");
  memory.metadata =
      R"({"subject":"RALF","predicate":"uses","object":"Redis","confidence":0.9,"is_relationship":true})";
  derive_columns(memory);
  const auto relationship = facts_of(memory).relationship;
  ASSERT_TRUE(relationship);
  EXPECT_EQ(relationship->subject, "RALF");
  EXPECT_EQ(relationship->object, "Redis");
  EXPECT_EQ(relationship->confidence, 0.9);
  EXPECT_EQ(relationship->first_observed, parse_time("2026-02-05"));
}

TEST(FactsOf, TakesDamagedPseudoMemories) {
  Memory memory;
  memory.metadata =
      R"({"entity_name":null,"entity_type":7,"mention_count":"many","is_entity":true})";
  derive_columns(memory);
  const auto entity = facts_of(memory).entity;
  ASSERT_TRUE(entity);
  EXPECT_EQ(entity->name, "");
  EXPECT_EQ(entity->type, "concept");
  EXPECT_EQ(entity->mentions, 1);
}

}  // namespace
}  // namespace bb5
