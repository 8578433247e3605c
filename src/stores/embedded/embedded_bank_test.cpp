#include "stores/embedded/embedded_bank.hpp"

#include <cctype>
#include <fstream>
#include <thread>

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stores/embedded/testing/sample_memories.hpp"

namespace bb5::embedded {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

void run_sql(const std::filesystem::path& file, const char* sql) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_close(db);
}

class OpenEmbeddedBank : public testing::Test {
 protected:
  Result<std::unique_ptr<Bank>> open(bool create) { return open(file_, create); }
  /// Remedies follow other words, so they read as every other store's do.
  static Result<std::unique_ptr<Bank>> open(const std::filesystem::path& file, bool create) {
    auto bank = open_embedded_bank(
        {.file = file, .create = create, .busy_timeout = std::chrono::milliseconds(50)});
    if (!bank) {
      const std::string& remedy = bank.error().remedy;
      EXPECT_FALSE(remedy.ends_with('.')) << remedy;
      EXPECT_FALSE(!remedy.empty() && std::isupper(static_cast<unsigned char>(remedy[0])) != 0)
          << remedy;
    }
    return bank;
  }
  TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_ / "bank.db";
};

TEST_F(OpenEmbeddedBank, AMissingFileIsMadeOnlyOnRequest) {
  EXPECT_THAT(open(false), FailsWith(Errc::not_found));
  EXPECT_FALSE(std::filesystem::exists(file_));
  EXPECT_THAT(open(true), Succeeds());
  EXPECT_THAT(open(false), Succeeds());
}

TEST_F(OpenEmbeddedBank, AMissingFolderIsNotFound) {
  EXPECT_THAT(open(folder_ / "none/bank.db", true), FailsWith(Errc::not_found));
}

TEST_F(OpenEmbeddedBank, AFolderIsNoBank) {
  EXPECT_THAT(open(folder_.path(), true), FailsWith(Errc::invalid_argument));
}

TEST_F(OpenEmbeddedBank, AFileOfAnotherKindIsRefusedAndLeftAlone) {
  const std::string text(5000, 'x');
  write_file(file_, text);
  const auto result = open(true);
  EXPECT_THAT(result, FailsWith(Errc::invalid_argument));
  EXPECT_FALSE(result.error().remedy.empty());
  EXPECT_EQ(read_file(file_), text);
}

TEST_F(OpenEmbeddedBank, AnotherProgramsDatabaseIsRefusedAndLeftAlone) {
  run_sql(file_, "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
  const std::string before = read_file(file_);
  EXPECT_THAT(open(true), FailsWith(Errc::invalid_argument));
  EXPECT_EQ(read_file(file_), before);
}

TEST_F(OpenEmbeddedBank, AnEmptyFileIsNoBankYet) {
  write_file(file_, "");
  EXPECT_THAT(open(false), FailsWith(Errc::not_found));
  EXPECT_THAT(open(true), Succeeds());
}

TEST_F(OpenEmbeddedBank, ANewerSchemaIsUnsupported) {
  open_bank(file_);
  run_sql(file_, "PRAGMA user_version = 2");
  const auto result = open(false);
  EXPECT_THAT(result, FailsWith(Errc::unsupported));
  EXPECT_FALSE(result.error().remedy.empty());
}

TEST_F(OpenEmbeddedBank, AnotherSchemaOfTheSameNumberIsCorrupt) {
  open_bank(file_);
  run_sql(file_, "UPDATE schema_changes SET sha256 = x'00'");
  EXPECT_THAT(open(false), FailsWith(Errc::corrupt));
}

TEST_F(OpenEmbeddedBank, AFileWithoutRightsIsRefused) {
  open_bank(file_);
  std::filesystem::permissions(file_, std::filesystem::perms::none);
  // Root may read everything, so it becomes somebody else for the moment.
  constexpr uid_t nobody = 65534;
  const bool root = ::geteuid() == 0;
  std::filesystem::permissions(file_.parent_path(), std::filesystem::perms::all);
  if (root) {
    ASSERT_EQ(::seteuid(nobody), 0);
  }
  const auto opened = open(false);
  if (root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  EXPECT_THAT(opened, FailsWith(Errc::refused));
}

TEST_F(OpenEmbeddedBank, ReadOnlyRefusesWritesAndNothingElse) {
  {
    const auto bank = open_bank(file_);
    ASSERT_THAT(bank->write({.memories = sample_batch(0, 3, 0)}), Succeeds());
  }
  auto bank = open_embedded_bank({.file = file_, .read_only = true});
  ASSERT_THAT(bank, Succeeds());
  EXPECT_THAT((*bank)->page({}), HasValue(SizeIs(3)));
  EXPECT_THAT((*bank)->keyword("memory", 5, {}), Succeeds());
  EXPECT_THAT((*bank)->write({.memories = sample_batch(3, 1, 0)}), FailsWith(Errc::refused));
  EXPECT_THAT((*bank)->erase(sample_memory(0, 0).id), FailsWith(Errc::refused));
}

TEST_F(OpenEmbeddedBank, OnlyTheOwnerMayReadItsFiles) {
  const auto bank = open_bank(file_);
  ASSERT_THAT(bank->set_embedder({.model = "test", .dimension = 8}), Succeeds());
  ASSERT_THAT(bank->write({.memories = sample_batch(0, 300, 8)}), Succeeds());
  ASSERT_THAT(bank->derive([](const auto&) { return true; }), Succeeds());
  ASSERT_THAT(bank->lock_migration(), Succeeds());
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    struct stat info {};
    ASSERT_EQ(::stat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U) << entry.path();
    ++files;
  }
  EXPECT_GE(files, 5);
}

TEST_F(OpenEmbeddedBank, AHeldWriteLockIsWaitedForAndThenReported) {
  const auto bank = open(true);
  ASSERT_THAT(bank, Succeeds());
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(file_.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_THAT((*bank)->write({.memories = sample_batch(0, 1, 0)}), FailsWith(Errc::locked));
  EXPECT_THAT((*bank)->page({}), HasValue(IsEmpty())) << "readers do not wait";
  ASSERT_EQ(sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  EXPECT_THAT((*bank)->write({.memories = sample_batch(0, 1, 0)}), Succeeds());
}

TEST_F(OpenEmbeddedBank, DamagedPagesAreReportedAsCorrupt) {
  {
    const auto bank = open_bank(file_);
    ASSERT_THAT(bank->write({.memories = sample_batch(0, 500, 0)}), Succeeds());
  }
  {
    std::fstream file(file_, std::ios::in | std::ios::out | std::ios::binary);
    for (std::streamoff page = 2; page < 40; ++page) {
      file.seekp(page * 8192);
      file << std::string(8192, '\xA5');
    }
  }
  const auto bank = open(false);
  if (!bank) {
    EXPECT_THAT(bank, FailsWith(Errc::corrupt));
    return;
  }
  EXPECT_THAT((*bank)->page({.limit = 1000}), FailsWith(Errc::corrupt));
  const auto findings = (*bank)->check(true);
  ASSERT_THAT(findings, Succeeds());
  EXPECT_FALSE(findings->empty());
}

TEST_F(OpenEmbeddedBank, AShortenedFileIsReportedAsCorrupt) {
  {
    const auto bank = open_bank(file_);
    ASSERT_THAT(bank->write({.memories = sample_batch(0, 2000, 0)}), Succeeds());
  }
  std::filesystem::resize_file(file_, std::filesystem::file_size(file_) / 8192 / 2 * 8192);
  const auto bank = open(false);
  if (!bank) {
    EXPECT_THAT(bank, FailsWith(Errc::corrupt));
    return;
  }
  EXPECT_THAT((*bank)->page({.limit = 5000}), FailsWith(Errc::corrupt));
}

TEST_F(OpenEmbeddedBank, TellsWhenTheSchemaWasTamperedWith) {
  const auto bank = open_bank(file_);
  EXPECT_THAT(bank->check(false), HasValue(IsEmpty()));
  run_sql(file_, "DROP INDEX memories_by_legacy_id; CREATE TABLE strange (x)");
  EXPECT_THAT(bank->check(false), HasValue(SizeIs(2)));
}

TEST_F(OpenEmbeddedBank, KeepsItsFileWhenTheProcessGoesToAnotherFolder) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder_.path());
  for (const char* name : {":memory:", "file:odd.db?mode=memory", "plain.db"}) {
    auto bank = open_embedded_bank({.file = name, .create = true});
    ASSERT_THAT(bank, Succeeds()) << name;
    std::filesystem::current_path("/");
    EXPECT_THAT((*bank)->write({.memories = sample_batch(0, 2, 0)}), Succeeds()) << name;
    EXPECT_TRUE(std::filesystem::exists(folder_ / name));
    std::filesystem::current_path(folder_.path());
  }
  std::filesystem::current_path(before);
}

TEST_F(OpenEmbeddedBank, GoesBackToItsLogWhenAnotherToolTurnedItOff) {
  open_bank(file_);
  run_sql(file_, "PRAGMA journal_mode = DELETE");
  const auto bank = open_bank(file_);
  ASSERT_THAT(bank->write({.memories = sample_batch(0, 2, 0)}), Succeeds());
  EXPECT_TRUE(std::filesystem::exists(folder_ / "bank.db-wal"));
}

TEST_F(OpenEmbeddedBank, ManyThreadsMakeTheSameBankAtOnce) {
  std::vector<std::thread> threads;
  threads.reserve(8);
  std::atomic<int> opened = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      const auto bank = open_embedded_bank({.file = file_, .create = true});
      if (!bank) {
        ADD_FAILURE() << bank.error().message << bank.error().detail;
        return;
      }
      const auto batch = sample_batch(i, 1, 0);
      if ((*bank)->write({.memories = batch})) ++opened;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(opened, 8);
  EXPECT_THAT(open_bank(file_)->page({}), HasValue(SizeIs(8)));
}

TEST(EmbeddedBank, EachBankHasItsOwnFileBesideTheStores) {
  EXPECT_EQ(bank_file("/x/demo.db", "default"), "/x/demo.db");
  EXPECT_EQ(bank_file("/x/demo.db", "work"), "/x/demo.work.db");
  EXPECT_EQ(bank_file("demo", "work"), "demo.work");
}

TEST(EmbeddedBank, StatsCountAllFilesOfTheBank) {
  const TemporaryFolder folder;
  const auto bank = open_bank(folder / "bank.db");
  ASSERT_THAT(bank->set_embedder({.model = "test", .dimension = 8}), Succeeds());
  ASSERT_THAT(bank->write({.memories = sample_batch(0, 1000, 8)}), Succeeds());
  ASSERT_THAT(bank->nearest(sample_memory(1, 8).embedding, 1, {}), Succeeds());
  std::int64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    bytes += static_cast<std::int64_t>(entry.file_size());
  }
  EXPECT_TRUE(std::filesystem::exists(folder / "bank.db-codes"));
  EXPECT_EQ(bank->stats()->bytes_on_disk, bytes);
}

TEST(EmbeddedBank, PlacesAreNeverGivenOutTwice) {
  const TemporaryFolder folder;
  const auto bank = open_bank(folder / "bank.db");
  ASSERT_THAT(bank->write({.memories = sample_batch(0, 3, 0)}), Succeeds());
  ASSERT_THAT(bank->erase(sample_memory(2, 0).id), HasValue(true));
  ASSERT_THAT(bank->write({.memories = sample_batch(3, 1, 0)}), Succeeds());
  EXPECT_EQ(bank->page({.after_seq = 2})->at(0).seq, 4);
}

TEST(EmbeddedBank, AWriteAfterABulkLoadFoldsWhatTheLoadLeft) {
  const TemporaryFolder folder;
  const auto bank = open_bank(folder / "bank.db");
  ASSERT_THAT(bank->write({.memories = sample_batch(0, 100, 0), .fold = false}), Succeeds());
  EXPECT_EQ(bank->graph_counts()->entities, 0);
  ASSERT_THAT(bank->write({.memories = sample_batch(100, 1, 0)}), Succeeds());
  EXPECT_EQ(bank->graph_counts()->entities, 57);
  EXPECT_EQ(bank->graph_counts()->mentions, 202);
}

TEST(EmbeddedBank, ReadersOfManyThreadsSeeWholeBatches) {
  const TemporaryFolder folder;
  const auto bank = open_bank(folder / "bank.db");
  ASSERT_THAT(bank->set_embedder({.model = "test", .dimension = 8}), Succeeds());
  std::atomic<bool> done = false;
  std::vector<std::thread> readers;
  readers.reserve(3);
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!done) {
        const auto page = bank->page({.limit = 10'000});
        if (!page || page->size() % 20 != 0) ADD_FAILURE() << "a batch in part";
        const auto stats = bank->stats();
        if (!stats || stats->memories % 20 != 0) ADD_FAILURE() << "a batch in part";
        const auto hits = bank->nearest(sample_memory(0, 8).embedding, 1, {});
        if (!hits || (page && !page->empty() && (hits->hits.empty() || hits->hits[0].seq != 1))) {
          ADD_FAILURE() << "the nearest is not the first";
        }
      }
    });
  }
  for (std::int64_t i = 0; i < 40; ++i)
    ASSERT_THAT(bank->write({.memories = sample_batch(i * 20, 20, 8)}), Succeeds());
  done = true;
  for (auto& reader : readers) reader.join();
  EXPECT_THAT(bank->check(true), HasValue(IsEmpty()));
}

}  // namespace
}  // namespace bb5::embedded
