#include <map>
#include <memory>

#include <sqlite3.h>

#include "stores/embedded/testing/recording_vfs.hpp"
#include "stores/embedded/testing/sample_memories.hpp"

// A disk that keeps of the unsynced writes what it likes, cut off at any moment.
namespace bb5::embedded {
namespace {

using testing::IsEmpty;

constexpr std::size_t dimension = 16;
constexpr std::int64_t batch_size = 12;

void checkpoint(const std::filesystem::path& file) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, "PRAGMA synchronous = FULL; PRAGMA wal_checkpoint", nullptr, nullptr,
                         nullptr),
            SQLITE_OK);
  sqlite3_close(db);
}

/// What a bank must hold at some point of the recording.
struct Milestone {
  std::size_t position = 0;                       // acknowledged here
  std::map<std::int64_t, std::int64_t> versions;  // of each memory, by its number
};

Memory version_of(std::int64_t number, std::int64_t version) {
  Memory memory = sample_memory(number, dimension);
  if (version > 0) memory.content += " version " + std::to_string(version);
  return memory;
}

std::map<std::int64_t, std::int64_t> versions_in(const Bank& bank) {
  std::map<std::int64_t, std::int64_t> versions;
  const auto memories = bank.page({.limit = 100'000});
  EXPECT_THAT(memories, Succeeds());
  if (!memories) return versions;
  for (const Memory& memory : *memories) {
    const auto at = memory.content.find(" version ");
    const std::int64_t number = std::stoll(memory.legacy_id.substr(1));
    versions[number] = at == std::string::npos ? 0 : std::stoll(memory.content.substr(at + 9));
    EXPECT_EQ(memory.embedding, sample_memory(number, dimension).embedding);
  }
  return versions;
}

TEST(PowerCut, LeavesEveryBatchWhollyThereOrWhollyAbsent) {
  std::mt19937_64 random(test_seed());
  const TemporaryFolder folder;
  const auto file = folder / "bank.db";
  const RecordingVfs recording;
  std::vector<Milestone> milestones;
  {
    auto bank = open_bank(file);
    ASSERT_THAT(bank->set_embedder({.model = "test", .dimension = dimension}), Succeeds());
    milestones.push_back({recording.position(), {}});
    for (std::int64_t step = 0; step < 40; ++step) {
      Milestone next = milestones.back();
      std::vector<Memory> batch;
      for (std::int64_t i = 0; i < batch_size; ++i) {
        // Every third step changes old memories, the others add new ones.
        const std::int64_t number =
            step % 3 == 2 ? (step * 7 + i) % (step * 6) : step * batch_size + i;
        if (std::any_of(batch.begin(), batch.end(), [&](const Memory& m) {
              return m.legacy_id == "m" + std::to_string(number);
            }))
          continue;
        batch.push_back(version_of(number, step));
        next.versions[number] = step;
      }
      ASSERT_THAT(bank->write({.memories = batch, .on_conflict = OnConflict::replace}), Succeeds());
      if (step % 5 == 4) {
        const std::int64_t gone = next.versions.begin()->first;
        next.position = recording.position();
        milestones.push_back(next);
        ASSERT_THAT(bank->erase(sample_memory(gone, dimension).id), HasValue(true));
        next.versions.erase(gone);
      }
      next.position = recording.position();
      milestones.push_back(next);
      if (random() % 4 == 0) checkpoint(file);
      if (step == 20) {  // closed and opened: the log is folded in and removed
        bank.reset();
        bank = open_bank(file);
      }
    }
  }
  const std::size_t end = recording.position();
  const int cuts = soak() ? 2000 : 60;
  for (int cut = 0; cut < cuts; ++cut) {
    const std::size_t position =
        milestones.front().position + random() % (end - milestones.front().position);
    const TemporaryFolder after;
    for (const auto& [name, content] : recording.after_power_cut(position, random)) {
      write_file(after / std::filesystem::path(name).filename().string(), content);
    }
    // The state that was acknowledged last, or the one that was being written.
    std::size_t acknowledged = 0;
    while (acknowledged + 1 < milestones.size() &&
           milestones[acknowledged + 1].position <= position)
      ++acknowledged;
    auto bank = open_embedded_bank({.file = after / "bank.db"});
    ASSERT_THAT(bank, Succeeds()) << "cut at " << position << " of " << end;
    const auto versions = versions_in(**bank);
    const bool under_way_went_in =
        acknowledged + 1 < milestones.size() && versions == milestones[acknowledged + 1].versions;
    EXPECT_TRUE(under_way_went_in || versions == milestones[acknowledged].versions)
        << "cut at " << position << " of " << end << ", after " << acknowledged
        << " changes: " << versions.size() << " memories";
    EXPECT_THAT((*bank)->check(true), HasValue(IsEmpty()));
    for (const auto& [number, version] : versions) {
      if (number % 41 != 0) continue;
      const auto hits = (*bank)->nearest(sample_memory(number, dimension).embedding, 1, {});
      ASSERT_THAT(hits, Succeeds());
      EXPECT_EQ(hits->hits.at(0).id, sample_memory(number, dimension).id);
    }
    // Whatever the cut left, the bank goes on.
    EXPECT_THAT((*bank)->write({.memories = sample_batch(100'000, 2, dimension)}), Succeeds());
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace bb5::embedded
