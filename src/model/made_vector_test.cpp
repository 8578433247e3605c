#include "model/made_vector.hpp"

#include "model/legacy_record.hpp"
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
  return memory;
}

Memory noise() {
  Memory memory = tea();
  memory.vector_state = VectorState::fallback;
  memory.raw = RawRecord{.text = R"({"id": "tea", "embedding": [0.25]})", .embedding_at = {}};
  return memory;
}

std::string exported(const Memory& memory) {
  std::string text;
  write_legacy_record(memory, text);
  return text;
}

Memory embedded(Memory memory) {
  give_vector(memory, {1, 2});
  return memory;
}

TEST(MadeVector, LeavesTheExportedRecordAsItsSourceGaveIt) {
  for (const Memory& memory : {tea(), noise()})
    EXPECT_EQ(exported(embedded(memory)), exported(memory));
}

TEST(MadeVector, IsNoDifferenceFromARecordWithoutOne) {
  for (const Memory& memory : {tea(), noise()}) {
    const Memory held = embedded(memory);
    EXPECT_THAT(held.embedding, ElementsAre(1, 2));
    EXPECT_THAT(differences(as_given(held, memory), memory), IsEmpty());
    EXPECT_EQ(record_hash(as_given(held, memory)), record_hash(memory));
  }
}

TEST(MadeVector, HidesNoOtherDifference) {
  Memory other = noise();
  other.network = "world";
  EXPECT_NE(record_hash(as_given(embedded(noise()), other)), record_hash(other));
  Memory from_source = tea();
  from_source.vector_state = VectorState::indexed;
  from_source.embedding = {1, 2};
  EXPECT_NE(record_hash(as_given(from_source, tea())), record_hash(tea()));
  EXPECT_NE(record_hash(as_given(embedded(tea()), from_source)), record_hash(from_source));
}

TEST(MadeVector, IsGivenOnlyToAMemoryThatNeedsItAndHasTheContentItWasMadeOf) {
  const MadeVector vector{tea().id, content_sha256_of(tea().content), {1, 2}};
  const auto given = with_vector(tea(), vector);
  ASSERT_THAT(given, Succeeds());
  ASSERT_TRUE(given->has_value());
  EXPECT_EQ(**given, embedded(tea()));
  EXPECT_THAT(with_vector(embedded(tea()), vector), HasValue(std::optional<Memory>{}));
  Memory changed = tea();
  changed.content = "Tea is served at five";
  EXPECT_THAT(with_vector(changed, vector), HasValue(std::optional<Memory>{}));
  EXPECT_THAT(with_vector(tea(), {tea().id, vector.content_sha256, {0, 0}}),
              FailsWith(Errc::invalid_argument));
}

}  // namespace
}  // namespace bb5
