// The 23 kinds of damage that a store of the old system can have (docs/damage.md): each test says
// what happens to the record. All of them must also come out again: nothing of a loaded record is
// lost.
#include <map>

#include <fmt/format.h>

#include "json/number.hpp"
#include "operations/migrate/migration.hpp"
#include "operations/migrate/verification.hpp"
#include "operations/transfer/export.hpp"
#include "sources/blackbox5/blackbox5_source.hpp"
#include "stores/in_memory/in_memory_bank.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_folder.hpp"

namespace bb5 {
namespace {

using namespace std::string_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

/// A record as the old system writes it.
std::string record(const std::string& id, const std::string& content,
                   const std::string& embedding = "null", const std::string& metadata = "{}",
                   const std::string& created_at = "\"2026-02-04T03:50:10.740823\"",
                   const std::string& network = "\"world\"") {
  return fmt::format(
      "{{\n    \"id\": \"{}\",\n    \"content\": \"{}\",\n    \"network\": {},\n    \"embedding\": "
      "{},\n    \"metadata\": {},\n"
      "    \"created_at\": {}\n  }}",
      id, content, network, embedding, metadata, created_at);
}

std::string array(const std::vector<std::string>& records) {
  std::string text = "[";
  for (const auto& one : records) text += (text.size() > 1 ? "," : "") + ("\n  " + one);
  return text + "\n]";
}

/// 1536 numbers, binary32-exact, in the writer's layout.
std::string vector_text(int seed, std::size_t length = 1536) {
  std::string text = "[";
  for (std::size_t i = 0; i < length; ++i) {
    const int step = (static_cast<int>(i) * 7 + seed) % 100;
    text += fmt::format("{}\n      {}", i > 0 ? "," : "",
                        step == 50 ? "0.5" : json::number_text(0.0078125 * (1 + step)));
  }
  return text + "\n    ]";
}

class Damage : public testing::Test {
 protected:
  void given(const std::string& name, const std::string& bytes) {
    write_file(folder_ / name, bytes);
  }

  Result<MigrationReport> try_run(const std::string& source_model = {}) {
    auto source = open_blackbox5_source(folder_.path().string());
    if (!source) return std::move(source).error();
    return run_migration(**source, folder_.path().string(), *bank_, {.source_model = source_model});
  }

  /// Runs, and holds what every run promises: sums, proof, the same again finds all identical.
  MigrationReport run(const std::string& source_model = {}) {
    auto report = try_run(source_model);
    EXPECT_THAT(report, Succeeds());
    if (!report) return {};
    for (const auto& [part, counts] : report->parts) EXPECT_TRUE(counts.adds_up());
    auto source = open_blackbox5_source(folder_.path().string());
    const auto verified =
        verify_migration(**source, folder_.path().string(), *bank_, source_model, {});
    EXPECT_THAT(verified, Succeeds());
    EXPECT_TRUE(verified->verified());
    for (const Difference& difference : verified->differences) {
      ADD_FAILURE() << difference.id << " " << difference.field << ": " << difference.source
                    << " / " << difference.target;
    }
    EXPECT_THAT(bank_->set_run_state(report->run, RunState::verified, now()), Succeeds());
    const auto again = try_run(source_model);
    EXPECT_THAT(again, Succeeds());
    for (const auto& [part, counts] : again->parts) {
      EXPECT_EQ(counts.loaded, 0);
      EXPECT_EQ(counts.read, report->parts.at(part).read);
    }
    last_run_ = report->run;
    return std::move(*report);
  }

  std::vector<Memory> memories() { return *bank_->page({.limit = 100'000}); }
  Memory only() {
    EXPECT_THAT(memories(), SizeIs(1));
    return memories().at(0);
  }
  std::vector<MigrationLedger::FileIssue> issues() { return *bank_->issues(last_run_, 1000); }
  std::vector<std::string> codes() {
    std::vector<std::string> found;
    for (const auto& issue : issues()) found.push_back(issue.issue.code);
    return found;
  }
  /// `file record pointer` of the remarks of a code, in the order of the ledger.
  std::vector<std::string> places_of(const std::string& code) {
    std::vector<std::string> found;
    for (const auto& [file, issue] : issues()) {
      if (issue.code == code)
        found.push_back(fmt::format("{} {} {}", file, issue.ordinal, issue.pointer));
    }
    return found;
  }
  std::string exported() {
    std::string bytes;
    EXPECT_THAT(export_legacy(*bank_,
                              [&](std::string_view piece) {
                                bytes += piece;
                                return ok();
                              }),
                Succeeds());
    return bytes;
  }
  PartCounts counts(const MigrationReport& report) { return report.parts.at(LedgerPart::memories); }

  TemporaryFolder folder_;
  std::unique_ptr<Bank> bank_ = new_in_memory_bank();
  RunId last_run_;
};

TEST_F(Damage, NoneAndEverythingComesOutByteForByte) {
  const std::string file =
      array({record("a", "plain", vector_text(1), R"({
      "confidence": 0.8,
      "source": "cli_add"
    })"),
             record("b", "\\u00fc \\ud83d\\ude00 \\n \\\" \\\\ \\u007f", vector_text(2)),
             record("c", "", "null", "{}", "\"2026-02-04T03:50:10\"")});
  given("memories.json", file);
  const auto report = run();
  EXPECT_EQ(counts(report).loaded, 3);
  EXPECT_THAT(report.vectors, ElementsAre(Pair(1536, 2)));
  EXPECT_EQ(exported(), file);
  for (const Memory& memory : memories()) EXPECT_EQ(memory.raw, std::nullopt) << memory.legacy_id;
}

TEST_F(Damage, Kind01_ATruncatedFileLosesOnlyTheRecordInWhichItEnds) {
  const std::string whole =
      array({record("a", "first", vector_text(1)), record("b", "second", vector_text(2)),
             record("c", "third", vector_text(3))});
  const std::size_t second = whole.find("second");
  given("memories.json", whole.substr(0, second + 500));
  const auto report = run();
  EXPECT_EQ(counts(report).loaded, 1);
  EXPECT_EQ(counts(report).quarantined, 1);
  EXPECT_EQ(only().content, "first");
  EXPECT_THAT(codes(), ElementsAre("truncated", "truncated"));  // the file and its record
  EXPECT_EQ(issues()[1].issue.raw,
            whole.substr(issues()[1].issue.byte_from, second + 500 - issues()[1].issue.byte_from));
}

TEST_F(Damage, Kind01_AFileCutAnywhereGivesEveryCompleteRecord) {
  const std::string whole = array({record("a", "first \\u00fc", vector_text(1, 3)),
                                   record("b", "second", vector_text(2, 3)), record("c", "third")});
  const std::size_t ends[] = {whole.find("second") - 40, whole.find("third") - 40,
                              whole.size() - 3};
  for (std::size_t length = 1; length < whole.size(); ++length) {
    bank_ = new_in_memory_bank();
    given("memories.json", whole.substr(0, length));
    auto report = try_run();
    ASSERT_THAT(report, Succeeds()) << length;
    std::int64_t complete = 0;
    for (const std::size_t end : ends) complete += length > end + 2 ? 1 : 0;
    EXPECT_GE(counts(*report).loaded, complete - 1) << length;
    EXPECT_EQ(counts(*report).read, counts(*report).loaded + counts(*report).quarantined);
    EXPECT_GT(report->issues["truncated"], 0) << length;
  }
}

TEST_F(Damage, Kind02_AFileThatBreaksOffInItsMetadataLosesOnlyThatRecord) {
  given(
      "memories.json",
      "[\n  " + record("a", "first") +
          ",\n  {\n    \"id\": \"b\",\n    \"content\": \"second\",\n    \"network\": \"world\",\n"
          "    \"embedding\": null,\n    \"metadata\": {\n      \"tags\": ");
  const auto report = run();
  EXPECT_EQ(counts(report).loaded, 1);
  EXPECT_EQ(counts(report).quarantined, 1);
}

TEST_F(Damage, Kind03_WhatIsNoArrayIsRefusedWithTheReasonAndTheRemedy) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "is empty"},          {"   \n", "is empty"},
      {"{}", "holds an object"}, {"{\"memories\": []}", "holds an object"},
      {"null", "holds null"},    {"42", "holds a number"},
      {"\"\"", "holds a text"},  {"oops", "holds no JSON"}};
  for (const auto& [bytes, expected] : cases) {
    given("memories.json", bytes);
    const auto report = try_run();
    ASSERT_THAT(report, FailsWith(Errc::corrupt)) << bytes;
    EXPECT_THAT(report.error().message, HasSubstr(expected));
    EXPECT_THAT(report.error().remedy, HasSubstr("memories.json"));
    EXPECT_THAT(memories(), IsEmpty());
  }
}

TEST_F(Damage, Kind03_AByteOrderMarkIsReadOver) {
  given("memories.json", "\xEF\xBB\xBF" + array({record("a", "first")}));
  EXPECT_EQ(counts(run()).loaded, 1);
  EXPECT_THAT(codes(), Contains("byte_order_mark"));
}

TEST_F(Damage, Kind03_AnEmptyArrayIsAnEmptyStore) {
  given("memories.json", "[]");
  EXPECT_EQ(counts(run()).read, 0);
  EXPECT_EQ(exported(), "[]");
}

TEST_F(Damage, Kind04_ALostUpdateLeavesNothingToFindAndTheRestIsThere) {
  given("memories.json", array({record("a", "the one of two writers that won")}));
  EXPECT_EQ(counts(run()).loaded, 1);
}

TEST_F(Damage, Kind05_DuplicateIdsAreAllKeptAndListed) {
  const std::string file = array(
      {record("a", "first"), record("a", "second"), record("a", "first"), record("a", "third")});
  given("memories.json", file);
  const auto report = run();
  EXPECT_EQ(counts(report).loaded, 3);
  EXPECT_EQ(counts(report).identical, 1);
  EXPECT_THAT(memories(), SizeIs(3));
  for (const Memory& memory : memories()) EXPECT_EQ(memory.legacy_id, "a");
  EXPECT_EQ(memories()[1].id, memory_id_of("\"a\"", 2));
  EXPECT_EQ(report.issues.at("duplicate_id"), 2);
  EXPECT_EQ(report.issues.at("duplicate_record"), 1);
}

TEST_F(Damage, Kind06_ARecordWithoutContentIsQuarantinedAndTheRestGoesOn) {
  given("memories.json", array({R"({"id": "x", "network": "world"})",
                                R"({"id": "y", "content": null, "network": "world"})", "17", "null",
                                "[]", record("a", "first")}));
  const auto report = run();
  EXPECT_EQ(counts(report).quarantined, 5);
  EXPECT_EQ(only().content, "first");
  EXPECT_THAT(codes(), Contains("no_content").Times(2));
  EXPECT_THAT(codes(), Contains("not_an_object").Times(3));
  EXPECT_EQ(issues()[0].issue.raw, R"({"id": "x", "network": "world"})");
}

TEST_F(Damage, Kind06_ARecordWithoutIdOrNetworkIsKept) {
  const std::string file = array({R"({"content": "no id", "network": "world"})",
                                  R"({"id": "n", "content": "no network"})",
                                  R"({"id": null, "content": "null id", "network": "world"})"});
  given("memories.json", file);
  EXPECT_EQ(counts(run()).loaded, 3);
  EXPECT_EQ(memories()[0].legacy_id, legacy_id_of("no id"));
  EXPECT_EQ(memories()[1].network, "unknown");
  EXPECT_THAT(codes(), Contains("id_missing").Times(2));
  EXPECT_THAT(codes(), Contains("network_missing"));
  EXPECT_EQ(exported(), file);
}

TEST_F(Damage, Kind07_UnknownNetworksAreKeptAndKnownOnesRecognised) {
  const auto with = [](const char* id, const char* network) {
    return record(id, id, "null", "{}", "\"2026-02-04T03:50:10\"", network);
  };
  const std::string file = array({with("a", "\"World\""), with("b", "\"B\""),
                                  with("c", "\"facts\""), with("d", "null"), with("e", "7")});
  given("memories.json", file);
  EXPECT_EQ(counts(run()).loaded, 5);
  std::vector<std::string> networks;
  for (const Memory& memory : memories()) networks.push_back(memory.network);
  EXPECT_THAT(networks, ElementsAre("world", "experience", "facts", "unknown", "unknown"));
  EXPECT_THAT(codes(), Contains("network_unknown"));
  EXPECT_THAT(codes(), Contains("network_spelling").Times(2));
  EXPECT_EQ(exported(), file);
}

TEST_F(Damage, Kind08_AMemoryWithoutAVectorIsKeptAndNeedsEmbedding) {
  const std::string file = array(
      {record("a", "null"), record("b", "empty", "[]"),
       R"({"id": "c", "content": "missing", "network": "world", "metadata": {}, "created_at": "2026-02-04T03:50:10"})"});
  given("memories.json", file);
  EXPECT_EQ(counts(run()).loaded, 3);
  for (const Memory& memory : memories()) EXPECT_EQ(memory.vector_state, VectorState::none);
  EXPECT_THAT(codes(), Contains("needs_embedding").Times(3));
  EXPECT_EQ(exported(), file);
}

TEST_F(Damage, Kind09_AVectorOfAnotherShapeIsKeptRaw) {
  const std::string file =
      array({record("a", "short", "[\n      0.5,\n      0.25\n    ]"),
             record("b", "nested", "[[1, 2], [3]]"), record("c", "texts", R"(["1", "2"])"),
             record("d", "nulls", "[1.0, null]"), record("e", "text", "\"AAAA\""),
             record("f", "good", vector_text(4))});
  given("memories.json", file);
  const auto report = run();
  EXPECT_EQ(counts(report).loaded, 6);
  EXPECT_EQ(memories()[0].vector_state, VectorState::foreign);
  for (int i = 1; i < 5; ++i)
    EXPECT_EQ(memories()[static_cast<std::size_t>(i)].vector_state, VectorState::unusable) << i;
  EXPECT_EQ(memories()[5].vector_state, VectorState::indexed);
  EXPECT_THAT(report.vectors, ElementsAre(Pair(2, 1), Pair(1536, 1)));
  EXPECT_EQ(exported(), file);
}

TEST_F(Damage, Kind09_AVectorOfANamedModelIsIndexedAndOthersAreNot) {
  const std::string file =
      array({record("a", "three", "[\n      0.5,\n      0.25,\n      -0.125\n    ]"),
             record("b", "four", "[1.0, 2.0, 3.0, 4.0]")});
  given("memories.json", file);
  run("test/three");
  EXPECT_EQ(*bank_->embedder(), (EmbedderInfo{"test/three", 3}));
  EXPECT_EQ(memories()[0].vector_state, VectorState::indexed);
  EXPECT_EQ(memories()[1].vector_state, VectorState::foreign);
  EXPECT_EQ(exported(), file);
}

TEST_F(Damage, Kind09_TheHashedStandInIsNoiseKeptRaw) {
  std::string fallback = "[";
  for (int i = 0; i < 384; ++i)
    fallback +=
        (i > 0 ? ",\n      " : "\n      ") + std::string(i == 7 || i == 90 ? "0.3333333333333333"
                                                         : i == 200        ? "0.8819171036881969"
                                                                           : "0.0");
  fallback += "\n    ]";
  // 1/3, 1/3 and √7/3 are no counts of words; 1/3 three times twice is
  std::string real = "[";
  for (int i = 0; i < 384; ++i)
    real += (i > 0 ? ",\n      " : "\n      ") + std::string(i < 9 ? "0.3333333333333333" : "0.0");
  real += "\n    ]";
  const std::string file =
      array({record("a", "nine words", real), record("b", "not counts", fallback)});
  given("memories.json", file);
  const auto report = run();
  EXPECT_EQ(memories()[0].vector_state, VectorState::fallback);
  EXPECT_EQ(memories()[1].vector_state, VectorState::foreign);
  EXPECT_THAT(report.vectors, ElementsAre(Pair(384, 2)));
  EXPECT_THAT(codes(), Contains("vector_fallback"));
  EXPECT_EQ(exported(), file);
}

TEST_F(Damage, Kind10_NanAndInfinityInMetadataAreKept) {
  const std::string file =
      array({record("a", "nan", "null",
                    "{\n      \"confidence\": NaN,\n      \"source\": \"cli_add\"\n    }"),
             record("b", "inf", "null", "{\n      \"confidence\": -Infinity\n    }")});
  given("memories.json", file);
  EXPECT_EQ(counts(run()).loaded, 2);
  EXPECT_EQ(memories()[0].confidence, std::nullopt);
  EXPECT_EQ(memories()[0].source, "cli_add");
  EXPECT_EQ(memories()[0].raw, std::nullopt);
  EXPECT_EQ(exported(), file);
}

TEST_F(Damage, Kind11_AVectorWithNanIsKeptRawAndStaysOutOfTheIndex) {
  for (const char* bad : {"NaN", "Infinity", "1e39", "1e400", "-1e39"}) {
    bank_ = new_in_memory_bank();
    std::string vector = vector_text(5);
    vector.replace(vector.find(" 0.5,") + 1, 3, bad);
    const std::string file =
        array({record("a", "bad", vector), record("b", "good", vector_text(4))});
    given("memories.json", file);
    EXPECT_EQ(counts(run()).loaded, 2);
    EXPECT_EQ(memories()[0].vector_state, VectorState::unusable) << bad;
    EXPECT_THAT(codes(), ElementsAre("vector_not_finite"));
    EXPECT_THAT(issues()[0].issue.pointer, HasSubstr("/embedding/"));
    EXPECT_EQ(exported(), file);
  }
}

TEST_F(Damage, Kind11_ZerosHaveNoDirection) {
  std::string zeros = "[";
  for (int i = 0; i < 1536; ++i) zeros += i > 0 ? ", 0.0" : "0.0";
  given("memories.json", array({record("a", "zeros", zeros + "]")}));
  run();
  EXPECT_EQ(only().vector_state, VectorState::unusable);
  EXPECT_THAT(codes(), ElementsAre("vector_zero"));
}

TEST_F(Damage, Kind11_NumbersThatBinary32CannotHoldAreSearchedRoundedAndKept) {
  std::string vector = vector_text(5);
  vector.replace(vector.find(" 0.5,") + 1, 3, "0.1");
  const std::string file = array({record("a", "rounded", vector)});
  given("memories.json", file);
  run();
  EXPECT_EQ(only().vector_state, VectorState::indexed);
  EXPECT_THAT(codes(), ElementsAre("vector_rounded"));
  EXPECT_EQ(exported(), file);
}

TEST_F(Damage, Kind12_AConfidenceThatIsNoneLeavesTheColumnEmpty) {
  for (const char* confidence : {"null", "\"high\"", "-5.0", "1000000000.0", "[]"}) {
    bank_ = new_in_memory_bank();
    const std::string file = array({record(
        "a", "x", "null", fmt::format("{{\n      \"confidence\": {}\n    }}", confidence))});
    given("memories.json", file);
    run();
    EXPECT_EQ(only().confidence, std::nullopt) << confidence;
    EXPECT_THAT(codes(), Contains("confidence_unusable")) << confidence;
    EXPECT_EQ(exported(), file);
  }
}

TEST_F(Damage, Kind13_MetadataThatIsNoObjectIsKept) {
  const std::string file =
      array({record("a", "null", "null", "null"), record("b", "list", "null", "[\n      1\n    ]"),
             record("c", "text", "null", "\"x\"")});
  given("memories.json", file);
  EXPECT_EQ(counts(run()).loaded, 3);
  EXPECT_EQ(memories()[0].metadata, "null");
  EXPECT_THAT(codes(), Contains("metadata_not_an_object").Times(3));
  EXPECT_EQ(exported(), file);
}

TEST_F(Damage, Kind14_ATimeOfAnotherSpellingIsReadWhereItCanBeAndKeptRaw) {
  const auto with = [](const char* id, const char* time) {
    return record(id, id, "null", "{}", time);
  };
  const std::string file = array(
      {with("a", "\"2026-02-04T03:50:10Z\""), with("b", "\"2026-02-04T05:50:10+02:00\""),
       with("c", "\"2026-02-04\""), with("d", "null"), with("e", "1770177010"),
       with("f", "1770177010000"), with("g", "\"yesterday\""), with("h", "[]"),
       R"({"id": "i", "content": "i", "network": "world", "embedding": null, "metadata": {}})"});
  given("memories.json", file);
  EXPECT_EQ(counts(run()).loaded, 9);
  const auto moment = parse_time("2026-02-04T03:50:10");
  EXPECT_EQ(memories()[0].created_at, moment);
  EXPECT_EQ(memories()[1].created_at, moment);
  EXPECT_EQ(memories()[2].created_at, parse_time("2026-02-04"));
  EXPECT_EQ(memories()[3].created_at, std::nullopt);
  EXPECT_EQ(memories()[4].created_at, moment);
  EXPECT_EQ(memories()[5].created_at, moment);
  for (std::size_t i = 6; i < 9; ++i) EXPECT_EQ(memories()[i].created_at, std::nullopt);
  EXPECT_THAT(codes(), Contains("created_at_missing").Times(2));
  EXPECT_THAT(codes(), Contains("created_at_unusable").Times(2));
  EXPECT_EQ(exported(), file);
}

TEST_F(Damage, Kind15_BytesThatAreNotUtf8QuarantineTheirRecordOnly) {
  const std::string broken = record("b", "caf\xE9 and more");
  given("memories.json", array({record("a", "first"), broken, record("c", "third")}));
  const auto report = run();
  EXPECT_EQ(counts(report).loaded, 2);
  EXPECT_EQ(counts(report).quarantined, 1);
  ASSERT_THAT(codes(), Contains("bad_utf8"));
  for (const auto& issue : issues()) {
    if (issue.issue.code == "bad_utf8") {
      EXPECT_EQ(issue.issue.raw, broken);
      EXPECT_THAT(issue.issue.message, HasSubstr("at byte "));
    }
  }
}

TEST_F(Damage, Kind15_OtherBrokenRecordsAreQuarantinedAndTheNextOneIsFound) {
  for (
      const std::string& broken :
      {"{\n    \"id\": \"b\",\n    \"content\": \"no end of text,\n    \"network\": \"world\"\n  }"s,
       "{\n    \"id\": \"b\", \"content\": oops\n  }"s,
       "{\n    \"id\": \"b\",\n    \"content\": \"x\"\n    \"network\": \"world\"\n  }"s,
       "{\n    \"id\": \"b\",\n    \"content\": \"no brace\"\n  "s}) {
    bank_ = new_in_memory_bank();
    given("memories.json", array({record("a", "first"), broken, record("c", "third")}));
    const auto report = run();
    EXPECT_EQ(counts(report).loaded, 2) << broken;
    EXPECT_EQ(counts(report).quarantined, 1) << broken;
    EXPECT_EQ(memories().back().content, "third") << broken;
  }
}

TEST_F(Damage, Kind16_MegabytesOfContentAreKeptWhole) {
  std::string content(3'000'000, 'x');
  for (std::size_t i = 0; i < content.size(); i += 6) content[i] = ' ';
  const std::string file = array({record("a", content, vector_text(1))});
  given("memories.json", file);
  run();
  EXPECT_EQ(only().content, content);
  EXPECT_EQ(exported(), file);
}

TEST_F(Damage, Kind17_EmptyContentIsKept) {
  const std::string file = array({record("d41d8cd98f00", "")});
  given("memories.json", file);
  run();
  EXPECT_EQ(only().legacy_id, "d41d8cd98f00");
  EXPECT_EQ(exported(), file);
}

std::string entity(const char* id, const char* name, const char* type, int mentions) {
  return record(id, id, "null",
                fmt::format("{{\n      \"entity_name\": {},\n      \"entity_type\": \"{}\",\n      "
                            "\"mention_count\": {},\n      \"first_seen\": "
                            "\"2026-02-04T03:50:10\",\n      \"is_entity\": true\n    }}",
                            name, type, mentions));
}
std::string relationship(const char* id, const char* subject, const char* predicate,
                         const char* object) {
  return record(
      id, id, "null",
      fmt::format("{{\n      \"subject\": \"{}\",\n      \"predicate\": \"{}\",\n      \"object\": "
                  "\"{}\",\n      \"confidence\": 0.9,\n      \"is_relationship\": true\n    }}",
                  subject, predicate, object));
}

TEST_F(Damage, Kind18_VariantsOfAnEntityAreOneNodeAndEveryRecordIsKept) {
  const std::string file =
      array({entity("a", "\"Redis\"", "technology", 3), entity("b", "\"redis\"", "Technology", 1),
             entity("c", "\"Redis\"", "technology", 2), entity("d", "null", "technology", 1),
             entity("e", "\"\"", "technology", 1), entity("f", "\"Redis\"", "company", 1)});
  given("memories.json", file);
  EXPECT_EQ(counts(run()).loaded, 6);
  const auto entities = *bank_->entities("", 10);
  ASSERT_THAT(entities, SizeIs(2));
  EXPECT_EQ(entities[1].key, "technology:redis");
  EXPECT_EQ(entities[1].mention_count, 6);
  EXPECT_THAT(entities[1].aliases, ElementsAre("redis"));
  EXPECT_THAT(*bank_->entity_facts(0, 10), SizeIs(6));
  EXPECT_THAT(places_of("entity_without_name"),
              ElementsAre("memories.json 3 /metadata/entity_name",
                          "memories.json 4 /metadata/entity_name"));
  EXPECT_EQ(exported(), file);
}

TEST_F(Damage, Kind19_ARelationshipToNothingGetsAPlaceholderAndASelfLoopStays) {
  const std::string file =
      array({relationship("a", "RALF", "uses", "Redis"), relationship("b", "", "uses", "Redis"),
             relationship("c", "Redis", "part_of", "redis")});
  given("memories.json", file);
  EXPECT_EQ(counts(run()).loaded, 3);
  const auto edges = *bank_->relationships("", 10);
  ASSERT_THAT(edges, SizeIs(2));
  EXPECT_EQ(edges[0].subject_key, "unknown:ralf");
  EXPECT_EQ(edges[1].subject_key, edges[1].object_key);
  EXPECT_TRUE((*bank_->entity_named("ralf"))->placeholder);
  EXPECT_THAT(*bank_->relationship_facts(0, 10), SizeIs(3));
  EXPECT_THAT(places_of("relationship_without_endpoint"),
              ElementsAre("memories.json 1 /metadata/subject"));
  EXPECT_THAT(places_of("endpoint_placeholder"),
              ElementsAre("memories.json 0 /metadata/object", "memories.json 0 /metadata/subject"));
  EXPECT_EQ(exported(), file);
}

TEST_F(Damage, Kind19_ANameOfSeveralEntitiesMeansTheMostMentionedAndIsListed) {
  given("memories.json",
        array({entity("a", "\"Mercury\"", "planet", 1), entity("b", "\"Mercury\"", "metal", 3)}));
  given("relationships.json",
        R"([{"subject": "Mercury", "predicate": "melts_in", "object": "Lab"}])");
  run();
  EXPECT_EQ((*bank_->relationships("", 10)).at(0).subject_key, "metal:mercury");
  EXPECT_THAT(places_of("endpoint_ambiguous"), ElementsAre("relationships.json 0 /subject"));
  EXPECT_THAT(places_of("endpoint_placeholder"), ElementsAre("relationships.json 0 /object"));
  for (const auto& [file, issue] : issues()) {
    if (issue.code != "endpoint_ambiguous") continue;
    EXPECT_THAT(issue.message, HasSubstr("taken as metal:mercury"));
  }
}

TEST_F(Damage, Kind20_IdsOfMemoriesThatAreGoneStayInTheMetadata) {
  const std::string file =
      array({record("a", "Pattern detected: x", "null",
                    "{\n      \"synthesized_from\": [\n        \"gone\"\n      ]\n    }")});
  given("memories.json", file);
  run();
  EXPECT_EQ(only().metadata, R"({"synthesized_from":["gone"]})");
  EXPECT_EQ(exported(), file);
}

TEST_F(Damage, Kind21_OfACacheWhatParsesIsTaken) {
  given("memories.json", "[]");
  const std::string key(32, 'a');
  given(".embedding_cache.json",
        "{\"" + key + "\": [0.5, 0.25], \"" + std::string(32, 'b') + "\": null, \"x\": [1.0], \"" +
            std::string(32, 'c') + "\": [1.0, 2.0], \"" + std::string(32, 'd') + "\": [1.0, oops");
  const auto report = run();
  const PartCounts& cache = report.parts.at(LedgerPart::embedding_cache);
  EXPECT_EQ(cache.loaded, 2);
  EXPECT_EQ(cache.quarantined, 2);
  EXPECT_THAT(codes(), Contains("cache_damaged"));
  EXPECT_THAT(**bank_->cached_embedding("unknown/2", key), ElementsAre(0.5f, 0.25f));
  for (const char* bad : {"", "[]", "nothing", "{"}) {
    given(".embedding_cache.json", bad);
    bank_ = new_in_memory_bank();
    EXPECT_THAT(try_run(), Succeeds()) << bad;
  }
}

TEST_F(Damage, Kind22_RetainOutputsHoldMemoriesThatNeverReachedTheStore) {
  const std::string flat = R"([
  {
    "id": null,
    "network": "observation",
    "content": "kept in the output only",
    "confidence": 0.5,
    "category": null,
    "subcategory": null,
    "source": "/runs/1/THOUGHTS.md",
    "source_type": "thoughts",
    "task_id": null,
    "run_id": null,
    "created_at": "2026-02-05T23:20:16.458072",
    "updated_at": "2026-02-05T23:20:16.458072",
    "entities": ["Redis"],
    "keywords": [],
    "related_memories": [],
    "belief_version": 1,
    "metadata": {}
  }
])";
  given("all_memories.json", flat);
  given("observation_memories.json", flat);
  given(
      "entities.json",
      R"([{"id": null, "name": "Redis", "type": "technology", "aliases": [], "first_seen": "2026-02-05T23:20:16", "last_seen": "2026-02-05T23:20:16", "mention_count": 2, "properties": {}}])");
  given(
      "relationships.json",
      R"([{"id": null, "subject": "RALF", "predicate": "uses", "object": "Redis", "confidence": 0.7, "source": "", "memory_id": null, "observation_count": 1}])");
  const auto report = run();
  EXPECT_EQ(counts(report).read, 2);
  EXPECT_EQ(counts(report).loaded, 1);
  EXPECT_EQ(counts(report).identical, 1);
  EXPECT_EQ(report.parts.at(LedgerPart::entities).loaded, 1);
  EXPECT_EQ(report.parts.at(LedgerPart::relationships).loaded, 1);
  const Memory memory = only();
  EXPECT_EQ(memory.legacy_id, legacy_id_of("kept in the output only"));
  EXPECT_EQ(memory.confidence, 0.5);
  EXPECT_EQ(memory.source, "/runs/1/THOUGHTS.md");
  EXPECT_EQ(memory.created_at, parse_time("2026-02-05T23:20:16.458072"));
  EXPECT_THAT(*bank_->mentions({}, 10), SizeIs(1));
  EXPECT_EQ(bank_->relationships("", 10)->at(0).confidence, 0.7);
}

TEST_F(Damage, Kind22_AnOutputsMemoryThatTheStoreHoldsIsIdentical) {
  given(
      "memories.json",
      array({record(legacy_id_of("both"), "both", "null", "{\n      \"confidence\": 0.9\n    }")}));
  given(
      "all_memories.json",
      R"([{"id": null, "network": "world", "content": "both", "confidence": 0.5, "source": "x.md", "created_at": "2026-02-05T00:00:00"}])");
  const auto report = run();
  EXPECT_EQ(counts(report).loaded, 1);
  EXPECT_EQ(counts(report).identical, 1);
  EXPECT_EQ(only().confidence, 0.9);
}

TEST_F(Damage, Kind22_AnOutputOfAnotherFolderMeetsTheStoresMemoryToo) {
  const std::vector<Memory> held = {[] {
    Memory memory;
    memory.legacy_id = legacy_id_of("both");
    memory.id = memory_id_of('"' + memory.legacy_id + '"');
    memory.content = "both";
    memory.network = "world";
    return memory;
  }()};
  ASSERT_THAT(bank_->write({.memories = held}), Succeeds());
  given(
      "all_memories.json",
      R"([{"id": null, "network": "world", "content": "both", "confidence": 0.5, "source": "x.md", "created_at": "2026-02-05T00:00:00"}])");
  const auto report = run();
  EXPECT_EQ(counts(report).identical, 1);
  EXPECT_THAT(codes(), Contains("already_held"));
}

TEST_F(Damage, Kind23_TheSameTextUnderTwoPathsStaysTwoMemories) {
  const std::string file = array({record("a", "Content from notes.md: text..."),
                                  record("b", "Content from /home/me/notes.md: text...")});
  given("memories.json", file);
  EXPECT_EQ(counts(run()).loaded, 2);
  EXPECT_EQ(exported(), file);
}

TEST_F(Damage, NulCharactersAndLoneSurrogatesAreShownEscapedAndKeptRaw) {
  const std::string file = array({record("a", "a\\u0000b \\ud800"), record("\\udfff", "lone id")});
  given("memories.json", file);
  EXPECT_EQ(counts(run()).loaded, 2);
  EXPECT_EQ(memories()[0].content, "a\u2400b \uFFFD");
  EXPECT_THAT(codes(), Contains("text_escaped").Times(2));
  EXPECT_EQ(exported(), file);
}

TEST_F(Damage, IdsOfOtherTypesAndUnknownKeysAreKept) {
  const std::string file =
      array({R"({"id": 5, "content": "int", "network": "world"})",
             R"({"id": "5", "content": "text", "network": "world", "tags": [1]})",
             R"({"id": [1], "content": "list", "network": "world", "content": "twice"})"});
  given("memories.json", file);
  EXPECT_EQ(counts(run()).loaded, 3);
  EXPECT_EQ(memories()[0].legacy_id, "5");
  EXPECT_EQ(memories()[1].legacy_id, "5");
  EXPECT_NE(memories()[0].id, memories()[1].id);
  EXPECT_EQ(memories()[2].content, "twice");
  EXPECT_THAT(codes(), Contains("unknown_key"));
  EXPECT_EQ(exported(), file);
}

TEST_F(Damage, CommasInTheWrongPlacesAreReadOver) {
  given("memories.json", "[" + record("a", "first") + " " + record("b", "second") + ",]  x");
  EXPECT_EQ(counts(run()).loaded, 2);
  EXPECT_THAT(codes(), Contains("missing_comma"));
  EXPECT_THAT(codes(), Contains("trailing_comma"));
  EXPECT_THAT(codes(), Contains("trailing_bytes"));
}

}  // namespace
}  // namespace bb5
