#include "stores/embedded/vector_search.hpp"

#include <algorithm>
#include <fstream>
#include <map>

#include "model/cosine.hpp"
#include "stores/embedded/testing/sample_memories.hpp"

namespace bb5::embedded {
namespace {

using testing::IsEmpty;

/// A bank and, beside it, what it must hold.
class VectorSearchTest : public testing::Test {
 protected:
  static constexpr std::size_t dimension = 40;

  void SetUp() override {
    reopen();
    ASSERT_THAT(bank_->set_embedder({.model = "test", .dimension = dimension}), Succeeds());
  }

  void reopen() {
    bank_.reset();
    bank_ = open_bank(file_);
  }

  void write(const std::vector<Memory>& batch) {
    const auto outcome =
        bank_->write({.memories = batch, .on_conflict = OnConflict::replace, .fold = false});
    ASSERT_THAT(outcome, Succeeds());
    for (const Memory& memory : batch) held_[memory.id] = memory;
    std::vector<MemoryId> ids;
    ids.reserve(batch.size());
    for (const Memory& memory : batch) ids.push_back(memory.id);
    const auto written = bank_->get(ids, false);
    for (const Memory& memory : *written) held_[memory.id].seq = memory.seq;
  }

  /// Some are not valid at all times: tens of them, so that the scan has to leave out many.
  void write_samples(std::int64_t first, std::int64_t count) {
    std::vector<Memory> batch = sample_batch(first, count, dimension);
    for (std::int64_t i = 0; i < count; ++i) {
      Memory& memory = batch[static_cast<std::size_t>(i)];
      if ((first + i) % 3 == 0) memory.valid_from = moment((first + i) % 11);
      if ((first + i) % 4 == 0) memory.valid_until = moment((first + i) % 13);
      // Few of some, many of others: listed vectors are read one by one, or sieved from a scan.
      memory.category = "c" + std::to_string((first + i) % 9 == 0 ? (first + i) % 11 : 11);
      memory.created_at = moment((first + i) % 10);
    }
    write(batch);
  }

  static Timestamp moment(std::int64_t second) { return Timestamp(std::chrono::seconds(second)); }

  void erase(const MemoryId& id) {
    ASSERT_THAT(bank_->erase(id), HasValue(true));
    held_.erase(id);
  }

  std::vector<Hit> brute_force(const std::vector<float>& query, std::size_t k,
                               const MemoryFilter& filter) const {
    std::vector<Hit> hits;
    for (const auto& [id, memory] : held_) {
      if (memory.embedding.empty() || !matches(filter, memory)) continue;
      hits.push_back({id, memory.seq, cosine(query, memory.embedding)});
    }
    std::sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) {
      return a.score != b.score ? a.score > b.score : a.seq < b.seq;
    });
    if (hits.size() > k) hits.resize(k);
    return hits;
  }

  void expect_exact(std::mt19937_64& random, int rounds) {
    for (int round = 0; round < rounds; ++round) {
      std::vector<float> query = random_vector(random, dimension);
      if (round % 3 == 0 && !held_.empty()) {  // near something that is there
        auto at = held_.begin();
        std::advance(at, static_cast<std::ptrdiff_t>(random() % held_.size()));
        if (!at->second.embedding.empty()) query = at->second.embedding;
      }
      const std::size_t k = std::vector<std::size_t>{1, 3, 10, 50, 400, 100'000}[random() % 6];
      MemoryFilter filter;
      if (random() % 3 == 0) filter.networks = {std::string(known_networks[random() % 4])};
      if (random() % 5 == 0) filter.networks.emplace_back("rare");
      if (random() % 4 == 0) filter.kinds = {MemoryKind::memory};
      if (random() % 2 == 0) filter.valid_at = moment(static_cast<std::int64_t>(random() % 14));
      if (random() % 3 == 0) filter.categories = {"c" + std::to_string(random() % 12)};
      if (random() % 4 == 0) filter.since = moment(static_cast<std::int64_t>(random() % 12));
      const auto result = bank_->nearest(query, k, filter);
      ASSERT_THAT(result, Succeeds());
      const auto expected = brute_force(query, k, filter);
      ASSERT_EQ(result->hits.size(), expected.size()) << "k " << k << ", " << result->plan.index;
      for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_TRUE(result->hits[i] == expected[i])
            << "k " << k << ", place " << i << ": seq " << result->hits[i].seq << " with "
            << result->hits[i].score << " instead of seq " << expected[i].seq << " with "
            << expected[i].score << ", " << result->plan.index;
      }
      EXPECT_EQ(static_cast<std::size_t>(result->plan.looked_at),
                brute_force(query, 1'000'000, filter).size());
    }
  }

  std::filesystem::path codes_file() const { return folder_ / "bank.db-codes"; }

  TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_ / "bank.db";
  std::unique_ptr<Bank> bank_;
  std::map<MemoryId, Memory> held_;
};

/// The codes of the old vectors are of no use then: of another length, or of the same one.
TEST_F(VectorSearchTest, IsExactAfterTheBankChangedItsModel) {
  std::mt19937_64 random(test_seed());
  write_samples(0, 3'000);
  const auto codes = bank_->derive([](const auto&) { return true; });
  ASSERT_THAT(codes, Succeeds());
  const auto other = open_bank(file_);
  for (const std::size_t length : {dimension, dimension / 2, dimension}) {
    const EmbedderInfo next{"test/" + std::to_string(random()), length};
    std::vector<MadeVector> made;
    for (const Memory& memory : *bank_->lacking(next.model, 0, 10'000)) {
      made.push_back({memory.id, content_sha256_of(memory.content), random_vector(random, length)});
      held_[memory.id].embedding = made.back().embedding;
    }
    ASSERT_THAT(bank_->hold_vectors(next, made), HasValue(std::ssize(made)));
    ASSERT_THAT(bank_->change_model(next), HasValue(0));
    for (const Bank* bank : {bank_.get(), other.get()}) {
      const auto query = random_vector(random, length);
      const auto found = bank->nearest({query, next.model}, 20, {});
      ASSERT_THAT(found, Succeeds());
      EXPECT_EQ(found->hits, brute_force(query, 20, {}));
      EXPECT_EQ(found->plan.index, "exact int8 → float");
    }
  }
  EXPECT_THAT(bank_->check(true), HasValue(IsEmpty()));
}

TEST_F(VectorSearchTest, IsExactThroughAnyHistoryOfWritesReplacementsAndDeletes) {
  std::mt19937_64 random(test_seed());
  std::int64_t next = 0;
  const int steps = soak() ? 400 : 60;
  for (int step = 0; step < steps; ++step) {
    switch (random() % 6) {
      case 0:
      case 1: {
        const auto count = static_cast<std::int64_t>(1 + random() % 400);
        write_samples(next, count);
        next += count;
        break;
      }
      case 2: {  // new vectors for old memories, some the same as another's, some rare
        std::vector<Memory> batch;
        for (int i = 0; i < 50 && next > 0; ++i) {
          Memory changed = sample_memory(
              static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(next)), dimension);
          const bool twice = std::any_of(batch.begin(), batch.end(),
                                         [&](const Memory& m) { return m.id == changed.id; });
          if (twice) continue;
          changed.embedding = random() % 3 == 0 ? sample_memory(1, dimension).embedding
                                                : random_vector(random, dimension);
          if (random() % 20 == 0) changed.network = "rare";
          if (random() % 20 == 0) {
            changed.embedding.clear();
            changed.vector_state = VectorState::none;
          }
          batch.push_back(std::move(changed));
        }
        write(batch);
        break;
      }
      case 3: {  // deletes, often of neighbours
        for (int i = 0; i < 40 && held_.size() > 5; ++i) {
          auto at = held_.begin();
          std::advance(at, static_cast<std::ptrdiff_t>(random() % held_.size()));
          erase(MemoryId(at->first));
        }
        break;
      }
      case 4:
        reopen();
        break;
      default:
        ASSERT_THAT(bank_->derive([](const auto&) { return true; }), Succeeds());
    }
    expect_exact(random, 6);
    if (HasFatalFailure()) return;
  }
  EXPECT_THAT(bank_->check(true), HasValue(IsEmpty()));
}

TEST_F(VectorSearchTest, DeletingTheNearestOnesNeverMakesTheAnswerShort) {
  std::mt19937_64 random(test_seed());
  write_samples(0, 3000);
  ASSERT_THAT(bank_->nearest(random_vector(random, dimension), 1, {}), Succeeds());
  ASSERT_TRUE(std::filesystem::exists(codes_file()));
  const auto query = random_vector(random, dimension);
  for (const Hit& hit : brute_force(query, 700, {})) erase(hit.id);
  const auto result = bank_->nearest(query, 10, {});
  ASSERT_THAT(result, Succeeds());
  EXPECT_EQ(result->hits, brute_force(query, 10, {}));
}

TEST_F(VectorSearchTest, ClosingTheNearestOnesNeverMakesTheAnswerShort) {
  std::mt19937_64 random(test_seed());
  write_samples(0, 3000);
  const auto query = random_vector(random, dimension);
  ASSERT_THAT(bank_->nearest(query, 1, {}), Succeeds());
  ASSERT_TRUE(std::filesystem::exists(codes_file()));
  const MemoryFilter now{.valid_at = moment(1'000)};
  std::vector<Memory> closed;
  for (const Hit& hit : brute_force(query, 700, now)) {
    closed.push_back(held_.at(hit.id));
    closed.back().valid_until = moment(500);
  }
  write(closed);
  const auto result = bank_->nearest(query, 10, now);
  ASSERT_THAT(result, Succeeds());
  EXPECT_EQ(result->plan.index, "exact int8 → float");
  EXPECT_EQ(result->hits, brute_force(query, 10, now));
  EXPECT_EQ(bank_->nearest(query, 10, {})->hits, brute_force(query, 10, {}));
}

TEST_F(VectorSearchTest, EqualVectorsComeInOrderOfInsertion) {
  auto batch = sample_batch(0, 1000, dimension);
  for (Memory& memory : batch) memory.embedding = batch[0].embedding;
  write(batch);
  const auto result = bank_->nearest(batch[0].embedding, 30, {});
  ASSERT_THAT(result, Succeeds());
  for (std::size_t i = 0; i < 30; ++i)
    EXPECT_EQ(result->hits[i].seq, static_cast<std::int64_t>(i + 1));
}

TEST_F(VectorSearchTest, TakesNumbersOfEverySize) {
  std::mt19937_64 random(test_seed());
  auto batch = sample_batch(0, 600, dimension);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const float stretch = std::pow(10.0F, static_cast<float>(static_cast<int>(i % 70) - 35));
    for (float& x : batch[i].embedding) x *= stretch;
    batch[i].embedding[0] = 1e-30F;
  }
  write(batch);
  expect_exact(random, 30);
}

TEST_F(VectorSearchTest, AnotherHandlesWritesAreFoundAtOnce) {
  std::mt19937_64 random(test_seed());
  write_samples(0, 1000);
  expect_exact(random, 3);
  const auto other = open_bank(file_);
  std::swap(bank_, const_cast<std::unique_ptr<Bank>&>(other));
  write_samples(1000, 600);
  expect_exact(random, 3);
  for (int i = 0; i < 500; ++i) erase(MemoryId(held_.begin()->first));
  std::swap(bank_, const_cast<std::unique_ptr<Bank>&>(other));
  expect_exact(random, 10);
}

TEST_F(VectorSearchTest, DamageToTheFileOfCodesIsFoundAndMended) {
  std::mt19937_64 random(test_seed());
  write_samples(0, 1500);
  expect_exact(random, 2);
  bank_.reset();
  const std::string whole = read_file(codes_file());
  std::vector<std::string> damaged = {"",
                                      "x",
                                      whole.substr(0, 100),
                                      whole.substr(0, 4096),
                                      whole.substr(0, whole.size() / 2),
                                      whole.substr(0, whole.size() - 1),
                                      std::string(whole.size(), '\0'),
                                      whole + std::string(100'000, 'x')};
  for (int i = 0; i < 60; ++i) {
    damaged.push_back(whole);
    const int flips = 1 + static_cast<int>(random() % 3);
    for (int j = 0; j < flips; ++j) {
      const std::size_t at = i < 20 ? random() % 600 : random() % whole.size();
      damaged.back()[at] = static_cast<char>(damaged.back()[at] ^ (1 << (random() % 8)));
    }
  }
  for (const std::string& bytes : damaged) {
    write_file(codes_file(), bytes);
    reopen();
    expect_exact(random, 3);
    ASSERT_FALSE(HasFatalFailure()) << bytes.size() << " bytes";
    EXPECT_THAT(bank_->check(true), HasValue(IsEmpty()));
    bank_.reset();
  }
  std::filesystem::remove(codes_file());
  reopen();
  expect_exact(random, 3);
}

TEST_F(VectorSearchTest, AnOlderDatabaseUnderANewerFileOfCodesIsNoticed) {
  std::mt19937_64 random(test_seed());
  write_samples(0, 600);
  expect_exact(random, 1);
  bank_.reset();
  const std::string backup = read_file(file_);
  const auto held_then = held_;
  for (const bool rewrite : {false, true}) {
    // The bank goes on, its codes grow; then the backup is put back, and history takes another
    // turn.
    reopen();
    write_samples(1000, 500);
    expect_exact(random, 2);
    bank_.reset();
    write_file(file_, backup);
    held_ = held_then;
    reopen();
    if (rewrite) write_samples(3000, 900);
    expect_exact(random, 10);
    bank_.reset();
    write_file(file_, backup);
    held_ = held_then;
  }
}

TEST_F(VectorSearchTest, CodesOfAnotherHistoryCannotHideTheNearest) {
  std::mt19937_64 random(test_seed());
  const auto query = random_vector(random, dimension);
  write_samples(0, 600);
  expect_exact(random, 1);
  bank_.reset();
  const std::string backup = read_file(file_);
  const auto held_then = held_;
  reopen();
  auto opposite = sample_batch(1000, 500, dimension);
  for (Memory& memory : opposite) {
    for (std::size_t i = 0; i < dimension; ++i)
      memory.embedding[i] = -query[i] + memory.embedding[i] * 0.1F;
  }
  write(opposite);
  ASSERT_THAT(bank_->nearest(query, 10, {}), Succeeds());
  bank_.reset();
  write_file(file_, backup);
  held_ = held_then;
  reopen();
  auto others = sample_batch(3000, 700, dimension);
  others[100].embedding = query;
  write(others);
  EXPECT_EQ(bank_->nearest(query, 10, {})->hits, brute_force(query, 10, {}));
}

TEST_F(VectorSearchTest, AnswersWithoutAFileOfCodesWhereNoneCanBeWritten) {
  std::mt19937_64 random(test_seed());
  write_samples(0, 800);
  std::filesystem::create_directories(folder_ / "bank.db-codes-lock");  // the lock cannot be taken
  expect_exact(random, 5);
  EXPECT_FALSE(std::filesystem::exists(codes_file()));
  EXPECT_EQ(bank_->nearest(random_vector(random, dimension), 1, {})->plan.index, "exact float");
}

TEST_F(VectorSearchTest, DerivesInPiecesAndCanBeStopped) {
  write_samples(0, 2000);
  auto steps = bank_->derived_steps();
  ASSERT_THAT(steps, Succeeds());
  EXPECT_EQ(steps->at(0).state, "waiting");
  EXPECT_EQ(steps->at(0).total, 2000);
  EXPECT_THAT(bank_->derive([](const auto&) { return false; }), FailsWith(Errc::cancelled));
  EXPECT_THAT(bank_->derive([](const auto&) { return true; }), Succeeds());
  EXPECT_EQ(bank_->derived_steps()->at(0).done, 2000);
  EXPECT_EQ(bank_->derived_steps()->at(0).state, "ready");
}

TEST_F(VectorSearchTest, SmallBanksNeedNoFileOfCodes) {
  std::mt19937_64 random(test_seed());
  write_samples(0, 200);
  expect_exact(random, 5);
  EXPECT_FALSE(std::filesystem::exists(codes_file()));
  EXPECT_EQ(bank_->derived_steps()->at(0).state, "ready");
}

}  // namespace
}  // namespace bb5::embedded
