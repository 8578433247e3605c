#include "tests/contract/bank_contract.hpp"

namespace bb5 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

KeptApart apart(const std::string& a, const std::string& b) {
  return {
      .a = a, .b = b, .reason = "split \u00C4", .at = *parse_time("2026-02-04T01:02:03.000004")};
}
EntityMerge merge(const std::string& from, const std::string& into) {
  return {.from_key = from,
          .into_key = into,
          .name = std::string(name_of_key(from)),
          .reason = "resolver: spelling",
          .at = *parse_time("2026-02-04T01:02:03.000005")};
}
Result<> record(Bank& bank, const EntityMerge& merge) {
  return bank.merge_entities(std::span(&merge, 1));
}

TEST_P(BankContract, KeepsWhatIsApartAsGivenInOrderAndInEitherOrder) {
  const KeptApart pairs[] = {apart("t:c", "t:b"), apart("t:a", "t:b")};
  ASSERT_THAT(bank().keep_apart(pairs), Succeeds());
  EXPECT_THAT(bank().kept_apart(), HasValue(ElementsAre(apart("t:a", "t:b"), apart("t:b", "t:c"))));
  KeptApart again = apart("t:b", "t:a");
  again.reason = "another";
  ASSERT_THAT(bank().keep_apart(std::span(&again, 1)), Succeeds());
  EXPECT_THAT(bank().kept_apart(), HasValue(ElementsAre(apart("t:a", "t:b"), apart("t:b", "t:c"))));
  EXPECT_THAT(bank().keep_apart_no_more("t:c", "t:b"), HasValue(true));
  EXPECT_THAT(bank().keep_apart_no_more("t:c", "t:b"), HasValue(false));
  EXPECT_THAT(bank().kept_apart(), HasValue(ElementsAre(apart("t:a", "t:b"))));
  const KeptApart bad[] = {apart("t:x", "t:y"), apart("t:x", "t:x")};
  EXPECT_THAT(bank().keep_apart(bad), FailsWith(Errc::invalid_argument));
  EXPECT_THAT(bank().kept_apart(), HasValue(SizeIs(1)));
}

TEST_P(BankContract, KeysOfAnyLengthAreKeptApart) {
  const std::string long_key = "t:" + std::string(9'000, 'x');
  const KeptApart pairs[] = {apart(long_key + "1", long_key + "2")};
  ASSERT_THAT(bank().keep_apart(pairs), Succeeds());
  EXPECT_THAT(bank().kept_apart(), HasValue(ElementsAre(pairs[0])));
}

TEST_P(BankContract, APersonsMergeMakesOneOfWhatWasKeptApartAlsoOverOthers) {
  must_write_facts({make_entity("a", "t"), make_entity("b", "t"), make_entity("c", "t")});
  const auto before = stored_graph();
  const KeptApart pairs[] = {apart("t:a", "t:b"), apart("t:a", "t:d")};
  ASSERT_THAT(bank().keep_apart(pairs), Succeeds());
  EXPECT_EQ(stored_graph(), before);
  ASSERT_THAT(record(bank(), merge("t:a", "t:c")), Succeeds());
  EXPECT_THAT(bank().kept_apart(), HasValue(SizeIs(2)));
  ASSERT_THAT(record(bank(), merge("t:b", "t:c")), Succeeds());
  EXPECT_THAT(bank().kept_apart(), HasValue(ElementsAre(pairs[1])));
  EXPECT_EQ(stored_graph(), expected_graph());
}

TEST_P(BankContract, TheResolversMergesLeaveOutWhatIsKeptApartAndMoveTheMark) {
  must_write_facts({make_entity("a", "t"), make_entity("b", "t"), make_entity("c", "t")});
  const ResolvedMark fresh = *bank().resolved_mark();
  EXPECT_EQ(fresh.up_to, 0);
  for (const auto& [key, entity] : stored_graph().entities) EXPECT_LE(entity.rev, fresh.latest);
  EXPECT_GT(fresh.latest, 0);
  const KeptApart pairs[] = {apart("t:a", "t:b")};
  ASSERT_THAT(bank().keep_apart(pairs), Succeeds());
  const EntityMerge proposed[] = {merge("t:b", "t:a"), merge("t:c", "t:a")};
  EXPECT_THAT(bank().merge_resolved(proposed, fresh.latest), HasValue(ElementsAre(proposed[1])));
  EXPECT_THAT(bank().merges(), HasValue(ElementsAre(proposed[1])));
  EXPECT_EQ(stored_graph(), expected_graph());
  EXPECT_EQ(bank().resolved_mark()->up_to, fresh.latest);
  EXPECT_GT(bank().resolved_mark()->latest, fresh.latest) << "the merge is a change itself";
  EXPECT_THAT(bank().merge_resolved(proposed, 1), HasValue(IsEmpty()));
  EXPECT_EQ(bank().resolved_mark()->up_to, fresh.latest) << "it never goes back";
  EXPECT_THAT(bank().kept_apart(), HasValue(SizeIs(1)));
}

TEST_P(BankContract, VisitsEachEntityThatChangedSinceOnceWithWhatTellsItsName) {
  EntityFact described = make_entity("Ren\u00E9", "Person", 3);
  described.first_seen = *parse_time("2026-02-04T01:02:03.000004");
  described.aliases = {"R."};
  Memory memory = make_memory("m");
  memory.entities = {"somebody"};
  must_write_facts({described, make_entity("b", "t")});
  must_write({memory});
  const auto visited_after = [&](std::int64_t rev) {
    std::map<std::string, Entity> visited;
    EXPECT_THAT(bank().visit_entities(rev,
                                      [&](const Entity& entity) {
                                        EXPECT_TRUE(visited.emplace(entity.key, entity).second);
                                      }),
                Succeeds());
    return visited;
  };
  const auto visited = visited_after(0);
  const auto entities = *bank().entities({}, 10);
  ASSERT_THAT(visited, SizeIs(3));
  ASSERT_THAT(entities, SizeIs(3));
  for (const Entity& entity : entities) {
    const Entity& seen = visited.at(entity.key);
    EXPECT_EQ(std::tie(seen.name, seen.type, seen.mention_count, seen.first_seen, seen.placeholder,
                       seen.rev),
              std::tie(entity.name, entity.type, entity.mention_count, entity.first_seen,
                       entity.placeholder, entity.rev));
  }
  const std::int64_t mark = bank().resolved_mark()->latest;
  EXPECT_THAT(visited_after(mark), IsEmpty());
  must_write_facts({make_entity("c", "t")});
  EXPECT_THAT(visited_after(mark), ElementsAre(testing::Key("t:c")));
}

TEST_P(BankContract, AMarkThatIsMovedShowsOnlyWhatChangedSince) {
  must_write_facts({make_entity("a", "t"), make_entity("b", "t")});
  const std::int64_t mark = bank().resolved_mark()->latest;
  ASSERT_THAT(bank().merge_resolved({}, mark), HasValue(IsEmpty()));
  EXPECT_EQ(bank().resolved_mark()->up_to, bank().resolved_mark()->latest);
  must_write_facts({make_entity("c", "t")});
  const auto entities = *bank().entities({}, 10);
  ASSERT_THAT(entities, SizeIs(3));
  for (const Entity& entity : entities) EXPECT_EQ(entity.rev > mark, entity.key == "t:c");
}

}  // namespace
}  // namespace bb5
