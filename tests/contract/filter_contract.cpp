#include <algorithm>
#include <random>
#include <set>

#include <fmt/format.h>

#include "model/cosine.hpp"
#include "tests/contract/bank_contract.hpp"
#include "tests/support/temporary_folder.hpp"

// Every part of MemoryFilter, through every way of reading. What a part means is pinned by
// examples; that every way gives just that, by random filters over random banks.
namespace bb5 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Timestamp at(int second) {
  return Timestamp(std::chrono::seconds(second));
}

json::Object object(const std::string& text) {
  return *json::parse_text(text)->object();
}

/// A memory that every arm can find.
Memory findable(const std::string& name, const std::string& metadata = "{}") {
  Memory memory = vector_memory(name, {1, 1});
  memory.content = "tea for " + name;
  return with_metadata(std::move(memory), metadata);
}

std::vector<std::string> names_of(const std::vector<Memory>& memories) {
  std::vector<std::string> names;
  for (const Memory& memory : memories) names.push_back(memory.legacy_id);
  return names;
}

std::vector<std::string> names_of(Bank& bank, const SearchResult& result) {
  std::vector<MemoryId> ids;
  for (const Hit& hit : result.hits) ids.push_back(hit.id);
  return names_of(*bank.get(ids, false));
}

/// What all three ways find, in insertion order.
std::vector<std::string> found(Bank& bank, const MemoryFilter& filter) {
  const auto page = bank.page({.filter = filter});
  const auto nearest = bank.nearest(std::vector<float>{1, 1}, 100, filter);
  const auto keyword = bank.keyword("tea", 100, filter);
  EXPECT_THAT(page, Succeeds());
  EXPECT_THAT(nearest, Succeeds());
  EXPECT_THAT(keyword, Succeeds());
  if (!page || !nearest || !keyword) return {};
  auto names = names_of(*page);
  EXPECT_EQ(names_of(bank, *nearest), names) << "equally near: in the order of insertion";
  EXPECT_THAT(names_of(bank, *keyword), testing::UnorderedElementsAreArray(names));
  for (const SearchResult& result : {*nearest, *keyword}) {
    if (result.plan.looked_at >= 0) {
      EXPECT_EQ(result.plan.looked_at, std::ssize(names));
    }
  }
  return names;
}

void take_vectors(Bank& bank) {
  ASSERT_THAT(bank.set_embedder({.model = "test/two", .dimension = 2}), Succeeds());
}

TEST_P(BankContract, FiltersByWhatAMemorySaysOfItself) {
  take_vectors(bank());
  Memory a = findable("a", R"({"category":"technical","source_type":"task","task_id":"TASK-7"})");
  a.author = "Ada";
  Memory b =
      findable("b", R"({"category":"Technical","source_type":"results","task_id":"TASK-8"})");
  b.author = "ada";
  const Memory c = findable("c", R"({"category":"","task_id":7})");
  const Memory d = findable("d", "no JSON");
  must_write({a, b, c, d});
  EXPECT_THAT(found(bank(), {.categories = {"technical"}}), ElementsAre("a"));
  EXPECT_THAT(found(bank(), {.categories = {"", "Technical", "other"}}), ElementsAre("b", "c"));
  EXPECT_THAT(found(bank(), {.source_types = {"task"}}), ElementsAre("a"));
  EXPECT_THAT(found(bank(), {.source_types = {"task", "results"}}), ElementsAre("a", "b"));
  EXPECT_THAT(found(bank(), {.authors = {"Ada"}}), ElementsAre("a"));
  EXPECT_THAT(found(bank(), {.tasks = {"TASK-7", "TASK-9"}}), ElementsAre("a"));
  EXPECT_THAT(found(bank(), {.tasks = {"7"}}), IsEmpty()) << "a number is no text";
  EXPECT_THAT(found(bank(), {.categories = {"technical"}, .source_types = {"results"}}), IsEmpty())
      << "every part must let it through";
  EXPECT_THAT(found(bank(), {}), ElementsAre("a", "b", "c", "d"));
}

TEST_P(BankContract, FiltersByNamesAsTheGraphFoldsThem) {
  take_vectors(bank());
  must_write({findable("a", R"({"entities":["PostgreSQL","Redis"]})"),
              findable("b", R"({"entities":[" postgresql "]})"),
              findable("c", R"({"entities":["STRASSE",""]})"),
              findable("d", R"({"entities":["Postgres"]})"),
              findable("e", R"({"is_entity":true,"entity_name":"Redis","entities":["Redis"]})"),
              findable("f")});
  EXPECT_THAT(found(bank(), {.entities = {"PostgreSQL"}}), ElementsAre("a", "b"));
  EXPECT_THAT(found(bank(), {.entities = {"POSTGRESQL "}}), ElementsAre("a", "b"));
  EXPECT_THAT(found(bank(), {.entities = {"straße"}}), ElementsAre("c"));
  EXPECT_THAT(found(bank(), {.entities = {"redis", "Postgres", "redis"}}), ElementsAre("a", "d"))
      << "the entity's own record names nothing";
  EXPECT_THAT(found(bank(), {.entities = {"nothing"}}), IsEmpty());
}

TEST_P(BankContract, FiltersByConfidence) {
  take_vectors(bank());
  must_write({findable("low", R"({"confidence":0.3})"), findable("unstated"),
              findable("high", R"({"confidence":0.95})"), findable("odd", R"({"confidence":7})"),
              findable("edge", R"({"confidence":0.7000000000000001})")});
  EXPECT_THAT(found(bank(), {.min_confidence = 0.95}), ElementsAre("high"));
  EXPECT_THAT(found(bank(), {.min_confidence = 0.8}), ElementsAre("unstated", "high", "odd"))
      << "without a confidence it counts as 0.8";
  EXPECT_THAT(found(bank(), {.max_confidence = 0.7}), ElementsAre("low"));
  EXPECT_THAT(found(bank(), {.min_confidence = 0.7000000000000001, .max_confidence = 0.8}),
              ElementsAre("unstated", "odd", "edge"));
  EXPECT_THAT(found(bank(), {.min_confidence = 0, .max_confidence = 1}),
              ElementsAre("low", "unstated", "high", "odd", "edge"));
}

TEST_P(BankContract, FiltersByCreation) {
  take_vectors(bank());
  std::vector<Memory> memories;
  for (int i = 0; i < 4; ++i) {
    memories.push_back(findable(fmt::format("at{}", i)));
    memories.back().created_at = at(i);
  }
  memories.push_back(findable("before"));
  memories.back().created_at = at(-1) + std::chrono::microseconds(999'999);
  memories.push_back(findable("unknown"));
  must_write(memories);
  EXPECT_THAT(found(bank(), {.since = at(2)}), ElementsAre("at2", "at3"));
  EXPECT_THAT(found(bank(), {.until = at(2)}), ElementsAre("at0", "at1", "before"));
  EXPECT_THAT(found(bank(), {.since = at(0), .until = at(1)}), ElementsAre("at0"));
  EXPECT_THAT(found(bank(), {.since = *parse_time("0001-01-01")}),
              ElementsAre("at0", "at1", "at2", "at3", "before"))
      << "who was never created was not created since";
  EXPECT_THAT(found(bank(), {.since = at(9)}), IsEmpty());
}

TEST_P(BankContract, FiltersByMembersOfTheMetadata) {
  take_vectors(bank());
  must_write({findable("a", R"({"run":"r1","n":1,"deep":{"x":[1,2],"y":null}})"),
              findable("b", R"({"run":"r2","n":1.0,"deep":{"y":null,"x":[1,2]}})"),
              findable("c", R"({"run":"r1","n":"1","deep":{"x":[1,2]}})"),
              findable("d", R"({"run":null,"n":true,"nan":NaN,"odd key \" \\ é":"\u0000"})"),
              findable("e", R"([1,2])"), findable("f", "no JSON")});
  const auto with = [&](const std::string& members) {
    return found(bank(), {.metadata = object(members)});
  };
  EXPECT_THAT(with(R"({"run":"r1"})"), ElementsAre("a", "c"));
  EXPECT_THAT(with(R"({"n":1})"), ElementsAre("a", "b"));
  EXPECT_THAT(with(R"({"n":1e0})"), ElementsAre("a", "b"));
  EXPECT_THAT(with(R"({"n":"1"})"), ElementsAre("c"));
  EXPECT_THAT(with(R"({"n":true})"), ElementsAre("d"));
  EXPECT_THAT(with(R"({"run":"r1","n":1})"), ElementsAre("a"));
  EXPECT_THAT(with(R"({"run":null})"), ElementsAre("d"));
  EXPECT_THAT(with(R"({"nan":null})"), ElementsAre("d"));
  EXPECT_THAT(with(R"({"deep":{"x":[1,2],"y":null}})"), ElementsAre("a", "b"));
  EXPECT_THAT(with(R"({"deep":{"x":[2,1]}})"), IsEmpty());
  EXPECT_THAT(with(R"({"x":[1,2]})"), IsEmpty()) << "only at the top";
  EXPECT_THAT(with(R"({"odd key \" \\ é":"\u0000"})"), ElementsAre("d"));
  EXPECT_THAT(with(R"({"missing":null})"), IsEmpty());
}

TEST_P(BankContract, FiltersByTextsOfAnyLength) {
  take_vectors(bank());
  // Too long for an index, and equal for as far as one may look.
  std::string noise;
  for (unsigned i = 0; i < 2'000; ++i) noise += fmt::format("{:x} ", i * 2'654'435'761U);
  const auto metadata = [&](const char* end) {
    return fmt::format(R"({{"category":"{0}{1}","source_type":"{0}{1}","task_id":"{0}{1}",)"
                       R"("entities":["{0}{1}"]}})",
                       noise, end);
  };
  must_write({findable("a", metadata("a")), findable("b", metadata("b"))});
  const std::vector<std::string> text = {noise + "b"};
  EXPECT_THAT(found(bank(), {.categories = text}), ElementsAre("b"));
  EXPECT_THAT(found(bank(), {.source_types = text}), ElementsAre("b"));
  EXPECT_THAT(found(bank(), {.tasks = text}), ElementsAre("b"));
  EXPECT_THAT(found(bank(), {.entities = text}), ElementsAre("b"));
}

TEST_P(BankContract, FiltersSeeWhatAMemoryBecame) {
  take_vectors(bank());
  must_write({findable("a", R"({"task_id":"old","category":"old","entities":["Old"]})"),
              findable("b", R"({"task_id":"old"})")});
  Memory changed = findable("a", R"({"task_id":"new","category":"new","entities":["New"]})");
  changed.created_at = at(5);
  must_write({changed}, OnConflict::replace);
  EXPECT_THAT(found(bank(), {.tasks = {"old"}}), ElementsAre("b"));
  EXPECT_THAT(found(bank(), {.tasks = {"new"}}), ElementsAre("a"));
  EXPECT_THAT(found(bank(), {.categories = {"old"}}), IsEmpty());
  EXPECT_THAT(found(bank(), {.entities = {"Old"}}), IsEmpty());
  EXPECT_THAT(found(bank(), {.entities = {"New"}, .since = at(5)}), ElementsAre("a"));
  ASSERT_THAT(bank().erase(changed.id), HasValue(true));
  EXPECT_THAT(found(bank(), {.entities = {"New"}}), IsEmpty());
}

TEST_P(BankContract, RefusesAFilterThatNothingCanPass) {
  take_vectors(bank());
  must_write({findable("a")});
  for (const MemoryFilter& filter :
       {MemoryFilter{.min_confidence = 0.6, .max_confidence = 0.5},
        MemoryFilter{.since = at(2), .until = at(2)}, MemoryFilter{.entities = {" "}},
        MemoryFilter{.networks = {"\xFF"}}, MemoryFilter{.tasks = {std::string(1, '\0')}}}) {
    EXPECT_THAT(bank().page({.filter = filter}), FailsWith(Errc::invalid_argument));
    EXPECT_THAT(bank().keyword("tea", 5, filter), FailsWith(Errc::invalid_argument));
    EXPECT_THAT(bank().nearest(std::vector<float>{1, 1}, 5, filter),
                FailsWith(Errc::invalid_argument));
  }
}

/// Random memories and filters over few values, so that every part lets some through, and often
/// several parts together.
class RandomFilters {
 public:
  RandomFilters(Bank& bank, std::uint64_t seed) : bank_(bank), random_(seed) {}

  void run(int memories, int rounds) {
    ASSERT_THAT(bank_.set_embedder({.model = "test", .dimension = dimension}), Succeeds());
    for (int i = 0; i < memories; ++i) held_.push_back(memory(i));
    ASSERT_THAT(bank_.write({.memories = held_, .fold = one_in(2)}), Succeeds());
    for (int round = 0; round < rounds && !testing::Test::HasFailure(); ++round) {
      SCOPED_TRACE(fmt::format("round {}", round));
      change();
      compare();
    }
    EXPECT_GT(hits_, rounds) << "most filters let something through, or nothing is tested";
  }

 private:
  static constexpr std::size_t dimension = 8;

  bool one_in(unsigned count) { return random_() % count == 0; }
  template <class T>
  T one_of(std::initializer_list<T> values) {
    return *std::next(values.begin(), static_cast<std::ptrdiff_t>(random_() % values.size()));
  }
  std::string text_of(const char* part) { return fmt::format("{}{}", part, random_() % 4); }
  std::string name() {
    return one_of<const char*>({"Redis", "redis ", "Lua", "STRASSE", "Straße"});
  }
  std::string value() {
    return one_of<const char*>(
        {"1", "1.0", "\"1\"", "null", "NaN", "[1,2]", R"({"x":1,"y":2})", R"({"y":2,"x":1})"});
  }
  std::vector<float> vector() {
    // Few numbers, so that some vectors are equally near.
    std::vector<float> numbers(dimension);
    for (float& x : numbers) x = static_cast<float>(random_() % 5) - 2;
    numbers.front() = 1;
    return numbers;
  }

  Memory memory(int number) {
    Memory memory = vector_memory(fmt::format("m{}", number), vector());
    memory.content = fmt::format("{} number {}", one_of<const char*>({"tea", "coffee"}), number);
    memory.network = one_of<const char*>({"world", "opinion", "other"});
    std::string metadata;
    const auto add = [&](const char* key, const std::string& json) {
      if (one_in(4)) return;
      metadata += fmt::format(R"({}"{}":{})", metadata.empty() ? "" : ",", key, json);
    };
    add("category", '"' + text_of("c") + '"');
    add("source_type", '"' + text_of("s") + '"');
    add("task_id", one_in(9) ? "7" : '"' + text_of("t") + '"');
    add("confidence", fmt::format("0.{}", random_() % 10));
    add("entities", fmt::format(R"(["{}","{}"])", name(), name()));
    add("k", value());
    if (one_in(9)) add("is_entity", "true");
    memory = with_metadata(std::move(memory), '{' + metadata + '}');
    if (!one_in(4)) memory.author = text_of("a");
    if (!one_in(4)) memory.created_at = at(static_cast<int>(random_() % 20));
    if (one_in(4)) memory.valid_from = at(static_cast<int>(random_() % 20));
    if (one_in(4)) memory.valid_until = at(static_cast<int>(random_() % 20));
    if (one_in(9)) {
      memory.embedding.clear();
      memory.vector_state = VectorState::none;
    }
    return memory;
  }

  void change() {
    std::vector<Memory> changed;
    for (int i = 0; i < 3; ++i) {
      const auto place = random_() % held_.size();
      Memory fresh = memory(std::stoi(held_[place].legacy_id.substr(1)));
      if (std::none_of(changed.begin(), changed.end(),
                       [&](const Memory& other) { return other.id == fresh.id; })) {
        held_[place] = fresh;
        changed.push_back(std::move(fresh));
      }
    }
    ASSERT_THAT(bank_.write({.memories = changed, .on_conflict = OnConflict::replace}), Succeeds());
    const auto gone = held_.begin() + static_cast<std::ptrdiff_t>(random_() % held_.size());
    ASSERT_THAT(bank_.erase(gone->id), HasValue(true));
    held_.erase(gone);
  }

  MemoryFilter filter() {
    MemoryFilter filter;
    const unsigned rarity = 1 + static_cast<unsigned>(random_() % 8);
    const auto wanted = [&] { return one_in(2 + rarity); };
    if (wanted()) filter.networks = {"world", "nowhere"};
    if (wanted()) filter.kinds = {MemoryKind::memory};
    if (wanted()) filter.valid_at = at(static_cast<int>(random_() % 21));
    if (wanted()) filter.categories = {text_of("c"), text_of("c")};
    if (wanted()) filter.source_types = {text_of("s")};
    if (wanted()) filter.authors = {text_of("a"), "none"};
    if (wanted()) filter.tasks = {text_of("t")};
    if (wanted()) filter.entities = {name(), name()};
    if (wanted()) filter.min_confidence = 0.1 * static_cast<double>(random_() % 10);
    if (wanted()) filter.max_confidence = filter.min_confidence.value_or(0) * 0.5 + 0.5;
    if (wanted()) filter.since = at(static_cast<int>(random_() % 20));
    if (wanted()) filter.until = at(21 - static_cast<int>(random_() % 2));
    if (wanted()) filter.metadata = object(fmt::format(R"({{"k":{}}})", value()));
    return filter;
  }

  void compare() {
    const MemoryFilter asked = filter();
    const std::size_t k = one_of<std::size_t>({0, 1, 3, 10, 1'000'000'000});
    const auto query = vector();
    std::vector<std::string> passing;
    std::vector<std::pair<double, std::string>> near;
    std::set<std::string> with_tea;
    // The order of held_ is that of insertion.
    for (const Memory& memory : held_) {
      if (!matches(asked, memory)) continue;
      passing.push_back(memory.legacy_id);
      if (!memory.embedding.empty())
        near.emplace_back(cosine(query, memory.embedding), memory.legacy_id);
      if (memory.content.starts_with("tea")) with_tea.insert(memory.legacy_id);
    }
    hits_ += static_cast<int>(passing.size());
    EXPECT_EQ(names_of(*bank_.page({.limit = 1'000, .filter = asked})), passing);
    const std::size_t limit = std::min<std::size_t>(k, 7);
    EXPECT_THAT(*bank_.page({.limit = limit, .filter = asked}),
                testing::SizeIs(std::min(limit, passing.size())));

    std::stable_sort(near.begin(), near.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    std::vector<std::string> nearest;
    for (std::size_t i = 0; i < std::min(k, near.size()); ++i) nearest.push_back(near[i].second);
    EXPECT_EQ(names_of(bank_, *bank_.nearest(query, k, asked)), nearest);

    const auto words = names_of(bank_, *bank_.keyword("tea", k, asked));
    EXPECT_EQ(words.size(), std::min(k, with_tea.size()));
    const std::set<std::string> distinct(words.begin(), words.end());
    EXPECT_EQ(distinct.size(), words.size());
    EXPECT_TRUE(std::includes(with_tea.begin(), with_tea.end(), distinct.begin(), distinct.end()));
  }

  Bank& bank_;
  std::mt19937_64 random_;
  std::vector<Memory> held_;
  int hits_ = 0;
};

TEST_P(BankContract, FiltersGiveExactlyWhatMatchesWhateverTheBank) {
  RandomFilters(bank(), test_seed()).run(soak() ? 2'000 : 300, soak() ? 1'000 : 60);
}

}  // namespace
}  // namespace bb5
