#include "model/memory.hpp"

#include <cmath>
#include <set>

#include "base/digest.hpp"
#include "tests/support/result_matchers.hpp"

namespace bb5 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Memory tea() {
  Memory memory;
  memory.id = memory_id_of("\"tea\"");
  memory.legacy_id = "tea";
  memory.content = "Tea is served at four";
  memory.vector_state = VectorState::indexed;
  memory.embedding = {0.5f, -0.25f};
  return memory;
}

TEST(LegacyId, IsTheFirstTwelveDigitsOfTheMd5) {
  EXPECT_EQ(legacy_id_of(""), "d41d8cd98f00");
}

TEST(MemoryId, IsTheSameForEverAndDiffersByOccurrenceAndByJsonType) {
  EXPECT_EQ(memory_id_of("\"86aaf4730156\"").to_string(),
            memory_id_of("\"86aaf4730156\"", 1).to_string());
  EXPECT_NE(memory_id_of("\"5\""), memory_id_of("5"));
  EXPECT_NE(memory_id_of("\"5\""), memory_id_of("\"5\"", 2));
  EXPECT_EQ(memory_id_of("\"86aaf4730156\"").to_string(),
            "5bfcfd3e-cc60-5ad8-9e5b-12880d4c0023");  // pinned
}

TEST(ParseNetwork, KnowsTheLettersAndCasesOfTheOldSystem) {
  EXPECT_EQ(parse_network("B"), "experience");
  EXPECT_EQ(parse_network("Opinion"), "opinion");
  EXPECT_EQ(parse_network("facts"), std::nullopt);
}

TEST(IsValidAt, TakesTheFirstMomentAndNotTheLastAndLeavesAnUnsetEndOpen) {
  const auto second = [](int count) { return Timestamp(std::chrono::seconds(count)); };
  const auto moments_of = [&](std::optional<Timestamp> from, std::optional<Timestamp> until) {
    Memory memory = tea();
    memory.valid_from = from;
    memory.valid_until = until;
    std::vector<int> moments;
    for (int moment = 0; moment < 5; ++moment) {
      if (is_valid_at(memory, second(moment))) moments.push_back(moment);
    }
    return moments;
  };
  EXPECT_THAT(moments_of({}, {}), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(moments_of(second(1), {}), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(moments_of({}, second(3)), ElementsAre(0, 1, 2));
  EXPECT_THAT(moments_of(second(1), second(3)), ElementsAre(1, 2));
  EXPECT_THAT(moments_of(second(2), second(2)), IsEmpty());
}

TEST(DeriveColumns, ReadsWhatRetainWrote) {
  Memory memory = tea();
  memory.metadata =
      R"({"confidence":0.7,"source":"a.md","source_type":"task","category":null,"entities":["Redis","Redis"]})";
  EXPECT_THAT(derive_columns(memory), IsEmpty());
  EXPECT_EQ(memory.confidence, 0.7);
  EXPECT_EQ(memory.source, "a.md");
  EXPECT_EQ(memory.source_type, "task");
  EXPECT_EQ(memory.category, std::nullopt);
  EXPECT_THAT(memory.entities, ElementsAre("Redis", "Redis"));
}

TEST(DeriveColumns, NamesWhatDoesNotFitAndLeavesTheColumnEmpty) {
  Memory memory = tea();
  for (const char* confidence : {"null", "\"high\"", "NaN", "Infinity", "-5", "1.5", "[0.5]"}) {
    memory.metadata =
        std::string("{\"confidence\":") + confidence + ",\"source\":3,\"entities\":[\"a\",null]}";
    EXPECT_THAT(derive_columns(memory), ElementsAre("confidence", "source", "entities"))
        << confidence;
    EXPECT_EQ(memory.confidence, std::nullopt);
    EXPECT_THAT(memory.entities, ElementsAre("a"));
  }
}

TEST(DeriveColumns, TakesMetadataThatIsNoObject) {
  Memory memory = tea();
  for (const char* metadata : {"null", "[1]", "\"text\"", "3"}) {
    memory.metadata = metadata;
    memory.confidence = 0.5;
    EXPECT_THAT(derive_columns(memory), IsEmpty());
    EXPECT_EQ(memory.confidence, std::nullopt);
  }
}

TEST(SetMetadata, ChangesOneKeyInPlace) {
  Memory memory = tea();
  memory.metadata = R"({"confidence":0.7,"x":NaN})";
  set_metadata(memory, "confidence", "0.25");
  EXPECT_EQ(memory.metadata, R"({"confidence":0.25,"x":NaN})");
  EXPECT_EQ(memory.confidence, 0.25);
}

TEST(Validate, NamesTheFieldThatIsWrong) {
  EXPECT_THAT(validate(tea()), Succeeds());
  const auto message = [](auto change) {
    Memory memory = tea();
    change(memory);
    const auto result = validate(memory);
    return result ? std::string("good") : result.error().message;
  };
  EXPECT_EQ(message([](Memory& m) { m.content = std::string("a\0b", 3); }),
            "content must be UTF-8 text without NUL characters");
  EXPECT_EQ(message([](Memory& m) { m.confidence = 2; }), "confidence 2 is not between 0 and 1");
  EXPECT_EQ(message([](Memory& m) { m.embedding[1] = NAN; }),
            "embedding[1] is not a finite number");
  EXPECT_EQ(message([](Memory& m) { m.embedding = {0, 0}; }), "embedding holds only zeros");
  EXPECT_EQ(message([](Memory& m) { m.embedding.clear(); }),
            "embedding must be given exactly when vector_state is indexed");
}

TEST(RecordHash, ChangesWithEveryField) {
  const auto with = [](auto change) {
    Memory memory = tea();
    change(memory);
    return memory;
  };
  const std::vector<Memory> others = {
      with([](Memory& m) { m.legacy_id += 'x'; }),
      with([](Memory& m) { m.kind = MemoryKind::entity; }),
      with([](Memory& m) { m.content += '.'; }),
      with([](Memory& m) { m.network = "world"; }),
      with([](Memory& m) { m.confidence = 0.0; }),
      with([](Memory& m) { m.source = ""; }),
      with([](Memory& m) { m.source_type = ""; }),
      with([](Memory& m) { m.category = ""; }),
      with([](Memory& m) { m.entities = {""}; }),
      with([](Memory& m) { m.created_at = Timestamp{}; }),
      with([](Memory& m) { m.valid_from = Timestamp{}; }),
      with([](Memory& m) { m.valid_until = Timestamp{}; }),
      with([](Memory& m) { m.superseded_by = MemoryId{}; }),
      with([](Memory& m) { m.author = "a"; }),
      with([](Memory& m) { m.thread = "a"; }),
      with([](Memory& m) { m.position = 0; }),
      with([](Memory& m) { m.metadata = "{\"a\":1}"; }),
      with([](Memory& m) { m.embedding[1] = std::nextafter(m.embedding[1], 1.0f); }),
      with([](Memory& m) { m.raw = RawRecord{.text = ""}; }),
      with([](Memory& m) { m.raw = RawRecord{.text = "", .embedding_at = 0}; }),
  };
  std::set<std::string> hashes{record_hash(tea())};
  for (const Memory& other : others) {
    EXPECT_TRUE(hashes.insert(record_hash(other)).second);
    EXPECT_EQ(differences(tea(), other).size(), 1u);
  }
  EXPECT_EQ(record_hash(tea()), record_hash(with([](Memory& m) {
              m.seq = 9;
              m.updated_at = now();
            })));
  EXPECT_THAT(differences(tea(), with([](Memory& m) {
                            m.seq = 9;
                            m.updated_at = now();
                          })),
              IsEmpty());
}

TEST(VectorHash, IsTheDigestOfPgvectorsWireForm) {
  EXPECT_EQ(vector_hash(tea()), [] {
    const auto digest = sha256(std::string_view("\0\2\0\0\x3f\0\0\0\xbe\x80\0\0", 12));
    return std::string(digest.begin(), digest.end());
  }());
}

TEST(Differences, NamesTheNumberOfTheVectorThatDiffersWithItsBits) {
  Memory other = tea();
  other.embedding[1] = std::nextafter(other.embedding[1], 1.0f);
  const auto found = differences(tea(), other);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].field, "embedding[1]");
  EXPECT_THAT(found[0].left, testing::HasSubstr("0xbe800000"));
  EXPECT_THAT(found[0].right, testing::HasSubstr("0xbe7fffff"));
}

TEST(HasDirection, IsWhatCosinesCanBeTakenOf) {
  EXPECT_TRUE(has_direction(std::vector<float>{0, -0.5f}));
  EXPECT_FALSE(has_direction(std::vector<float>{0, -0.0f}));
  EXPECT_FALSE(has_direction(std::vector<float>{1, NAN}));
  EXPECT_FALSE(has_direction(std::vector<float>{1, INFINITY}));
  EXPECT_FALSE(has_direction(std::vector<float>{}));
}

}  // namespace
}  // namespace bb5
