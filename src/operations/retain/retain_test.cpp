#include "operations/retain/retain.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "stores/in_memory/in_memory_bank.hpp"
#include "tests/contract/bank_contract.hpp"
#include "tests/support/result_matchers.hpp"

namespace bb5 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;
using State = RetainReport::State;

/// Each line of a document is a memory; `A -> B` is also two entities and a relationship; `!`
/// fails.
class LineExtractor final : public Extractor {
 public:
  mutable std::atomic<int> calls = 0;
  std::string version = "lines/1";
  std::function<void()> meanwhile;  ///< What others do while the first document is read.

  [[nodiscard]] std::string name() const override { return version; }
  [[nodiscard]] Result<Extraction> extract(const Document& document) const override {
    if (calls++ == 0 && meanwhile) meanwhile();
    Extraction extraction;
    for (const Turn& turn : document.turns) {
      std::string_view text = turn.text;
      while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        take(std::string(text.substr(0, end)), extraction);
        text.remove_prefix(std::min(end + 1, text.size()));
      }
      if (turn.text == "!") return Error{Errc::unavailable, "the model is away"};
    }
    return extraction;
  }

 private:
  static void take(const std::string& line, Extraction& extraction) {
    ExtractedMemory memory{.content = line, .position = std::ssize(extraction.memories)};
    if (const auto arrow = line.find(" -> "); arrow != std::string::npos) {
      memory.entities = {line.substr(0, arrow), line.substr(arrow + 4)};
      for (const std::string& name : memory.entities) extraction.entities.push_back({.name = name});
      extraction.relationships.push_back(
          {.subject = memory.entities[0], .predicate = "uses", .object = memory.entities[1]});
    }
    extraction.memories.push_back(std::move(memory));
  }
};

/// Texts that begin with the same letter are near each other (cosine 0.98), others far.
class LetterEmbedder final : public Embedder {
 public:
  std::vector<std::size_t> batches;
  bool away = false;
  std::function<void()> meanwhile;  ///< What others do while the first texts are embedded.

  [[nodiscard]] EmbedderInfo info() const override { return {"test/letters", 33}; }
  Result<std::vector<std::vector<float>>> embed(std::span<const std::string_view> texts) override {
    if (away) return Error{Errc::unavailable, "no vectors today"};
    batches.push_back(texts.size());
    if (meanwhile) std::exchange(meanwhile, nullptr)();
    std::vector<std::vector<float>> vectors;
    for (const std::string_view text : texts) {
      std::vector<float> vector(33, 0.0F);
      vector[text.empty() ? 0 : static_cast<unsigned char>(text[0]) % 32] = 1.0F;
      vector[32] = text.size() % 2 == 0 ? 0.1F : -0.1F;
      vectors.push_back(std::move(vector));
    }
    return vectors;
  }
};

class Retain : public testing::Test {
 protected:
  static Document document(std::string source, std::string text) {
    return {.source = std::move(source), .turns = {{.text = std::move(text)}}};
  }
  std::vector<RetainReport> retain(std::vector<Document> documents) {
    return retain_documents(bank, std::move(documents),
                            {.extractor = extractor, .embedder = &embedder, .jobs = 2});
  }
  RetainReport retain_one(std::string source, std::string text) {
    return retain({document(std::move(source), std::move(text))}).front();
  }
  std::vector<std::string> found_now() {
    std::vector<std::string> contents;
    auto page = bank.page({.filter = {.valid_at = now() + std::chrono::seconds(1)}});
    for (const Memory& memory : *page) contents.push_back(memory.content);
    return contents;
  }

  std::unique_ptr<Bank> owned = new_in_memory_bank();
  Bank& bank = *owned;
  LineExtractor extractor;
  LetterEmbedder embedder;
};

TEST_F(Retain, ADocumentBecomesMemoriesEntitiesAndRelationships) {
  const RetainReport report = retain_one("a.md", "Ada -> Redis\nBob sleeps");
  EXPECT_EQ(report.state, State::retained);
  EXPECT_EQ(report.memories, 2);
  EXPECT_EQ(report.added, 2);
  EXPECT_EQ(report.entities, 2);
  EXPECT_EQ(report.relationships, 1);
  EXPECT_THAT(found_now(), ElementsAre("Ada -> Redis", "Bob sleeps"));
  EXPECT_EQ(*bank.graph_counts(), (GraphCounts{2, 1, 2}));
  EXPECT_EQ(bank.embedder()->model, "test/letters");
  EXPECT_EQ(bank.stats()->vectors.at(VectorState::indexed), 2);
}

TEST_F(Retain, AnUnchangedDocumentIsNotEvenExtracted) {
  retain_one("a.md", "Ada sleeps");
  const int calls = extractor.calls;
  const RetainReport report = retain_one("a.md", "Ada sleeps");
  EXPECT_EQ(report.state, State::unchanged);
  EXPECT_EQ(report.memories, 1);
  EXPECT_EQ(extractor.calls, calls);
}

TEST_F(Retain, AnotherExtractorReadsItAgain) {
  retain_one("a.md", "Ada sleeps");
  extractor.version = "lines/2";
  const RetainReport report = retain_one("a.md", "Ada sleeps");
  EXPECT_EQ(report.state, State::retained);
  EXPECT_EQ(report.said_before, 1);
  EXPECT_EQ(report.added, 0);
}

TEST_F(Retain, AChangedDocumentSupersedesWhatItNoLongerSays) {
  retain_one("a.md", "Ada -> Redis\nBob sleeps");
  const RetainReport report = retain_one("a.md", "Bob sleeps\nCarl reads");
  EXPECT_EQ(report.added, 1);
  EXPECT_EQ(report.said_before, 1);
  EXPECT_EQ(report.no_longer_said, 1);
  EXPECT_THAT(found_now(), ElementsAre("Bob sleeps", "Carl reads"));
  EXPECT_EQ(bank.graph_counts()->relationships, 0);
  EXPECT_THAT(*bank.page({}), SizeIs(3)) << "it is kept for questions about the past";
}

TEST_F(Retain, WhatTwoDocumentsSayIsOneMemoryUntilNeitherSaysIt) {
  retain({document("a.md", "Ada sleeps"), document("b.md", "Ada sleeps")});
  EXPECT_THAT(found_now(), ElementsAre("Ada sleeps"));
  const MemoryId id = bank.page({})->front().id;
  EXPECT_EQ(*bank.times_said(id), 2);
  ASSERT_THAT(retract_document(bank, "a.md"), Succeeds());
  EXPECT_THAT(found_now(), ElementsAre("Ada sleeps"));
  ASSERT_THAT(retract_document(bank, "b.md"), Succeeds());
  EXPECT_THAT(found_now(), IsEmpty());
  retain_one("b.md", "Ada sleeps");
  EXPECT_THAT(found_now(), ElementsAre("Ada sleeps"));
}

TEST_F(Retain, DocumentsOfOneGroupSeeWhatTheOthersAdd) {
  const auto reports =
      retain({document("a.md", "Ada sleeps well"),
              document("b.md", "Ada sleeps well\nAda is sleeping well\nBob sleeps")});
  EXPECT_EQ(reports[0].added, 1);
  EXPECT_EQ(reports[1].said_before, 1);
  EXPECT_EQ(reports[1].near_duplicates, 1);
  EXPECT_EQ(reports[1].added, 1);
  EXPECT_EQ(reports[1].memories, 2);
  EXPECT_THAT(found_now(), ElementsAre("Ada sleeps well", "Bob sleeps"));
}

TEST_F(Retain, ADocumentThatAnotherProcessRetainsMeanwhileLeavesTheOthersAlone) {
  const LineExtractor others;
  extractor.meanwhile = [&] {
    for (const char* text : {"Ada sleeps", "Carl reads"}) {
      const auto done = retain_documents(bank, {document("b.md", text)},
                                         {.extractor = others, .embedder = &embedder});
      EXPECT_EQ(done.front().added, 1);
    }
  };
  const auto reports = retain({document("a.md", "Ada -> Redis"), document("b.md", "Bob sleeps"),
                               document("c.md", "Dora swims")});
  for (const RetainReport& report : reports) {
    EXPECT_EQ(report.state, State::retained) << report.source;
    EXPECT_EQ(report.added, 1) << report.source;
  }
  EXPECT_EQ(reports[1].no_longer_said, 1);
  EXPECT_THAT(found_now(), UnorderedElementsAre("Ada -> Redis", "Bob sleeps", "Dora swims"));
}

TEST_F(Retain, WhatIsErasedMeanwhileIsNewAgainAndGetsItsVector) {
  retain_one("a.md", "Ada sleeps");
  const MemoryId known = bank.page({})->front().id;
  extractor.calls = 0;
  embedder.meanwhile = [&] { EXPECT_THAT(bank.erase(known), HasValue(true)); };
  const auto reports = retain({document("b.md", "Ada sleeps"), document("c.md", "Bob sleeps")});
  for (const RetainReport& report : reports) {
    EXPECT_EQ(report.state, State::retained) << report.source;
    EXPECT_EQ(report.added, 1) << report.source;
    EXPECT_EQ(report.without_vector, 0) << report.source;
    EXPECT_FALSE(report.embedder_failed);
  }
  EXPECT_EQ(bank.stats()->vectors.at(VectorState::indexed), 2);
}

TEST_F(Retain, MoreThanIsWrittenTogetherIsAllRetained) {
  std::vector<Document> documents;
  for (int i = 0; i < 5; ++i) {
    std::string text;
    for (int line = 0; line < 400; ++line)
      text += "Person " + std::to_string(i * 1000 + line) + " sleeps\n";
    documents.push_back(document(std::to_string(i), text));
  }
  for (const RetainReport& report : retain(std::move(documents))) EXPECT_EQ(report.added, 400);
  EXPECT_EQ(bank.stats()->memories, 2000);
}

TEST_F(Retain, WhatCameByOtherWaysIsNoReasonForDoubles) {
  ASSERT_THAT(bank.set_embedder(embedder.info()), Succeeds());
  Memory memory = make_memory("by hand", "Ada sleeps well");
  const std::string_view texts[] = {memory.content};
  memory.embedding = embedder.embed(texts)->front();
  memory.vector_state = VectorState::indexed;
  ASSERT_THAT(bank.write({.memories = std::span(&memory, 1)}), Succeeds());
  EXPECT_EQ(retain_one("a.md", "Ada is sleeping well").near_duplicates, 1);
}

TEST_F(Retain, RetractingWhatIsUnknownOrGoneDoesNothing) {
  EXPECT_FALSE(retract_document(bank, "a.md")->has_value());
  retain_one("a.md", "Ada sleeps");
  EXPECT_EQ((*retract_document(bank, "a.md"))->no_longer_said, 1);
  EXPECT_FALSE(retract_document(bank, "a.md")->has_value());
}

TEST_F(Retain, NearDuplicatesAreCountedNotDoubled) {
  retain_one("a.md", "Ada sleeps well");
  const RetainReport report = retain_one("b.md", "Ada is sleeping well");
  EXPECT_EQ(report.near_duplicates, 1);
  EXPECT_EQ(report.added, 0);
  EXPECT_THAT(found_now(), ElementsAre("Ada sleeps well"));
  EXPECT_EQ(*bank.times_said(bank.page({})->front().id), 2);
}

TEST_F(Retain, NearDuplicatesWithinADocumentToo) {
  const RetainReport report = retain_one("a.md", "Ada sleeps\nAda is sleeping\nAda sleeps");
  EXPECT_EQ(report.added, 1);
  EXPECT_EQ(report.near_duplicates, 1);
  EXPECT_EQ(report.memories, 1);
}

TEST_F(Retain, OtherNumbersOrADenialAreNoDuplicates) {
  retain_one("a.md", "Ada has 3 cats");
  const RetainReport report = retain_one("b.md", "Ada has 4 cats\nAda has no cats");
  EXPECT_EQ(report.near_duplicates, 0);
  EXPECT_THAT(found_now(), SizeIs(3));
}

TEST_F(Retain, AClosedMemoryIsNoDuplicateOfANewOne) {
  retain_one("a.md", "Ada sleeps well");
  ASSERT_THAT(retract_document(bank, "a.md"), Succeeds());
  const RetainReport report = retain_one("b.md", "Ada is sleeping well");
  EXPECT_EQ(report.near_duplicates, 0);
  EXPECT_THAT(found_now(), ElementsAre("Ada is sleeping well"));
}

TEST_F(Retain, TextsOfAllDocumentsAreEmbeddedInOneGoAndEachOnce) {
  retain_one("a.md", "Ada sleeps");
  embedder.batches.clear();
  retain({document("b.md", "Bob sleeps\nAda sleeps"), document("c.md", "Bob sleeps\nCarl reads")});
  EXPECT_THAT(embedder.batches, ElementsAre(2));
}

TEST_F(Retain, WithoutVectorsMemoriesAreKeptAndItIsSaid) {
  embedder.away = true;
  const RetainReport report = retain_one("a.md", "Ada sleeps");
  EXPECT_EQ(report.state, State::retained);
  EXPECT_EQ(report.without_vector, 1);
  EXPECT_THAT(report.warnings, ElementsAre(HasSubstr("no vectors today")));
  EXPECT_EQ(bank.stats()->vectors.at(VectorState::none), 1);
}

TEST_F(Retain, AnotherEmbedderThanTheBanksGivesNoVectors) {
  ASSERT_THAT(bank.set_embedder({"other/model", 4}), Succeeds());
  const RetainReport report = retain_one("a.md", "Ada sleeps");
  EXPECT_EQ(report.without_vector, 1);
  EXPECT_THAT(report.warnings, SizeIs(1));
}

TEST_F(Retain, OneThatFailsLeavesTheOthersAlone) {
  const auto reports =
      retain({document("a.md", "Ada sleeps"), document("b.md", "!"), document("c.md", "Carl")});
  EXPECT_EQ(reports[0].state, State::retained);
  EXPECT_EQ(reports[1].state, State::failed);
  EXPECT_EQ(reports[1].error->message, "the model is away");
  EXPECT_EQ(reports[2].state, State::retained);
  EXPECT_FALSE(bank.document("b.md")->has_value()) << "it can be tried again";
}

TEST_F(Retain, AServiceThatIsAwayIsNotWaitedForByEveryDocument) {
  std::vector<Document> documents;
  for (int i = 0; i < 20; ++i) documents.push_back(document(std::to_string(i), "!"));
  const auto reports = retain_documents(bank, documents, {.extractor = extractor});
  EXPECT_EQ(extractor.calls, 3);
  EXPECT_EQ(reports[2].error->message, "the model is away");
  EXPECT_EQ(reports[3].error->message, "not tried: the model is away");
  EXPECT_EQ(reports[19].state, State::failed);
}

TEST_F(Retain, NorIsItByTheNextGroup) {
  Outages outages;
  const RetainSettings settings{.extractor = extractor, .outages = &outages};
  for (int i = 0; i < 5; ++i) {
    const auto reports = retain_documents(bank, {document(std::to_string(i), "!")}, settings);
    EXPECT_EQ(reports[0].state, State::failed);
  }
  EXPECT_EQ(extractor.calls, 3);
}

TEST_F(Retain, DocumentsThatFailBetweenOthersStopNothing) {
  std::vector<Document> documents;
  for (int i = 0; i < 12; ++i)
    documents.push_back(document(std::to_string(i), i % 3 == 0 ? "Ada " + std::to_string(i) : "!"));
  const auto reports = retain_documents(bank, documents, {.extractor = extractor});
  EXPECT_EQ(extractor.calls, 12);
  EXPECT_EQ(reports[9].state, State::retained);
}

TEST(Outage, ARefusalIsForGoodAndOtherErrorsAreTheDocumentsOwn) {
  Outage outage;
  for (int i = 0; i < 5; ++i) outage.saw(Error{Errc::invalid_argument, "no such text"});
  EXPECT_FALSE(outage.over());
  outage.saw(Error{Errc::refused, "the key"});
  ASSERT_TRUE(outage.over());
  EXPECT_EQ(outage.over()->message, "not tried: the key");
}

TEST_F(Retain, EachDocumentIsExtractedOnceAndToldOf) {
  std::vector<std::string> told;
  const RetainSettings settings{
      .extractor = extractor, .jobs = 2, .extracted = [&](const ExtractedDocument& extracted) {
        told.push_back(extracted.prepared.document.source);
      }};
  const auto reports = retain_documents(
      bank, {document("a", "Ada"), document("b", "!"), document("c", "Carl")}, settings);
  EXPECT_THAT(reports, SizeIs(3));
  EXPECT_EQ(extractor.calls, 3);
  EXPECT_THAT(told, ElementsAre("a", "c"));
}

TEST_F(Retain, WhatWasAddedByHandStaysWhenNoDocumentSaysIt) {
  Memory memory;
  memory.content = "Ada sleeps";
  memory.legacy_id = legacy_id_of(memory.content);
  memory.id = memory_id_of('"' + memory.legacy_id + '"');
  ASSERT_THAT(bank.write({.memories = {&memory, 1}}), Succeeds());
  retain_one("a.md", "Ada sleeps");
  ASSERT_THAT(retract_document(bank, "a.md"), Succeeds());
  EXPECT_THAT(found_now(), ElementsAre("Ada sleeps"));
}

TEST_F(Retain, AnEmptyDocumentIsKnownAndSaysNothing) {
  const RetainReport report = retain_one("a.md", "  \n");
  EXPECT_EQ(report.state, State::retained);
  EXPECT_EQ(report.memories, 0);
  EXPECT_EQ(retain_one("a.md", "").state, State::unchanged);
}

TEST_F(Retain, SecretsNeverReachTheBank) {
  const std::string token = "ghp_" + std::string(36, 'x');
  const RetainReport report = retain_one("a.md", "The token is " + token);
  EXPECT_EQ(report.secrets.at("github token"), 1);
  EXPECT_THAT(bank.page({})->front().content, testing::Not(HasSubstr(token)));
}

}  // namespace
}  // namespace bb5
