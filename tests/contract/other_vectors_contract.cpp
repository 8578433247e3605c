#include <atomic>
#include <chrono>
#include <thread>

#include "model/legacy_record.hpp"
#include "tests/contract/bank_contract.hpp"

namespace bb5 {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

const EmbedderInfo two{.model = "test/two", .dimension = 2};
const EmbedderInfo other_two{.model = "test/other-two", .dimension = 2};
const EmbedderInfo three{.model = "test/three", .dimension = 3};

Memory entity(const std::string& name) {
  return with_metadata(make_memory(name), R"({"is_entity":true,"entity_name":"Redis"})");
}

Memory noise(const std::string& name) {
  Memory memory = make_memory(name);
  memory.vector_state = VectorState::fallback;
  memory.raw = RawRecord{.text = R"({"embedding": [0.5]})"};
  return memory;
}

/// Its record is not written as our columns would.
Memory odd_record(const std::string& name, std::vector<float> vector) {
  Memory memory = vector_memory(name, std::move(vector));
  memory.raw = RawRecord{.text = R"({"content": "odd", "embedding": })", .embedding_at = 32};
  return memory;
}

/// The same record as the source's reader gives it to a bank of another model.
Memory as_foreign(const Memory& memory) {
  Memory foreign = memory;
  foreign.raw.emplace();
  write_legacy_record(memory, foreign.raw->text);
  foreign.embedding.clear();
  foreign.vector_state = VectorState::foreign;
  return foreign;
}

MadeVector made_for(const Memory& memory, std::vector<float> embedding) {
  return {memory.id, content_sha256_of(memory.content), std::move(embedding)};
}

std::vector<std::string> names_of(const std::vector<Memory>& memories) {
  std::vector<std::string> names;
  for (const Memory& memory : memories) names.push_back(memory.legacy_id);
  return names;
}

void expect_equal(const std::vector<Memory>& held, const std::vector<Memory>& expected) {
  ASSERT_EQ(held.size(), expected.size());
  for (std::size_t i = 0; i < held.size(); ++i) {
    EXPECT_THAT(differences(held[i], expected[i]), IsEmpty()) << held[i].legacy_id;
    EXPECT_EQ(held[i].given, expected[i].given) << held[i].legacy_id;
  }
}

/// Gives every memory that lacks a vector of the model one that tells them apart.
void hold_all(Bank& bank, const EmbedderInfo& of) {
  const auto lacking = bank.lacking(of.model, 0, 1000);
  ASSERT_THAT(lacking, Succeeds());
  std::vector<MadeVector> made;
  for (const Memory& memory : *lacking) {
    std::vector<float> vector(of.dimension, 1);
    vector[0] = static_cast<float>(memory.seq);
    made.push_back(made_for(memory, vector));
  }
  ASSERT_THAT(bank.hold_vectors(of, made), HasValue(std::ssize(made)));
}

void must_change(Bank& bank, const EmbedderInfo& to) {
  hold_all(bank, to);
  ASSERT_THAT(bank.change_model(to), HasValue(0));
}

TEST_P(BankContract, HoldsVectorsOfAnotherModelBesideItsOwn) {
  ASSERT_THAT(bank().set_embedder(two), Succeeds());
  Memory indexed_entity = entity("d");
  indexed_entity.vector_state = VectorState::indexed;
  indexed_entity.embedding = {1, 1};
  must_write({make_memory("a"), vector_memory("bb", {1, 2}), entity("c"), indexed_entity});
  EXPECT_THAT(names_of(*bank().lacking("test/three", 0, 10)), ElementsAre("a", "bb", "d"));
  EXPECT_THAT(names_of(*bank().lacking("test/three", 1, 1)), ElementsAre("bb"));
  EXPECT_EQ(bank().lack_of("test/three")->memories, 3);
  EXPECT_EQ(bank().lack_of("test/three")->content_bytes, 4);
  const std::vector<MadeVector> made = {made_for(make_memory("a"), {1, 2, 3}),
                                        made_for(make_memory("bb", "before"), {1, 2, 3}),
                                        made_for(make_memory("gone"), {1, 2, 3})};
  EXPECT_THAT(bank().hold_vectors(three, made), HasValue(1));
  EXPECT_THAT(bank().hold_vectors(three, made), HasValue(0));
  EXPECT_THAT(names_of(*bank().lacking("test/three", 0, 10)), ElementsAre("bb", "d"));
  EXPECT_THAT(bank().stats()->other_vectors, ElementsAre(Pair("test/three", 1)));
  const auto held = *bank().held_vectors("test/three", 0, 10);
  ASSERT_THAT(held, SizeIs(1));
  EXPECT_EQ(held[0].seq, 1);
  EXPECT_EQ(held[0].vector.id, make_memory("a").id);
  EXPECT_EQ(held[0].vector.content_sha256, made[0].content_sha256);
  EXPECT_THAT(held[0].vector.embedding, ElementsAre(1, 2, 3));
  EXPECT_THAT(*bank().held_vectors("test/three", 1, 10), IsEmpty());
  EXPECT_THAT(bank().nearest(std::vector<float>{1, 2}, 5, {})->hits, SizeIs(2));
  EXPECT_THAT(bank().check(true), HasValue(IsEmpty()));
}

TEST_P(BankContract, HoldsNoVectorsOfItsOwnModelOrUnfitOnes) {
  ASSERT_THAT(bank().set_embedder(two), Succeeds());
  must_write({make_memory("a"), make_memory("b")});
  const auto refused = [&](const EmbedderInfo& of, std::vector<float> second) {
    const std::vector<MadeVector> made = {made_for(make_memory("a"), {1, 2, 3}),
                                          made_for(make_memory("b"), std::move(second))};
    return bank().hold_vectors(of, made);
  };
  EXPECT_THAT(refused({two.model, 3}, {1, 2, 3}), FailsWith(Errc::conflict));
  EXPECT_THAT(refused(three, {1, 2}), FailsWith(Errc::invalid_argument));
  EXPECT_THAT(refused(three, {0, 0, 0}), FailsWith(Errc::invalid_argument));
  EXPECT_THAT(refused(three, {NAN, 1, 0}), FailsWith(Errc::invalid_argument));
  EXPECT_THAT(bank().stats()->other_vectors, IsEmpty());
}

TEST_P(BankContract, ForgetsOtherVectorsOfWhatGoesOrSaysSomethingElse) {
  ASSERT_THAT(bank().set_embedder(two), Succeeds());
  must_write({make_memory("a"), make_memory("b"), make_memory("c")});
  hold_all(bank(), three);
  Memory same_words = make_memory("b");
  same_words.network = "world";
  must_write({make_memory("a", "other words"), same_words}, OnConflict::replace);
  ASSERT_THAT(bank().erase(make_memory("c").id), HasValue(true));
  const auto held = *bank().held_vectors("test/three", 0, 10);
  ASSERT_THAT(held, SizeIs(1));
  EXPECT_EQ(held[0].vector.id, make_memory("b").id);
  EXPECT_THAT(names_of(*bank().lacking("test/three", 0, 10)), ElementsAre("a"));
  EXPECT_THAT(bank().check(true), HasValue(IsEmpty()));
}

TEST_P(BankContract, ChangesItsModelAtOnce) {
  ASSERT_THAT(bank().set_embedder(two), Succeeds());
  must_write({make_memory("a"), vector_memory("b", {1, 2}), noise("c"), odd_record("d", {2, 1}),
              entity("e")});
  const std::vector<MadeVector> before = {made_for(make_memory("a"), {3, 3})};
  ASSERT_THAT(bank().give_vectors(two, before), HasValue(1));
  std::vector<Memory> expected = all_memories();
  hold_all(bank(), three);
  EXPECT_EQ(*bank().embedder(), two);
  ASSERT_THAT(bank().change_model(three), HasValue(0));

  EXPECT_EQ(*bank().embedder(), three);
  for (std::size_t i = 0; i < 4; ++i)
    expected[i] = *with_model_changed(expected[i], two.model, three.model,
                                      {static_cast<float>(expected[i].seq), 1, 1});
  EXPECT_FALSE(expected[0].given) << "made here";
  EXPECT_THAT(expected[1].given->numbers, ElementsAre(1, 2));
  EXPECT_THAT(expected[3].given->numbers, ElementsAre(2, 1));
  expect_equal(all_memories(), expected);
  EXPECT_THAT(bank().nearest(std::vector<float>{4, 1, 1}, 9, {})->hits, SizeIs(4));
  EXPECT_EQ(bank().nearest(std::vector<float>{4, 1, 1}, 9, {})->hits[0].id, expected[3].id);
  EXPECT_EQ(bank().stats()->vectors.at(VectorState::indexed), 4);
  EXPECT_EQ(bank().stats()->vectors.count(VectorState::fallback), 0U);
  EXPECT_THAT(bank().stats()->other_vectors, ElementsAre(Pair("test/two", 3)));
  EXPECT_THAT(bank().change_model(three), HasValue(0)) << "it has it already";
  EXPECT_THAT(bank().check(true), HasValue(IsEmpty()));
}

TEST_P(BankContract, ChangesNothingWhileAVectorIsLacking) {
  ASSERT_THAT(bank().set_embedder(two), Succeeds());
  must_write({make_memory("a"), vector_memory("b", {1, 2})});
  hold_all(bank(), three);
  must_write({vector_memory("late", {2, 2})});
  const auto before = all_memories();
  EXPECT_THAT(bank().change_model(three), HasValue(1));
  EXPECT_EQ(*bank().embedder(), two);
  expect_equal(all_memories(), before);
  must_change(bank(), three);
  EXPECT_EQ(bank().stats()->vectors.at(VectorState::indexed), 3);
}

TEST_P(BankContract, ChangesToNoVectorsOfAnotherLength) {
  ASSERT_THAT(bank().set_embedder(two), Succeeds());
  must_write({vector_memory("b", {1, 2})});
  hold_all(bank(), three);
  EXPECT_THAT(bank().change_model({three.model, 4}), FailsWith(Errc::conflict));
  EXPECT_EQ(*bank().embedder(), two);
  EXPECT_THAT(all_memories()[0].embedding, ElementsAre(1, 2));
}

TEST_P(BankContract, ABankWithoutAModelMayChangeToOne) {
  must_write({make_memory("a"), noise("b")});
  must_change(bank(), three);
  EXPECT_EQ(*bank().embedder(), three);
  EXPECT_THAT(bank().nearest(std::vector<float>{1, 1, 1}, 9, {})->hits, SizeIs(2));
  EXPECT_THAT(bank().stats()->other_vectors, IsEmpty());
}

TEST_P(BankContract, GoesBackToTheModelThatItHad) {
  ASSERT_THAT(bank().set_embedder(two), Succeeds());
  must_write({vector_memory("a", {1, 2}), odd_record("b", {2, 1}), vector_memory("c", {1, 1})});
  const auto before = all_memories();
  must_change(bank(), three);
  EXPECT_EQ(bank().lack_of(two.model)->memories, 0);
  must_change(bank(), other_two);
  EXPECT_THAT(all_memories()[0].given->numbers, ElementsAre(1, 2)) << "not those of three";
  ASSERT_THAT(bank().change_model(two), HasValue(0));
  expect_equal(all_memories(), before);
  EXPECT_THAT(bank().stats()->other_vectors,
              ElementsAre(Pair("test/other-two", 3), Pair("test/three", 3)));
  EXPECT_THAT(bank().nearest(std::vector<float>{1, 2}, 1, {})->hits[0].id, before[0].id);
  EXPECT_THAT(bank().check(true), HasValue(IsEmpty()));
}

TEST_P(BankContract, ARecordWhoseVectorWasExchangedIsStillTheSame) {
  ASSERT_THAT(bank().set_embedder(two), Succeeds());
  const std::vector<Memory> source = {vector_memory("a", {1, 2}), odd_record("b", {2, 1}),
                                      noise("c")};
  must_write(source);
  must_change(bank(), three);
  std::vector<Memory> again = {as_foreign(source[0]), as_foreign(source[1]), source[2]};
  const auto held = all_memories();
  EXPECT_THAT(must_write(again).memories, Each(WriteAction::identical));
  Memory altered = source[0];
  altered.embedding = {1, 2.5};
  EXPECT_THAT(must_write({as_foreign(altered)}).memories, ElementsAre(WriteAction::conflict));
  expect_equal(all_memories(), held);

  EXPECT_THAT(bank().drop_other_vectors(), HasValue(2));
  EXPECT_TRUE(all_memories()[0].given->dropped());
  EXPECT_FALSE(all_memories()[2].given);
  EXPECT_THAT(must_write(again).memories, Each(WriteAction::identical));
  EXPECT_THAT(must_write({as_foreign(altered)}).memories, ElementsAre(WriteAction::identical))
      << "the vector is not there to be compared";
  Memory other = as_foreign(source[0]);
  other.network = "world";
  EXPECT_THAT(must_write({other}).memories, ElementsAre(WriteAction::conflict));
  EXPECT_THAT(bank().stats()->other_vectors, IsEmpty());
  EXPECT_THAT(bank().check(true), HasValue(IsEmpty()));
}

TEST_P(BankContract, KeepsWhatAMemoryCameWithWhenItIsCopied) {
  ASSERT_THAT(bank().set_embedder(three), Succeeds());
  Memory kept = vector_memory("a", {1, 2, 3});
  kept.given = GivenVector{"test/two", {0.5f, 2}};
  Memory dropped = vector_memory("b", {1, 2, 3});
  dropped.given.emplace();
  must_write({kept, dropped});
  expect_equal(all_memories(), {kept, dropped});
  EXPECT_FALSE(bank().page({.with_embeddings = false})->at(0).given);
  kept.network = "world";
  kept.given->numbers = {3, 4};
  must_write({kept}, OnConflict::replace);
  expect_equal(all_memories(), {kept, dropped});
  EXPECT_THAT(bank().stats()->other_vectors, ElementsAre(Pair("test/two", 1)));
  must_write({vector_memory("a", {1, 2, 3})}, OnConflict::replace);
  EXPECT_FALSE(all_memories()[0].given);
  EXPECT_THAT(bank().check(true), HasValue(IsEmpty()));
}

/// Another process that has the bank open, and still thinks of its old model.
TEST_P(BankContract, OthersWhoHoldTheOldModelAreToldSo) {
  ASSERT_THAT(bank().set_embedder(two), Succeeds());
  must_write({vector_memory("a", {1, 2}), vector_memory("b", {2, 1})});
  const auto second = again();
  Bank& other = second ? *second : bank();
  const std::vector<float> question = {1, 2};
  ASSERT_THAT(other.nearest({question, two.model}, 5, {})->hits, SizeIs(2));
  for (const EmbedderInfo& next : {other_two, three}) {
    must_change(bank(), next);
    EXPECT_THAT(other.nearest({question, two.model}, 5, {}), FailsWith(Errc::conflict));
    const std::vector<Memory> late = {vector_memory("late", {1, 1})};
    EXPECT_THAT(other.write({.memories = late, .model = two.model}), FailsWith(Errc::conflict));
    const std::vector<MadeVector> made = {made_for(vector_memory("a", {1, 2}), {1, 1})};
    EXPECT_THAT(other.give_vectors(two, made), FailsWith(Errc::conflict));
    EXPECT_EQ(*other.embedder(), next);
    const std::vector<float> new_question(next.dimension, 1);
    EXPECT_THAT(other.nearest({new_question, next.model}, 5, {})->hits, SizeIs(2));
    EXPECT_THAT(other.page({})->at(0).given->numbers, ElementsAre(1, 2));
  }
  EXPECT_THAT(all_memories(), SizeIs(2));
}

/// Vectors of one model point along the first axis, those of the other along the second: a mix
/// shows as a hit that scores 0.
TEST_P(BankContract, WhoeverSearchesOrWritesWhileTheModelChangesMeetsOneModel) {
  const EmbedderInfo models[] = {two, other_two};
  const auto vector_of = [](std::size_t model, float length) {
    return model == 0 ? std::vector<float>{length, 0} : std::vector<float>{0, length};
  };
  constexpr std::int64_t at_first = 40;
  ASSERT_THAT(bank().set_embedder(two), Succeeds());
  std::vector<Memory> memories;
  for (int i = 0; i < at_first; ++i)
    memories.push_back(vector_memory("m" + std::to_string(i), vector_of(0, 1)));
  must_write(memories);

  std::atomic<bool> done = false;
  std::atomic<int> answered = 0;
  std::atomic<int> mixed = 0;
  const auto only_conflict = [&](const auto& result) {
    if (!result && result.error().code != Errc::conflict) ++mixed;
    return result.has_value();
  };
  const auto ask = [&](std::size_t model) {
    const auto handle = again();
    const Bank& store = handle ? *handle : bank();
    while (!done) {
      const std::vector<float> question = vector_of(model, 1);
      const auto found = store.nearest({question, models[model].model}, 1000, {});
      if (!only_conflict(found)) continue;
      ++answered;
      if (std::ssize(found->hits) < at_first) ++mixed;
      for (const Hit& hit : found->hits) mixed += hit.score < 0.5 ? 1 : 0;
    }
  };
  const auto write = [&] {
    const auto handle = again();
    Bank& store = handle ? *handle : bank();
    for (std::size_t i = 0; !done; ++i) {
      const std::vector<Memory> late = {
          vector_memory("late" + std::to_string(i), vector_of(i % 2, 1))};
      static_cast<void>(
          only_conflict(store.write({.memories = late, .model = models[i % 2].model})));
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  };
  {
    std::jthread threads[] = {std::jthread(ask, 0), std::jthread(ask, 1), std::jthread(write)};
    for (std::size_t change = 1; change <= 4; ++change) {
      const std::size_t next = change % 2;
      std::int64_t lacking = 1;
      while (lacking != 0) {
        std::vector<MadeVector> made;
        for (const Memory& memory : *bank().lacking(models[next].model, 0, 10'000))
          made.push_back(made_for(memory, vector_of(next, 1)));
        EXPECT_THAT(bank().hold_vectors(models[next], made), Succeeds());
        const auto changed = bank().change_model(models[next]);
        EXPECT_THAT(changed, Succeeds());
        lacking = changed ? *changed : 0;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    done = true;
  }
  EXPECT_EQ(mixed, 0);
  EXPECT_GT(answered, 0);
  for (const Memory& memory : all_memories())
    EXPECT_THAT(memory.embedding, ElementsAre(1, 0)) << memory.legacy_id;
  EXPECT_THAT(bank().check(true), HasValue(IsEmpty()));
}

}  // namespace
}  // namespace bb5
