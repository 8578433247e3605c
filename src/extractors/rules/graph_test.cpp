// Entities and relationships of single sentences.
#include "extractors/rules/rules_extractor.hpp"

namespace bb5 {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::UnorderedElementsAre;

Extraction read(std::string_view text, std::optional<std::string> author = {}) {
  Document document{.source = "test.md"};
  document.turns.push_back({.text = std::string(text), .author = std::move(author)});
  return new_rules_extractor()->extract(document).value();
}

std::vector<std::string> entities_in(std::string_view text) {
  std::vector<std::string> found;
  for (const ExtractedEntity& entity : read(text).entities)
    found.push_back(entity.name + "/" + entity.type);
  return found;
}

std::vector<std::string> relationships_in(std::string_view text,
                                          std::optional<std::string> author = {}) {
  std::vector<std::string> found;
  for (const ExtractedRelationship& stated : read(text, std::move(author)).relationships)
    found.push_back(stated.subject + " " + stated.predicate + " " + stated.object);
  return found;
}

TEST(Entities, OfCodeAreTechnologiesAndFiles) {
  EXPECT_THAT(entities_in("Call `parse_time` from `src/base/time.cpp`, VectorStore and BB5_HOME."),
              UnorderedElementsAre("parse_time/technology", "src/base/time.cpp/file",
                                   "VectorStore/technology", "BB5_HOME/technology"));
  EXPECT_THAT(entities_in("Pass `true`, `--all`, `x > 0`, `0.8` or `SELECT 1`."), IsEmpty());
}

TEST(Entities, ThatAreKnownHaveOneSpelling) {
  const Extraction read_out =
      read("We moved Postgres to k8s. The postgres server likes kubernetes.");
  ASSERT_EQ(read_out.entities.size(), 2U);
  EXPECT_EQ(read_out.entities[0].name, "PostgreSQL");
  EXPECT_EQ(read_out.entities[0].mentions, 2);
  EXPECT_EQ(read_out.entities[1].name, "Kubernetes");
}

TEST(Entities, ThatAreEnglishWordsTooNeedTheirSpelling) {
  EXPECT_THAT(entities_in("Go on, the rest of the rust will go swiftly."), IsEmpty());
  EXPECT_THAT(entities_in("The service is written in Go and Rust."),
              UnorderedElementsAre("Go/technology", "Rust/technology"));
}

TEST(Entities, AreTicketsHostsAndHandles) {
  EXPECT_THAT(
      entities_in(
          "TASK-12 and #34 are on https://github.com/a/b says @alice; UTF-8, SHA-512 are not."),
      IsSupersetOf({"TASK-12/task", "#34/task", "github.com/technology", "@alice/person"}));
  EXPECT_THAT(entities_in("ISO-8859 and COVID-19 are no tickets."), IsEmpty());
}

TEST(Entities, ArePersonsOrganizationsAndPlaces) {
  EXPECT_THAT(
      entities_in("Yesterday Anna Weber of Acme Corp flew to Berlin. Anna likes it there."),
      UnorderedElementsAre("Anna Weber/person", "Acme Corp/organization", "Berlin/location"));
  EXPECT_THAT(entities_in("Please ask Dr. Tanaka about it, she lives in Nagoya."),
              UnorderedElementsAre("Tanaka/person", "Nagoya/location"));
}

TEST(Entities, AreNotEveryWordWithACapital) {
  EXPECT_THAT(entities_in("The Monday meeting. Research Shows Nothing. Phase One starts in March."),
              IsEmpty());
}

TEST(Entities, WithACapitalThatComeAgainAreConcepts) {
  EXPECT_THAT(entities_in("People on Moltbook talk a lot. I read about this on Moltbook too."),
              ElementsAre("Moltbook/concept"));
}

TEST(Entities, AreTheTermsThatADocumentDefines) {
  EXPECT_THAT(
      entities_in(
          "**Bank** – an isolated set.\n\nNo bank waits for another Bank, and a Bank is one file."),
      ElementsAre("Bank/concept"));
}

TEST(Entities, AreNotWordsThatAreOnlyEmphasised) {
  EXPECT_THAT(
      entities_in(
          "Take the FULL set. A full set is not the LEAN set, and lean means small; FULL, LEAN."),
      IsEmpty());
  EXPECT_THAT(entities_in("The flag `verbose` helps."), IsEmpty());
}

TEST(Entities, AreNotTheNounsOfGerman) {
  EXPECT_THAT(entities_in("Wir haben die Datenbank und den Server. Die alte Datenbank und der alte "
                          "Server laufen im "
                          "Keller, und unser Server im Keller ist laut."),
              IsEmpty());
}

TEST(Relationships, AreReadFromVerbs) {
  EXPECT_THAT(relationships_in("`Recall` uses PostgreSQL."), ElementsAre("Recall uses PostgreSQL"));
  EXPECT_THAT(relationships_in("`Recall` depends on SQLite and Redis."),
              ElementsAre("Recall depends_on SQLite", "Recall depends_on Redis"));
  EXPECT_THAT(relationships_in("VectorStore stores all of its vectors in Redis."),
              ElementsAre("VectorStore stores_in Redis"));
  EXPECT_THAT(relationships_in("The GraphRelay is part of BackupJob."),
              ElementsAre("GraphRelay part_of BackupJob"));
  EXPECT_THAT(relationships_in("Alice Johnson works at Siemens."),
              ElementsAre("Alice Johnson works_at Siemens"));
}

TEST(Relationships, OfPassiveSentencesAreTurned) {
  EXPECT_THAT(relationships_in("Redis is used by VectorStore."),
              ElementsAre("VectorStore uses Redis"));
  EXPECT_THAT(relationships_in("Redis is used by VectorStore and by GraphRelay."),
              UnorderedElementsAre("VectorStore uses Redis", "GraphRelay uses Redis"));
  EXPECT_THAT(relationships_in("SyncDaemon was replaced by GraphRelay."),
              ElementsAre("GraphRelay replaces SyncDaemon"));
  EXPECT_THAT(relationships_in("FastAPI was created by Sebastian Ramirez."),
              ElementsAre("FastAPI created_by Sebastian Ramirez"));
}

TEST(Relationships, AreReadFromChangesAndChoices) {
  EXPECT_THAT(relationships_in("We migrated the store from MongoDB to PostgreSQL."),
              ElementsAre("PostgreSQL replaces MongoDB"));
  EXPECT_THAT(relationships_in("We replaced Celery with Kafka."),
              ElementsAre("Kafka replaces Celery"));
  EXPECT_THAT(relationships_in("We chose PostgreSQL over MongoDB."),
              ElementsAre("PostgreSQL preferred_over MongoDB"));
}

TEST(Relationships, GoOnWithTheSameSubject) {
  EXPECT_THAT(relationships_in("Anna Weber works at Siemens and lives in Berlin."),
              ElementsAre("Anna Weber works_at Siemens", "Anna Weber lives_in Berlin"));
  EXPECT_THAT(relationships_in("They search with Elasticsearch, which depends on Java."),
              ElementsAre("Elasticsearch depends_on Java"));
}

TEST(Relationships, ThatAreDeniedAskedOrSupposedAreNone) {
  EXPECT_THAT(relationships_in("VectorStore does not use Redis."), IsEmpty());
  EXPECT_THAT(relationships_in("VectorStore doesn't depend on Redis."), IsEmpty());
  EXPECT_THAT(relationships_in("VectorStore no longer uses Redis."), IsEmpty());
  EXPECT_THAT(relationships_in("Does VectorStore use Redis?"), IsEmpty());
  EXPECT_THAT(relationships_in("If VectorStore uses Redis it is fast."), IsEmpty());
  EXPECT_THAT(relationships_in("We did not replace Kafka with Redis."), IsEmpty());
}

TEST(Relationships, NeedTheVerbsOwnSubjectAndObject) {
  EXPECT_THAT(relationships_in("The tests for VectorStore use GoogleTest."), IsEmpty());
  EXPECT_THAT(relationships_in("VectorStore's cache uses Redis."), IsEmpty());
  EXPECT_THAT(relationships_in("VectorStore uses what it got from Redis."), IsEmpty());
  EXPECT_THAT(relationships_in("VectorStore uses Redis. Kafka is another matter."),
              ElementsAre("VectorStore uses Redis"));
}

TEST(Relationships, ThatMightBeAreLessSure) {
  const auto sure = read("VectorStore uses Redis.").relationships;
  const auto unsure = read("VectorStore might use Redis.").relationships;
  ASSERT_EQ(sure.size(), 1U);
  ASSERT_EQ(unsure.size(), 1U);
  EXPECT_LT(unsure[0].confidence, sure[0].confidence);
}

TEST(Relationships, OfASpeakerAreFromI) {
  Document talk{.source = "talk", .source_type = "transcript"};
  talk.turns = {{.text = "I work at Siemens and I love Neovim.", .author = "Ann", .position = 0}};
  const Extraction made = new_rules_extractor()->extract(talk).value();
  std::vector<std::string> found;
  for (const auto& stated : made.relationships)
    found.push_back(stated.subject + " " + stated.predicate + " " + stated.object);
  EXPECT_THAT(found, UnorderedElementsAre("Ann works_at Siemens", "Ann likes Neovim"));
}

}  // namespace
}  // namespace bb5
