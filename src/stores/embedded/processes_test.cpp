#include <chrono>
#include <memory>
#include <set>
#include <thread>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "model/graph_fold.hpp"
#include "stores/embedded/testing/child_process.hpp"
#include "stores/embedded/testing/sample_memories.hpp"

// What several processes, a kill and a full disk do to a bank.
namespace bb5::embedded {
namespace {

using testing::IsEmpty;

constexpr std::size_t dimension = 16;
constexpr std::int64_t batch_size = 20;

/// The graph must be the fold of what is held, and every check must pass.
void expect_sound(Bank& bank) {
  EXPECT_THAT(bank.check(true), HasValue(IsEmpty()));
  const auto memories = bank.page({.limit = 1'000'000});
  ASSERT_THAT(memories, Succeeds());
  std::vector<MemoryMentions> mentions;
  for (const Memory& memory : *memories) mentions.push_back({memory.id, memory.entities});
  const auto entity_facts = bank.entity_facts(0, 1'000'000);
  const auto relationship_facts = bank.relationship_facts(0, 1'000'000);
  const FoldedGraph expected = fold(*entity_facts, *relationship_facts, mentions);
  const auto counts = bank.graph_counts();
  ASSERT_THAT(counts, Succeeds());
  EXPECT_EQ(counts->entities, std::ssize(expected.entities));
  EXPECT_EQ(counts->mentions, std::ssize(expected.mentions));
  const auto entities = bank.entities({}, 1'000'000);
  for (const Entity& entity : *entities) {
    EXPECT_EQ(entity.mention_count, expected.entities.at(entity.key).mention_count) << entity.key;
  }
  for (std::size_t i = 0; i < memories->size(); i += 97) {
    const Memory& memory = (*memories)[i];
    const auto hits = bank.nearest(memory.embedding, 1, {});
    ASSERT_THAT(hits, Succeeds());
    EXPECT_EQ(hits->hits.at(0).id, memory.id);
  }
}

void make_bank(const std::filesystem::path& file) {
  const auto bank = open_bank(file);
  ASSERT_THAT(bank->set_embedder({.model = "test", .dimension = dimension}), Succeeds());
}

/// Numbers of the batches that are there; fails when one is there in part.
std::set<std::int64_t> whole_batches(const Bank& bank) {
  std::map<std::int64_t, std::int64_t> found;
  const auto memories = bank.page({.limit = 1'000'000, .with_embeddings = false});
  EXPECT_THAT(memories, Succeeds());
  for (const Memory& memory : *memories)
    ++found[std::stoll(memory.legacy_id.substr(1)) / batch_size];
  std::set<std::int64_t> whole;
  for (const auto& [number, size] : found) {
    EXPECT_EQ(size, batch_size) << "batch " << number;
    whole.insert(number);
  }
  return whole;
}

TEST(Processes, ManyWriteOneBankAndNothingIsLost) {
  const TemporaryFolder folder;
  const auto file = folder / "bank.db";
  constexpr std::int64_t writers = 4;
  constexpr std::int64_t batches_each = 25;
  std::vector<std::unique_ptr<ChildProcess>> children;
  for (std::int64_t writer = 0; writer < writers; ++writer) {
    children.push_back(std::make_unique<ChildProcess>([&](const ChildProcess::Report&) {
      const auto bank = open_bank(file);  // all of them make it at once
      if (!bank->set_embedder({.model = "test", .dimension = dimension})) ::_exit(4);
      for (std::int64_t i = 0; i < batches_each; ++i) {
        const auto batch = sample_batch((i * writers + writer) * batch_size, batch_size, dimension);
        if (!bank->write({.memories = batch})) ::_exit(5);
        if (!bank->nearest(batch[0].embedding, 1, {})) ::_exit(6);
      }
    }));
  }
  for (auto& child : children) EXPECT_EQ(child->wait(), 0);
  const auto bank = open_bank(file);
  EXPECT_EQ(whole_batches(*bank).size(), static_cast<std::size_t>(writers * batches_each));
  expect_sound(*bank);
}

TEST(Processes, AKillLosesNothingAcknowledgedAndNeedsNoRepair) {
  const TemporaryFolder folder;
  const auto file = folder / "bank.db";
  make_bank(file);
  std::mt19937_64 random(test_seed());
  std::int64_t next = 0;
  const int rounds = soak() ? 300 : 15;
  for (int round = 0; round < rounds; ++round) {
    // Two processes at once: one writes and acknowledges, the other writes too and searches.
    ChildProcess writer([&](const ChildProcess::Report& report) {
      const auto bank = open_bank(file);
      for (std::int64_t number = next; number < next + 10'000; ++number) {
        if (!bank->write({.memories = sample_batch(number * batch_size, batch_size, dimension)}))
          ::_exit(4);
        report(number);
      }
    });
    ChildProcess neighbour([&](const ChildProcess::Report&) {
      const auto bank = open_bank(file);
      for (std::int64_t i = 0;; ++i) {
        const auto changed = sample_memory(i % (1 + next * batch_size), dimension);
        (void)bank->nearest(changed.embedding, 3, {});
        (void)bank->fold_graph();
      }
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(5 + random() % 60));
    writer.kill();
    neighbour.kill();
    const std::int64_t acknowledged = writer.last_report();

    const auto bank = open_bank(file);
    const auto whole = whole_batches(*bank);
    for (std::int64_t number = 0; number <= std::max(acknowledged, next - 1); ++number) {
      EXPECT_TRUE(whole.contains(number)) << "batch " << number << " was acknowledged";
    }
    EXPECT_LE(std::ssize(whole), std::max(acknowledged + 1, next) + 1)
        << "at most one batch was under way";
    if (round % 5 == 4) expect_sound(*bank);
    if (testing::Test::HasFailure()) return;
    next = std::ssize(whole);
  }
}

/// Writes batches until one fails; reports each that went in; exit status 0 when the failure was
/// the right one.
void write_until_full(const std::filesystem::path& file, const ChildProcess::Report& report,
                      bool goes_on_afterwards) {
  const auto bank = open_bank(file);
  for (std::int64_t number = 0; number < 5000; ++number) {
    const auto written =
        bank->write({.memories = sample_batch(number * batch_size, batch_size, dimension)});
    if (!written) {
      // The bank goes on reading.
      const bool reads = bank->page({.limit = 10}).has_value() &&
                         bank->nearest(sample_memory(0, dimension).embedding, 1, {}).has_value();
      if (written.error().code != Errc::out_of_space) {
        std::fprintf(stderr, "%s: %s\n", written.error().message.c_str(),
                     written.error().detail.c_str());
      }
      const rlimit unlimited{.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
      if (written.error().code != Errc::out_of_space || !reads) ::_exit(5);
      if (!goes_on_afterwards) ::_exit(0);
      ::setrlimit(RLIMIT_FSIZE, &unlimited);
      if (!bank->write({.memories = sample_batch(number * batch_size, batch_size, dimension)}))
        ::_exit(7);
      report(number);
      ::_exit(0);
    }
    report(number);
  }
  ::_exit(6);
}

void expect_all_acknowledged(const std::filesystem::path& file, std::int64_t acknowledged) {
  const auto bank = open_bank(file);
  EXPECT_EQ(std::ssize(whole_batches(*bank)), acknowledged + 1);
  expect_sound(*bank);
  EXPECT_THAT(bank->write({.memories = sample_batch(1'000'000, batch_size, dimension)}),
              Succeeds());
  expect_sound(*bank);
}

TEST(Processes, AFileSizeLimitIsReportedAndHarmsNothing) {
  for (const rlim_t limit_bytes : {400'000U, 1'000'000U, 3'000'000U}) {
    const TemporaryFolder folder;
    const auto file = folder / "bank.db";
    make_bank(file);
    ChildProcess child([&](const ChildProcess::Report& report) {
      std::signal(SIGXFSZ, SIG_IGN);
      const rlimit limit{.rlim_cur = limit_bytes, .rlim_max = RLIM_INFINITY};
      ::setrlimit(RLIMIT_FSIZE, &limit);
      write_until_full(file, report, true);
    });
    EXPECT_EQ(child.wait(), 0);
    expect_all_acknowledged(file, child.last_report());
  }
}

TEST(Processes, AFullDiskIsReportedAndHarmsNothing) {
  const TemporaryFolder folder;
  const auto disk = folder / "disk";
  std::filesystem::create_directory(disk);
  if (::mount("none", disk.c_str(), "tmpfs", 0, "size=4m") != 0)
    GTEST_SKIP() << "may not mount a small disk";
  const std::shared_ptr<void> unmount(nullptr, [&](void*) { ::umount2(disk.c_str(), MNT_DETACH); });
  const auto file = disk / "bank.db";
  make_bank(file);
  std::int64_t acknowledged = -1;
  {
    ChildProcess child(
        [&](const ChildProcess::Report& report) { write_until_full(file, report, false); });
    EXPECT_EQ(child.wait(), 0);
    acknowledged = child.last_report();
  }
  EXPECT_GT(acknowledged, 0);
  {
    const auto bank = open_bank(file);
    EXPECT_EQ(std::ssize(whole_batches(*bank)), acknowledged + 1)
        << "readable while the disk is still full";
  }
  ASSERT_EQ(::mount("none", disk.c_str(), "tmpfs", MS_REMOUNT, "size=64m"), 0);
  expect_all_acknowledged(file, acknowledged);
}

TEST(Processes, ALockOfADeadProcessIsFree) {
  const TemporaryFolder folder;
  const auto file = folder / "bank.db";
  make_bank(file);
  ChildProcess child([&](const ChildProcess::Report& report) {
    const auto bank = open_bank(file);
    const auto migration = bank->lock_migration();
    const auto relay = bank->lock_relay();
    report(migration.has_value() && relay.has_value() ? 1 : 0);
    ::pause();
  });
  while (child.last_report() < 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  ASSERT_EQ(child.last_report(), 1);
  const auto bank = open_bank(file);
  EXPECT_THAT(bank->lock_migration(), FailsWith(Errc::locked));
  EXPECT_THAT(bank->lock_relay(), FailsWith(Errc::locked));
  child.kill();
  EXPECT_THAT(bank->lock_migration(), Succeeds());
  EXPECT_THAT(bank->lock_relay(), Succeeds());
}

}  // namespace
}  // namespace bb5::embedded
