#include "tests/contract/bank_contract.hpp"

namespace bb5 {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(BankContract);

void BankContract::SetUp() {
  if (!GetParam().skip_reason.empty()) GTEST_SKIP() << GetParam().skip_reason;
  test_ = GetParam().open_empty();
  ASSERT_NE(test_.bank, nullptr);
}

void BankContract::TearDown() {
  test_.bank.reset();
  test_.open_again = nullptr;
  test_.keep_alive.reset();
}

WriteOutcome BankContract::must_write(std::vector<Memory> memories, OnConflict on_conflict) {
  auto outcome = bank().write({.memories = memories, .on_conflict = on_conflict});
  EXPECT_THAT(outcome, Succeeds());
  return outcome ? std::move(*outcome) : WriteOutcome{};
}

WriteOutcome BankContract::must_write_facts(std::vector<EntityFact> entities,
                                            std::vector<RelationshipFact> relationships) {
  auto outcome = bank().write({.entity_facts = entities, .relationship_facts = relationships});
  EXPECT_THAT(outcome, Succeeds());
  return outcome ? std::move(*outcome) : WriteOutcome{};
}

std::vector<Memory> BankContract::all_memories() {
  auto page = bank().page({.limit = 1'000'000});
  EXPECT_THAT(page, Succeeds());
  return page ? std::move(*page) : std::vector<Memory>{};
}

FoldedGraph BankContract::stored_graph() {
  FoldedGraph graph;
  auto entities = bank().entities({}, 1'000'000);
  auto relationships = bank().relationships({}, 1'000'000);
  auto mentions = bank().mentions({}, 1'000'000);
  EXPECT_THAT(entities, Succeeds());
  EXPECT_THAT(relationships, Succeeds());
  EXPECT_THAT(mentions, Succeeds());
  for (Entity& row : *entities) {
    EXPECT_GT(row.rev, 0);
    row.rev = 0;
    graph.entities.emplace(row.key, row);
  }
  for (Relationship& row : *relationships) {
    EXPECT_GT(row.rev, 0);
    row.rev = 0;
    graph.relationships.emplace(relationship_key(row), row);
  }
  for (Mention& row : *mentions) {
    EXPECT_GT(row.rev, 0);
    row.rev = 0;
    graph.mentions.insert(row);
  }
  for (const std::string& name : names_of_bank()) {
    auto entity = bank().entity_named(name);
    EXPECT_THAT(entity, Succeeds());
    if (*entity) graph.meanings[name_key_of(name)] = (*entity)->key;
  }
  return graph;
}

std::set<std::string> BankContract::names_of_bank() {
  std::set<std::string> names;
  for (const EntityFact& fact : *bank().entity_facts(0, 1'000'000)) names.insert(fact.name);
  for (const RelationshipFact& fact : *bank().relationship_facts(0, 1'000'000)) {
    names.insert(fact.subject);
    names.insert(fact.object);
  }
  for (const Memory& memory : all_memories())
    names.insert(memory.entities.begin(), memory.entities.end());
  for (const EntityMerge& merge : *bank().merges()) {
    names.emplace(name_of_key(merge.from_key));
    names.emplace(name_of_key(merge.into_key));
  }
  return names;
}

FoldedGraph BankContract::expected_graph() {
  auto entities = bank().entity_facts(0, 1'000'000);
  auto relationships = bank().relationship_facts(0, 1'000'000);
  EXPECT_THAT(entities, Succeeds());
  EXPECT_THAT(relationships, Succeeds());
  std::vector<MemoryMentions> mentions;
  for (const Memory& memory : all_memories()) {
    if (memory.kind == MemoryKind::memory) mentions.push_back({memory.id, memory.entities});
  }
  auto merges = bank().merges();
  EXPECT_THAT(merges, Succeeds());
  return fold(*entities, *relationships, mentions, EntityMerges(*merges));
}

Memory make_memory(const std::string& name, const std::string& content) {
  Memory memory;
  memory.id = memory_id_of("\"" + name + "\"");
  memory.legacy_id = name;
  memory.content = content.empty() ? name : content;
  return memory;
}

Memory vector_memory(const std::string& name, std::vector<float> embedding) {
  Memory memory = make_memory(name);
  memory.embedding = std::move(embedding);
  memory.vector_state = VectorState::indexed;
  return memory;
}

Memory with_metadata(Memory memory, const std::string& metadata) {
  memory.metadata = metadata;
  derive_columns(memory);
  return memory;
}

Memory full_memory() {
  Memory memory =
      make_memory("full", "Zwölf 漢字 😀 \"quoted\" \\ back\nline\ttab\r\x01 \x7F é e\u0301 \u200D");
  memory.network = "opinion";
  memory = with_metadata(
      memory,
      R"({"z":[1,1.0,1e+16,-0.0,0.7000000000000001],"confidence":0.1,"source":"a b/ü.md","source_type":"task",)"
      R"("category":"technical","entities":["PostgreSQL","","postgresql"],"nan":NaN,"big":123456789012345678901234567890,)"
      R"("nul":"\u0000","lone":"\ud800","nested":{"b":{},"a":[]}})");
  memory.created_at = parse_time("2026-02-04T03:50:10.740823");
  memory.updated_at = parse_time("2026-02-05T00:00:00.000001");
  memory.valid_from = parse_time("0001-01-01");
  memory.valid_until = parse_time("9999-12-31T23:59:59.999999");
  memory.superseded_by = memory_id_of("\"other\"");
  memory.author = "Ärne";
  memory.thread = "session 3";
  memory.position = -7;
  memory.raw = RawRecord{.text = "{ \"id\" : \"full\" }", .embedding_at = 5};
  memory.vector_state = VectorState::indexed;
  memory.embedding = {1.0f, -1.17549435e-38f, 1e-45f, 3.4028234e38f};
  return memory;
}

EntityFact make_entity(const std::string& name, const std::string& type, std::int64_t mentions) {
  EntityFact fact;
  fact.id = {Uuid::random()};
  fact.name = name;
  fact.type = type;
  fact.mentions = mentions;
  return fact;
}

RelationshipFact make_relationship(const std::string& subject, const std::string& predicate,
                                   const std::string& object) {
  RelationshipFact fact;
  fact.id = {Uuid::random()};
  fact.subject = subject;
  fact.predicate = predicate;
  fact.object = object;
  return fact;
}

}  // namespace bb5
