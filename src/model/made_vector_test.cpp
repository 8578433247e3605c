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

Memory with_own_vector(std::optional<RawRecord> raw = {}) {
  Memory memory = tea();
  memory.vector_state = VectorState::indexed;
  memory.embedding = {0.1f, -2};
  memory.raw = std::move(raw);
  return memory;
}

/// As the source's reader gives it to a bank of another model.
Memory as_foreign(Memory memory) {
  memory.raw = RawRecord{.text = exported(memory)};
  memory.embedding.clear();
  memory.vector_state = VectorState::foreign;
  return memory;
}

const RawRecord odd{.text = R"({"content": "odd", "embedding": })", .embedding_at = 32};

TEST(ChangedModel, KeepsWhatTheMemoryCameWithAndItsRecord) {
  for (const Memory& memory : {with_own_vector(), with_own_vector(odd)}) {
    const Memory changed = *with_model_changed(memory, "a", "b", {1, 2, 3});
    EXPECT_THAT(changed.embedding, ElementsAre(1, 2, 3));
    ASSERT_TRUE(changed.given);
    EXPECT_EQ(changed.given->model, "a");
    EXPECT_EQ(changed.given->numbers, memory.embedding);
    EXPECT_EQ(exported(changed), exported(memory));
    const Memory source = as_foreign(memory);
    EXPECT_THAT(differences(as_given(changed, source), source), IsEmpty());
    EXPECT_EQ(record_hash(as_given(changed, source)), record_hash(source));
    const Memory further = *with_model_changed(changed, "b", "c", {4, 5});
    EXPECT_EQ(further.given, changed.given);
    EXPECT_EQ(record_hash(as_given(further, source)), record_hash(source));
    EXPECT_EQ(*with_model_changed(further, "c", "a", memory.embedding), memory);
    EXPECT_NE(record_hash(further), record_hash(changed));
  }
}

TEST(ChangedModel, HidesNoOtherDifference) {
  const Memory changed = *with_model_changed(with_own_vector(), "a", "b", {1, 2, 3});
  Memory other = with_own_vector();
  other.embedding[1] = -3;
  EXPECT_THAT(differences(as_given(changed, as_foreign(other)), as_foreign(other)),
              testing::Not(IsEmpty()));
  other = as_foreign(with_own_vector());
  other.network = "world";
  EXPECT_NE(record_hash(as_given(changed, other)), record_hash(other));
}

TEST(ChangedModel, ComparesAllButAVectorThatWasDropped) {
  for (const Memory& memory : {with_own_vector(), with_own_vector(odd)}) {
    Memory dropped = *with_model_changed(memory, "a", "b", {1, 2, 3});
    dropped.given.emplace();
    const Memory source = as_foreign(memory);
    EXPECT_THAT(differences(as_given(dropped, source), source), IsEmpty());
    Memory other = source;
    other.raw->text.insert(1, " ");
    EXPECT_THAT(differences(as_given(dropped, other), other), testing::Not(IsEmpty()));
    other = source;
    other.raw->text.replace(other.raw->text.find('['), 1, "[\"x\",");
    EXPECT_THAT(differences(as_given(dropped, other), other), testing::Not(IsEmpty()));
    Memory exported_as = memory;
    exported_as.embedding = {1, 2, 3};
    EXPECT_EQ(exported(dropped), exported(exported_as));
  }
}

/// The bank changed to the very model of which its source had vectors.
TEST(ChangedModel, TakesTheSourcesOwnVectorForTheOneThatWasMadeOfTheSameRecord) {
  for (const Memory& memory : {with_own_vector(), with_own_vector(odd)}) {
    Memory held = as_foreign(memory);
    give_vector(held, {3, 4});
    EXPECT_THAT(differences(as_given(held, memory), memory), IsEmpty());
    Memory other = memory;
    other.embedding[0] = 7;
    EXPECT_NE(record_hash(as_given(held, other)), record_hash(other));
  }
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
