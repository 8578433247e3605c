// Retained documents: what each says, and what becomes of it when it says something else.
#include <algorithm>
#include <random>
#include <set>

#include "stores/in_memory/in_memory_bank.hpp"
#include "tests/contract/bank_contract.hpp"
#include "tests/support/temporary_folder.hpp"

namespace bb5 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Timestamp at(int second) {
  return Timestamp(std::chrono::seconds(1'770'000'000 + second));
}

/// A digest that names a state of a document.
std::string digest(int number) {
  return std::string(31, 'd') + static_cast<char>('0' + number);
}

MemoryId id_of(const std::string& name) {
  return memory_id_of('"' + name + '"');
}

FactId fact_id(const std::string& name) {
  return {Uuid::v5({}, name)};
}

EntityFact named_entity(const std::string& name, const std::string& fact = {}) {
  EntityFact entity = make_entity(name);
  entity.id = fact_id("entity " + (fact.empty() ? name : fact));
  return entity;
}

RelationshipFact named_edge(const std::string& subject, const std::string& object) {
  RelationshipFact edge = make_relationship(subject, "uses", object);
  edge.id = fact_id("edge " + subject + " " + object);
  return edge;
}

/// A document's state, and what is written with it.
struct Reading {
  std::string source = "notes.md";
  int state = 1;
  std::optional<int> follows = {};
  std::vector<Memory> memories = {};       // of the batch; the document says them first…
  std::vector<std::string> says_too = {};  // …and then these
  std::vector<EntityFact> entities = {};
  std::vector<RelationshipFact> edges = {};
  OnConflict on_conflict = OnConflict::replace;

  [[nodiscard]] DocumentChange change() const {
    DocumentChange change;
    change.document.source = source;
    change.document.digest = digest(state);
    change.document.extractor = "rules/1";
    change.document.retained_at = at(state);
    for (const Memory& memory : memories) change.document.memories.push_back(memory.id);
    for (const std::string& name : says_too) change.document.memories.push_back(id_of(name));
    for (const EntityFact& fact : entities) change.document.entity_facts.push_back(fact.id);
    for (const RelationshipFact& fact : edges)
      change.document.relationship_facts.push_back(fact.id);
    if (follows) change.previous_digest = digest(*follows);
    return change;
  }
};

Result<WriteOutcome> retain(Bank& bank, const Reading& reading) {
  const DocumentChange change = reading.change();
  return bank.write({.memories = reading.memories,
                     .entity_facts = reading.entities,
                     .relationship_facts = reading.edges,
                     .on_conflict = reading.on_conflict,
                     .documents = std::span(&change, 1)});
}

Result<WriteOutcome> retain_together(Bank& bank, const std::vector<Reading>& readings) {
  std::vector<Memory> memories;
  std::vector<EntityFact> entities;
  std::vector<RelationshipFact> edges;
  std::vector<DocumentChange> changes;
  for (const Reading& reading : readings) {
    memories.insert(memories.end(), reading.memories.begin(), reading.memories.end());
    entities.insert(entities.end(), reading.entities.begin(), reading.entities.end());
    edges.insert(edges.end(), reading.edges.begin(), reading.edges.end());
    changes.push_back(reading.change());
  }
  return bank.write({.memories = memories,
                     .entity_facts = entities,
                     .relationship_facts = edges,
                     .documents = changes});
}

/// The names of those that are valid at the moment.
std::vector<std::string> valid(Bank& bank, Timestamp moment) {
  std::vector<std::string> names;
  auto page = bank.page({.limit = 1'000, .filter = {.valid_at = moment}});
  EXPECT_THAT(page, Succeeds());
  for (const Memory& memory : *page) names.push_back(memory.legacy_id);
  return names;
}

Standing standing(Bank& bank, const std::string& name) {
  const MemoryId ids[] = {id_of(name)};
  auto found = bank.standings(ids);
  EXPECT_THAT(found, HasValue(SizeIs(1)));
  return found->front();
}

Memory held(Bank& bank, const std::string& name) {
  const MemoryId ids[] = {id_of(name)};
  auto found = bank.get(ids, true);
  EXPECT_THAT(found, HasValue(SizeIs(1)));
  return found->empty() ? Memory{} : found->front();
}

TEST_P(BankContract, KeepsADocumentAsGiven) {
  const Reading reading{.memories = {make_memory("a"), make_memory("b")},
                        .says_too = {"a"},
                        .entities = {named_entity("Redis"), named_entity("Lua")},
                        .edges = {named_edge("Redis", "Lua")}};
  ASSERT_THAT(retain(bank(), reading), Succeeds());
  EXPECT_EQ(*bank().document("notes.md"), reading.change().document);
  EXPECT_EQ(*bank().document("notes"), std::nullopt);
  EXPECT_THAT(bank().times_said(id_of("a")), HasValue(2));
  EXPECT_THAT(bank().times_said(id_of("b")), HasValue(1));
  EXPECT_THAT(bank().times_said(id_of("none")), HasValue(0));
  EXPECT_EQ(standing(bank(), "a"), Standing::said);
  EXPECT_EQ(stored_graph(), expected_graph());
  EXPECT_THAT(bank().check(true), HasValue(IsEmpty()));
}

TEST_P(BankContract, DocumentsComeInBytewiseOrderPageByPage) {
  const std::string longer(5'000, 'n');
  for (const std::string& source :
       std::vector<std::string>{"b", "Z", "ä", "\U0001F600", "\uFF5E", longer + "2", longer + "1"})
    ASSERT_THAT(retain(bank(), {.source = source}), Succeeds());
  std::vector<std::string> sources;
  while (true) {
    const auto page = *bank().documents(sources.empty() ? "" : sources.back(), 2);
    if (page.empty()) break;
    for (const RetainedDocument& document : page) sources.push_back(document.source);
  }
  EXPECT_THAT(sources,
              ElementsAre("Z", "b", longer + "1", longer + "2", "ä", "\uFF5E", "\U0001F600"));
}

TEST_P(BankContract, WhatADocumentSaysNoMoreIsClosedAndWhatItSaysAgainIsOpened) {
  const Memory tea = with_metadata(make_memory("tea", "tea at four"), R"({"confidence":0.5})");
  ASSERT_THAT(retain(bank(), {.state = 1, .memories = {tea, make_memory("rain")}}), Succeeds());
  ASSERT_THAT(retain(bank(), {.state = 2, .follows = 1, .says_too = {"rain"}}), Succeeds());
  EXPECT_EQ(held(bank(), "tea").valid_until, at(2));
  EXPECT_EQ(standing(bank(), "tea"), Standing::unsaid);
  EXPECT_THAT(valid(bank(), at(2)), ElementsAre("rain"));
  EXPECT_THAT(valid(bank(), at(1)), ElementsAre("tea", "rain"));
  EXPECT_THAT(all_memories(), SizeIs(2)) << "closed is not gone";
  EXPECT_THAT(bank().check(true), HasValue(IsEmpty())) << "the hash is of the record as it is";

  // Said again, in the same words: the very record of before.
  const auto outcome = retain(
      bank(), {.state = 3, .follows = 2, .memories = {tea}, .on_conflict = OnConflict::keep});
  ASSERT_THAT(outcome, Succeeds());
  EXPECT_THAT(outcome->memories, ElementsAre(WriteAction::identical));
  EXPECT_THAT(differences(held(bank(), "tea"), tea), IsEmpty());
  EXPECT_EQ(standing(bank(), "tea"), Standing::said);
  EXPECT_THAT(valid(bank(), at(9)), ElementsAre("tea"));
  // And without the words.
  ASSERT_THAT(retain(bank(), {.state = 4, .follows = 3, .says_too = {"rain"}}), Succeeds());
  EXPECT_THAT(valid(bank(), at(9)), ElementsAre("rain"));
  EXPECT_THAT(bank().check(true), HasValue(IsEmpty()));
}

TEST_P(BankContract, AMemoryIsClosedWhenTheLastOfItsDocumentsSaysItNoMore) {
  ASSERT_THAT(retain(bank(), {.source = "a", .memories = {make_memory("tea")}}), Succeeds());
  ASSERT_THAT(retain(bank(), {.source = "b", .says_too = {"tea", "tea"}}), Succeeds());
  EXPECT_THAT(bank().times_said(id_of("tea")), HasValue(3));
  ASSERT_THAT(retain(bank(), {.source = "a", .state = 2, .follows = 1}), Succeeds());
  EXPECT_THAT(bank().times_said(id_of("tea")), HasValue(2));
  EXPECT_THAT(valid(bank(), at(9)), ElementsAre("tea"));
  ASSERT_THAT(retain(bank(), {.source = "b", .state = 3, .follows = 1}), Succeeds());
  EXPECT_THAT(bank().times_said(id_of("tea")), HasValue(0));
  EXPECT_EQ(held(bank(), "tea").valid_until, at(3));
  // Both are still known, and say nothing.
  EXPECT_THAT(bank().documents("", 10), HasValue(SizeIs(2)));
  EXPECT_THAT(bank().document("b")->value().memories, IsEmpty());
}

TEST_P(BankContract, WhatStandsByItselfIsNeverClosed) {
  must_write({make_memory("before")});
  ASSERT_THAT(retain(bank(), {.memories = {make_memory("before"), make_memory("same"),
                                           make_memory("other"), make_memory("refused")}}),
              Succeeds());
  must_write({make_memory("same")});
  must_write({make_memory("other", "other words")}, OnConflict::replace);
  ASSERT_THAT(must_write({make_memory("refused", "other words")}).memories,
              ElementsAre(WriteAction::conflict));
  EXPECT_EQ(standing(bank(), "before"), Standing::by_itself);
  EXPECT_EQ(standing(bank(), "same"), Standing::by_itself);
  EXPECT_EQ(standing(bank(), "other"), Standing::by_itself);
  EXPECT_EQ(standing(bank(), "refused"), Standing::said);
  EXPECT_THAT(bank().times_said(id_of("before")), HasValue(1));
  // A memory of the batch that the document does not name is as one added by hand.
  const std::vector<Memory> batch = {make_memory("beside")};
  const DocumentChange change = Reading{.state = 2, .follows = 1}.change();
  ASSERT_THAT(bank().write({.memories = batch, .documents = std::span(&change, 1)}), Succeeds());
  EXPECT_THAT(valid(bank(), at(9)), ElementsAre("before", "same", "other", "beside"));
  EXPECT_EQ(standing(bank(), "beside"), Standing::by_itself);
}

TEST_P(BankContract, AddingByHandWhatWasClosedOpensItForGood) {
  ASSERT_THAT(retain(bank(), {.memories = {make_memory("tea")}}), Succeeds());
  ASSERT_THAT(retain(bank(), {.state = 2, .follows = 1}), Succeeds());
  EXPECT_THAT(valid(bank(), at(9)), IsEmpty());
  must_write({make_memory("tea")}, OnConflict::replace);
  EXPECT_THAT(valid(bank(), at(9)), ElementsAre("tea"));
  ASSERT_THAT(retain(bank(), {.state = 3, .follows = 2, .says_too = {"tea"}}), Succeeds());
  ASSERT_THAT(retain(bank(), {.state = 4, .follows = 3}), Succeeds());
  EXPECT_THAT(valid(bank(), at(9)), ElementsAre("tea"));
}

TEST_P(BankContract, AnEarlierEndStays) {
  Memory over = make_memory("over");
  over.valid_until = at(1);
  Memory later = make_memory("later");
  later.valid_until = at(100);
  ASSERT_THAT(retain(bank(), {.memories = {over, later}}), Succeeds());
  ASSERT_THAT(retain(bank(), {.state = 5, .follows = 1}), Succeeds());
  EXPECT_EQ(held(bank(), "over").valid_until, at(1));
  EXPECT_EQ(held(bank(), "later").valid_until, at(5));
  ASSERT_THAT(retain(bank(), {.state = 6, .follows = 5, .says_too = {"over", "later"}}),
              Succeeds());
  EXPECT_EQ(held(bank(), "over").valid_until, at(1)) << "no document had closed it";
  EXPECT_EQ(held(bank(), "later").valid_until, std::nullopt);
}

TEST_P(BankContract, FactsThatNoDocumentHasAnyMoreAreRemovedWithTheirPartOfTheGraph) {
  const EntityFact redis = named_entity("Redis");
  const EntityFact lua = named_entity("Lua");
  const RelationshipFact edge = named_edge("Redis", "Disk");
  ASSERT_THAT(
      retain(bank(), {.source = "a",
                      .memories = {with_metadata(make_memory("m"), R"({"entities":["Lua"]})")},
                      .entities = {redis, lua},
                      .edges = {edge}}),
      Succeeds());
  ASSERT_THAT(retain(bank(), {.source = "b", .entities = {redis}}), Succeeds());
  ASSERT_THAT(bank().mark_applied(*bank().pending_changes(100)), Succeeds());

  ASSERT_THAT(retain(bank(), {.source = "a", .state = 2, .follows = 1}), Succeeds());
  EXPECT_THAT(bank().entity_facts(0, 10), HasValue(SizeIs(1))) << "b has Redis";
  EXPECT_THAT(bank().relationship_facts(0, 10), HasValue(IsEmpty()));
  EXPECT_EQ(stored_graph(), expected_graph());
  EXPECT_THAT(stored_graph().relationships, IsEmpty());
  std::map<std::string, bool> removed;
  for (const GraphChange& change : *bank().pending_changes(100)) {
    const std::string key = change.kind == GraphChange::Kind::entity ? change.entity.key
                            : change.kind == GraphChange::Kind::relationship
                                ? change.relationship.predicate
                                : "mention of " + change.mention.entity_key;
    removed[key] = change.removed;
  }
  const std::map<std::string, bool> expected = {{"technology:lua", true},
                                                {"unknown:lua", false},
                                                {"unknown:disk", true},
                                                {"uses", true},
                                                {"mention of technology:lua", true},
                                                {"mention of unknown:lua", false}};
  EXPECT_EQ(removed, expected);

  ASSERT_THAT(retain(bank(), {.source = "b", .state = 2, .follows = 1}), Succeeds());
  EXPECT_THAT(bank().entity_facts(0, 10), HasValue(IsEmpty()));
  EXPECT_EQ(stored_graph(), expected_graph());
}

TEST_P(BankContract, AFactThatTheBatchHasOrAMemoryOwnsOutlivesItsDocument) {
  must_write({with_metadata(make_memory("e"), R"({"is_entity":true,"entity_name":"Lua"})")});
  const EntityFact own = bank().entity_facts(0, 10)->front();
  const EntityFact redis = named_entity("Redis");
  DocumentChange change = Reading{.entities = {redis, own}}.change();
  const std::vector<EntityFact> facts = {redis};
  ASSERT_THAT(bank().write({.entity_facts = facts, .documents = std::span(&change, 1)}),
              Succeeds());
  change = Reading{.state = 2, .follows = 1}.change();
  ASSERT_THAT(bank().write({.entity_facts = facts, .documents = std::span(&change, 1)}),
              Succeeds());
  EXPECT_THAT(bank().entity_facts(0, 10), HasValue(SizeIs(2)));
  EXPECT_EQ(stored_graph(), expected_graph());
}

TEST_P(BankContract, ADocumentThatWasChangedMeanwhileIsAConflictAndNothingIsWritten) {
  const auto refused = [&](const Reading& reading) {
    const auto before = *bank().documents("", 10);
    EXPECT_THAT(retain(bank(), reading), FailsWith(Errc::conflict));
    EXPECT_EQ(*bank().documents("", 10), before);
    EXPECT_THAT(bank().find("new"), HasValue(IsEmpty()));
    EXPECT_THAT(bank().entity_facts(0, 10), HasValue(IsEmpty()));
  };
  const std::vector<Memory> fresh = {make_memory("new")};
  const std::vector<EntityFact> facts = {named_entity("Redis")};
  refused({.state = 2, .follows = 1, .memories = fresh, .entities = facts});  // not known
  ASSERT_THAT(retain(bank(), {.memories = {make_memory("tea")}}), Succeeds());
  refused({.state = 2, .memories = fresh, .entities = facts});                // known
  refused({.state = 2, .follows = 3, .memories = fresh, .entities = facts});  // in another state
  EXPECT_THAT(valid(bank(), at(9)), ElementsAre("tea"));
}

TEST_P(BankContract, ADocumentThatNamesWhatIsNowhereIsRefusedAndNothingIsWritten) {
  const std::vector<Memory> fresh = {make_memory("new")};
  EXPECT_THAT(retain(bank(), {.memories = fresh, .says_too = {"none"}}),
              FailsWith(Errc::invalid_argument));
  DocumentChange change = Reading{.entities = {named_entity("Redis")}}.change();
  EXPECT_THAT(bank().write({.memories = fresh, .documents = std::span(&change, 1)}),
              FailsWith(Errc::invalid_argument));
  change = Reading{.edges = {named_edge("a", "b")}}.change();
  EXPECT_THAT(bank().write({.memories = fresh, .documents = std::span(&change, 1)}),
              FailsWith(Errc::invalid_argument));
  for (const bool source : {true, false}) {
    change = Reading{}.change();
    if (source) {
      change.document.source = "";
    } else {
      change.document.digest = "short";
    }
    EXPECT_THAT(bank().write({.memories = fresh, .documents = std::span(&change, 1)}),
                FailsWith(Errc::invalid_argument));
  }
  EXPECT_THAT(all_memories(), IsEmpty());
  EXPECT_THAT(bank().documents("", 10), HasValue(IsEmpty()));
}

TEST_P(BankContract, WhatIsErasedGoesOutOfEveryDocument) {
  // A fact that names the memory goes with it.
  EntityFact of_tea = named_entity("Tea");
  of_tea.memory = id_of("tea");
  ASSERT_THAT(retain(bank(), {.memories = {make_memory("tea"), make_memory("rain")},
                              .says_too = {"tea"},
                              .entities = {of_tea, named_entity("Rain")}}),
              Succeeds());
  ASSERT_THAT(bank().erase(id_of("tea")), HasValue(true));
  const auto document = bank().document("notes.md")->value();
  EXPECT_THAT(document.memories, ElementsAre(id_of("rain")));
  EXPECT_THAT(document.entity_facts, ElementsAre(named_entity("Rain").id));
  EXPECT_THAT(bank().check(true), HasValue(IsEmpty()));
  // The next state finds its places all the same.
  ASSERT_THAT(
      retain(bank(),
             {.state = 2, .follows = 1, .memories = {make_memory("snow")}, .says_too = {"rain"}}),
      Succeeds());
  EXPECT_THAT(bank().document("notes.md")->value().memories,
              ElementsAre(id_of("snow"), id_of("rain")));
  EXPECT_THAT(valid(bank(), at(9)), ElementsAre("rain", "snow"));
}

TEST_P(BankContract, StandingsCanBeGivenForACopy) {
  const std::vector<Memory> memories = {make_memory("a"), make_memory("b"), make_memory("c")};
  const std::vector<Standing> standings = {Standing::by_itself, Standing::said, Standing::unsaid};
  EXPECT_THAT(bank().write({.memories = memories, .standings = std::span(standings).first(2)}),
              FailsWith(Errc::invalid_argument));
  ASSERT_THAT(bank().write({.memories = memories, .fold = false, .standings = standings}),
              Succeeds());
  std::vector<MemoryId> ids;
  for (const Memory& memory : memories) ids.push_back(memory.id);
  EXPECT_EQ(*bank().standings(ids), standings);
  EXPECT_EQ(standing(bank(), "none"), Standing::by_itself);
}

TEST_P(BankContract, AnotherHandleSeesDocumentsAndFollowsThem) {
  const auto other = again();
  if (other == nullptr) return;  // a bank with one owner
  ASSERT_THAT(retain(bank(), {.memories = {make_memory("tea")}}), Succeeds());
  EXPECT_EQ(*other->document("notes.md"), *bank().document("notes.md"));
  ASSERT_THAT(retain(*other, {.state = 2, .follows = 1}), Succeeds());
  EXPECT_THAT(retain(bank(), {.state = 3, .follows = 1}), FailsWith(Errc::conflict));
  EXPECT_THAT(valid(bank(), at(9)), IsEmpty());
}

// --- memories by their validity ---

TEST_P(BankContract, EveryWayOfFindingObeysTheMomentAskedAbout) {
  ASSERT_THAT(bank().set_embedder({.model = "test/two", .dimension = 2}), Succeeds());
  std::vector<Memory> memories;
  for (int i = 0; i < 60; ++i) {
    Memory memory = vector_memory("m" + std::to_string(i), {1, static_cast<float>(i) / 100});
    memory.content = "tea number " + std::to_string(i);
    memory.network = i % 2 == 0 ? "world" : "opinion";
    // The nearest are over at 10, the next begin at 20, then those valid from 10 until before 20.
    if (i < 20) memory.valid_until = at(10);
    if (i >= 20 && i < 40) memory.valid_from = at(20);
    if (i >= 40 && i < 50) {
      memory.valid_from = at(10);
      memory.valid_until = at(20);
    }
    memories.push_back(memory);
  }
  must_write(memories);
  const std::vector<float> query = {1, 0};
  const auto valid_then = [&](int i, int second) {
    if (i < 20) return second < 10;
    if (i < 40) return second >= 20;
    return i >= 50 || (second >= 10 && second < 20);
  };
  for (const int second : {9, 10, 19, 20}) {
    for (const bool world : {false, true}) {
      MemoryFilter filter{.valid_at = at(second)};
      if (world) filter.networks = {"world"};
      std::vector<MemoryId> expected;
      for (int i = 0; i < 60; ++i) {
        if (valid_then(i, second) && (!world || i % 2 == 0))
          expected.push_back(memories[static_cast<std::size_t>(i)].id);
      }
      SCOPED_TRACE(std::to_string(second) + (world ? " world" : ""));
      const auto ids = [](const auto& items) {
        std::vector<MemoryId> found;
        for (const auto& item : items) found.push_back(item.id);
        return found;
      };
      EXPECT_EQ(ids(*bank().page({.filter = filter})), expected);
      const auto nearest = *bank().nearest(query, 100, filter);
      EXPECT_EQ(ids(nearest.hits), expected);
      auto words = ids(bank().keyword("tea", 100, filter)->hits);
      EXPECT_EQ(std::set<MemoryId>(words.begin(), words.end()),
                std::set<MemoryId>(expected.begin(), expected.end()));
      if (nearest.plan.looked_at >= 0) {
        EXPECT_EQ(nearest.plan.looked_at, std::ssize(expected));
      }
      // No answer is short for what was left out.
      EXPECT_THAT(bank().nearest(query, 5, filter)->hits, SizeIs(5));
      EXPECT_THAT(bank().keyword("tea", 5, filter)->hits, SizeIs(5));
      EXPECT_THAT(*bank().page({.limit = 5, .filter = filter}), SizeIs(5));
    }
  }
  EXPECT_THAT(bank().nearest(query, 100, {})->hits, SizeIs(60));
  EXPECT_THAT(bank().keyword("tea", 100, {})->hits, SizeIs(60));
  EXPECT_THAT(*bank().page({}), SizeIs(60));
}

// --- any history ---

/// The same random calls to a store and to the model: equal answers.
class DocumentHistory {
 public:
  DocumentHistory(Bank& ours, std::uint64_t seed) : ours_(ours), random_(seed) {
    const EmbedderInfo embedder{.model = "test/two", .dimension = 2};
    EXPECT_THAT(ours_.set_embedder(embedder), Succeeds());
    EXPECT_THAT(model_->set_embedder(embedder), Succeeds());
  }

  void run(int steps) {
    for (step_ = 1; step_ <= steps && !testing::Test::HasFailure(); ++step_) {
      SCOPED_TRACE("step " + std::to_string(step_));
      change();
      compare();
    }
    const auto findings = ours_.check(true);
    ASSERT_THAT(findings, Succeeds());
    EXPECT_THAT(*findings, IsEmpty());
    // Or nothing was tried.
    EXPECT_GT(changes_, steps / 10);
    EXPECT_TRUE(closed_ > 0 || steps < 1'000);
  }

 private:
  bool one_in(std::uint64_t n) { return random_() % n == 0; }
  std::string number(std::uint64_t below) { return std::to_string(random_() % below); }

  Memory memory() {
    Memory memory = make_memory("m" + number(10), "text " + number(2));
    memory = with_metadata(memory, R"({"entities":["e)" + number(4) + R"("]})");
    if (one_in(2)) {
      memory.embedding = {1, static_cast<float>(random_() % 5)};
      memory.vector_state = VectorState::indexed;
    }
    if (one_in(6)) memory.valid_from = at(static_cast<int>(random_() % 200));
    if (one_in(6)) memory.valid_until = at(static_cast<int>(random_() % 200));
    return memory;
  }
  EntityFact entity() {
    EntityFact fact = named_entity("e" + number(4), "fact " + number(8));
    if (one_in(8)) {
      // Of a memory that is there: the check at the end finds the others.
      const MemoryId memory = id_of("m" + number(10));
      if (!model_->get(std::span(&memory, 1), false)->empty()) fact.memory = memory;
    }
    return fact;
  }
  RelationshipFact edge() { return named_edge("e" + number(4), "e" + number(4)); }

  template <class Make>
  auto some(Make make, std::uint64_t below) {
    std::vector<decltype(make())> items;
    std::set<Uuid> ids;
    for (auto count = random_() % below; count > 0; --count) {
      auto item = make();
      if (ids.insert(item.id.uuid).second) items.push_back(std::move(item));
    }
    return items;
  }

  /// Names those of the batch as a rule, some of them twice, and others that may be anywhere.
  template <class Item, class Other>
  auto named(const std::vector<Item>& batch, Other other) {
    std::vector<decltype(Item::id)> ids;
    for (const Item& item : batch) {
      if (!one_in(6)) ids.push_back(item.id);
      if (one_in(6)) ids.push_back(item.id);
    }
    if (one_in(2)) ids.push_back(other());
    return ids;
  }

  void change() {
    if (one_in(8)) {
      const MemoryId gone = id_of("m" + number(10));
      const auto expected = model_->erase(gone);
      const auto found = ours_.erase(gone);
      ASSERT_THAT(found, Succeeds());
      EXPECT_EQ(*found, *expected);
      return;
    }
    const auto memories = some([&] { return memory(); }, 5);
    const auto entities = some([&] { return entity(); }, 4);
    const auto edges = some([&] { return edge(); }, 3);
    std::vector<DocumentChange> changes;
    std::string sources = "abcd";
    for (auto count = random_() % 4; count > 0; --count) {
      const auto which = random_() % sources.size();
      changes.push_back(document_change(sources.substr(which, 1), memories, entities, edges));
      sources.erase(which, 1);
    }
    const WriteBatch batch{.memories = memories,
                           .entity_facts = entities,
                           .relationship_facts = edges,
                           .on_conflict = one_in(2) ? OnConflict::keep : OnConflict::replace,
                           .documents = changes};
    const auto expected = model_->write(batch);
    const auto found = ours_.write(batch);
    ASSERT_EQ(found.has_value(), expected.has_value());
    if (!expected) {
      EXPECT_EQ(found.error().code, expected.error().code);
      return;
    }
    changes_ += static_cast<int>(changes.size());
    EXPECT_EQ(found->memories, expected->memories);
    EXPECT_EQ(found->entity_facts, expected->entity_facts);
    EXPECT_EQ(found->relationship_facts, expected->relationship_facts);
  }

  DocumentChange document_change(const std::string& source, const std::vector<Memory>& memories,
                                 const std::vector<EntityFact>& entities,
                                 const std::vector<RelationshipFact>& edges) {
    DocumentChange change;
    RetainedDocument& document = change.document;
    document.source = source;
    document.digest = std::string(32, static_cast<char>(random_() % 256));
    document.extractor = "rules/" + number(3);
    document.retained_at = at(step_);
    document.memories = named(memories, [&] { return id_of("m" + number(10)); });
    document.entity_facts = named(entities, [&] { return entity().id; });
    document.relationship_facts = named(edges, [&] { return edge().id; });
    if (const auto former = *model_->document(document.source); former && !one_in(10))
      change.previous_digest = former->digest;
    return change;
  }

  template <class Rows>
  static auto without_numbers(Rows rows) {  // places count differently after a failed batch
    for (auto& row : rows) row.seq = 0;
    return rows;
  }
  static std::vector<std::pair<MemoryId, double>> ids_and_scores(const SearchResult& result) {
    std::vector<std::pair<MemoryId, double>> hits;
    for (const Hit& hit : result.hits) hits.emplace_back(hit.id, hit.score);
    return hits;
  }
  static std::set<MemoryId> ids(const SearchResult& result) {
    std::set<MemoryId> found;
    for (const Hit& hit : result.hits) found.insert(hit.id);
    return found;
  }

  void compare() {
    EXPECT_TRUE(without_numbers(*ours_.page({})) == without_numbers(*model_->page({})));
    EXPECT_TRUE(*ours_.documents("", 10) == *model_->documents("", 10));
    EXPECT_TRUE(without_numbers(*ours_.entity_facts(0, 100)) ==
                without_numbers(*model_->entity_facts(0, 100)));
    EXPECT_TRUE(without_numbers(*ours_.relationship_facts(0, 100)) ==
                without_numbers(*model_->relationship_facts(0, 100)));
    EXPECT_EQ(*ours_.graph_counts(), *model_->graph_counts());
    std::vector<MemoryId> all;
    for (int i = 0; i < 10; ++i) all.push_back(id_of("m" + std::to_string(i)));
    const auto standings = *ours_.standings(all);
    EXPECT_EQ(standings, *model_->standings(all));
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto times = *ours_.times_said(all[i]);
      EXPECT_EQ(times, *model_->times_said(all[i]));
      // What the words promise, whatever the model does.
      if (standings[i] == Standing::unsaid) {
        ++closed_;
        EXPECT_EQ(times, 0);
        EXPECT_TRUE(ours_.get(std::span(&all[i], 1), false)->at(0).valid_until.has_value());
      }
    }
    MemoryFilter filter{.valid_at = at(static_cast<int>(random_() % 200))};
    if (one_in(3)) filter.networks = {"observation"};
    EXPECT_TRUE(without_numbers(*ours_.page({.after_seq = 0, .filter = filter})) ==
                without_numbers(*model_->page({.after_seq = 0, .filter = filter})));
    const std::vector<float> query = {1, static_cast<float>(random_() % 5)};
    const auto nearest = ours_.nearest(query, 4, filter);
    const auto expected = model_->nearest(query, 4, filter);
    EXPECT_EQ(ids_and_scores(*nearest), ids_and_scores(*expected));
    if (nearest->plan.looked_at >= 0) {
      EXPECT_EQ(nearest->plan.looked_at, expected->plan.looked_at);
    }
    EXPECT_EQ(ids(*ours_.keyword("text", 100, filter)), ids(*model_->keyword("text", 100, filter)));
  }

  Bank& ours_;
  std::unique_ptr<Bank> model_ = new_in_memory_bank();
  std::mt19937_64 random_;
  int step_ = 0;
  int changes_ = 0;
  int closed_ = 0;
};

TEST_P(BankContract, DocumentsOfOneBatchAreWrittenTogether) {
  ASSERT_THAT(retain_together(bank(), {{.source = "a.md",
                                        .state = 1,
                                        .memories = {make_memory("a"), make_memory("both")},
                                        .entities = {named_entity("Redis", "of a")}},
                                       {.source = "b.md",
                                        .state = 2,
                                        .memories = {make_memory("b")},
                                        .says_too = {"both"},
                                        .entities = {named_entity("Kafka", "of b")}}}),
              Succeeds());
  EXPECT_THAT(*bank().documents("", 10), SizeIs(2));
  EXPECT_THAT(bank().times_said(id_of("both")), HasValue(2));
  EXPECT_EQ(standing(bank(), "b"), Standing::said);
  EXPECT_EQ(stored_graph(), expected_graph());
}

TEST_P(BankContract, WhatOneDocumentOfABatchGivesUpAndAnotherTakesStaysOpen) {
  for (const bool taker_first : {false, true}) {
    const std::string prefix = taker_first ? "1" : "2";
    const Memory memory = make_memory(prefix + "moved");
    ASSERT_THAT(retain(bank(), {.source = prefix + "from",
                                .state = 1,
                                .memories = {memory, make_memory(prefix + "dropped")}}),
                Succeeds());
    std::vector<Reading> readings = {
        {.source = prefix + "from", .state = 2, .follows = 1},
        {.source = prefix + "to", .state = 3, .says_too = {prefix + "moved"}}};
    if (taker_first) std::swap(readings[0], readings[1]);
    ASSERT_THAT(retain_together(bank(), readings), Succeeds());
    EXPECT_EQ(standing(bank(), prefix + "moved"), Standing::said);
    EXPECT_FALSE(held(bank(), prefix + "moved").valid_until.has_value());
    EXPECT_EQ(standing(bank(), prefix + "dropped"), Standing::unsaid);
    EXPECT_EQ(held(bank(), prefix + "dropped").valid_until, at(2));
  }
}

TEST_P(BankContract, AConflictOverOneDocumentOfABatchWritesNothing) {
  ASSERT_THAT(retain(bank(), {.source = "a.md", .state = 1}), Succeeds());
  const Reading fresh{.source = "b.md", .state = 1, .memories = {make_memory("b")}};
  EXPECT_THAT(retain_together(bank(), {fresh, {.source = "a.md", .state = 3, .follows = 2}}),
              FailsWith(Errc::conflict));
  EXPECT_THAT(retain_together(bank(), {fresh, fresh}), FailsWith(Errc::invalid_argument));
  EXPECT_THAT(all_memories(), IsEmpty());
  EXPECT_THAT(*bank().documents("", 10), SizeIs(1));
}

TEST_P(BankContract, AnyHistoryOfDocumentsEndsAsInTheModel) {
  DocumentHistory(bank(), test_seed()).run(soak() ? 1'500 : 150);
  EXPECT_EQ(stored_graph(), expected_graph());
}

}  // namespace
}  // namespace bb5
