#include "operations/retain/document_records.hpp"

#include <gmock/gmock.h>

namespace bb5 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const Timestamp moment = *parse_time("2026-05-01");

Document notes() {
  return {.source = "/notes/a.md", .source_type = "decisions"};
}

Extraction an_extraction() {
  return {.memories = {{.content = "We use Redis.",
                        .network = "experience",
                        .confidence = 0.9,
                        .category = "decision",
                        .entities = {"Redis"},
                        .section = "Decisions",
                        .author = "Ada",
                        .position = 3}},
          .entities = {{.name = "Redis", .type = "technology", .mentions = 2}},
          .relationships = {{.subject = "We", .predicate = "uses", .object = "Redis"}}};
}

TEST(DocumentRecords, AMemoryHasTheOldSystemsMetadataAndItsPlaceInTheDocument) {
  const DocumentRecords records = records_of(an_extraction(), notes(), moment);
  ASSERT_THAT(records.memories, SizeIs(1));
  const Memory& memory = records.memories[0];
  EXPECT_EQ(memory.content, "We use Redis.");
  EXPECT_EQ(memory.legacy_id, legacy_id_of("We use Redis."));
  EXPECT_EQ(memory.network, "experience");
  EXPECT_EQ(
      memory.metadata,
      R"({"confidence":0.9,"source":"/notes/a.md","source_type":"decisions","category":"decision","entities":["Redis"],"section":"Decisions"})");
  EXPECT_EQ(memory.confidence, 0.9);
  EXPECT_EQ(memory.source, "/notes/a.md");
  EXPECT_THAT(memory.entities, ElementsAre("Redis"));
  EXPECT_EQ(memory.author, "Ada");
  EXPECT_EQ(memory.thread, "/notes/a.md");
  EXPECT_EQ(memory.position, 3);
  EXPECT_EQ(memory.vector_state, VectorState::none);
}

TEST(DocumentRecords, TimesAreTheTextsOwnThenTheFilesThenNow) {
  Extraction extraction = an_extraction();
  Document document = notes();
  EXPECT_EQ(records_of(extraction, document, moment).memories[0].created_at, moment);
  document.written_at = parse_time("2026-04-01");
  EXPECT_EQ(records_of(extraction, document, moment).memories[0].created_at,
            parse_time("2026-04-01"));
  EXPECT_EQ(records_of(extraction, document, moment).entity_facts[0].first_seen,
            parse_time("2026-04-01"));
  extraction.memories[0].happened_at = parse_time("2026-03-01");
  EXPECT_EQ(records_of(extraction, document, moment).memories[0].created_at,
            parse_time("2026-03-01"));
}

TEST(DocumentRecords, FactsOfTheSameWordsHaveTheSameIdsAndOthersOthers) {
  const DocumentRecords first = records_of(an_extraction(), notes(), moment);
  Document later = notes();
  later.written_at = moment;
  const DocumentRecords again = records_of(an_extraction(), later, moment);
  EXPECT_EQ(again.entity_facts[0].id, first.entity_facts[0].id);
  EXPECT_EQ(again.relationship_facts[0].id, first.relationship_facts[0].id);
  Extraction more = an_extraction();
  more.entities[0].mentions = 3;
  more.relationships[0].confidence = 0.1;
  const DocumentRecords changed = records_of(more, notes(), moment);
  EXPECT_NE(changed.entity_facts[0].id, first.entity_facts[0].id);
  EXPECT_NE(changed.relationship_facts[0].id, first.relationship_facts[0].id);
  Document other = notes();
  other.source = "/notes/b.md";
  EXPECT_NE(records_of(an_extraction(), other, moment).entity_facts[0].id,
            first.entity_facts[0].id);
}

TEST(DocumentRecords, NothingGivesNothing) {
  const DocumentRecords records = records_of({}, notes(), moment);
  EXPECT_THAT(records.memories, IsEmpty());
  EXPECT_THAT(records.entity_facts, IsEmpty());
  EXPECT_THAT(records.relationship_facts, IsEmpty());
}

}  // namespace
}  // namespace bb5
