#include "sources/blackbox5/cache_reader.hpp"

#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_folder.hpp"

namespace bb5::blackbox5 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct Read {
  std::vector<SourceRecord> records;
  std::vector<LedgerIssue> file_issues;
};

Read read_cache(const std::string& bytes, std::size_t window_bytes) {
  const TemporaryFolder folder;
  write_file(folder / "cache.json", bytes);
  auto reader = open_cache((folder / "cache.json").string(), window_bytes);
  EXPECT_THAT(reader, Succeeds());
  Read read;
  while (auto record = *(*reader)->next()) read.records.push_back(std::move(*record));
  read.file_issues = (*reader)->file_issues();
  return read;
}

const std::string key(32, 'a');

TEST(CacheReader, GivesEveryVectorByItsKey) {
  const auto read =
      read_cache("{\"" + key + "\": [0.5, 0.25], \"" + std::string(32, 'b') + "\": [1.0]}",
                 default_window_bytes);
  ASSERT_THAT(read.records, SizeIs(2));
  const auto& entry = std::get<EmbeddingCache::Entry>(read.records[0].item);
  EXPECT_EQ(entry.text_md5, key);
  EXPECT_THAT(entry.embedding, ElementsAre(0.5F, 0.25F));
  EXPECT_THAT(read.file_issues, IsEmpty());
}

// A fuzzer cut the window within a number that stood where a vector ought to be: the half number
// was taken for the whole, and all that followed for damage.
TEST(CacheReader, AWindowThatEndsWithinANumberChangesNothing) {
  const std::string bytes = "{\"x\": 7010000 , \"" + key + "\": [0.5]}";
  for (std::size_t window = 1; window < bytes.size(); ++window) {
    const auto read = read_cache(bytes, window);
    ASSERT_THAT(read.records, SizeIs(2)) << window;
    EXPECT_THAT(read.records[0].issues, SizeIs(1)) << window;
    EXPECT_EQ(read.records[0].issues[0].raw, "\"x\": 7010000") << window;
    EXPECT_THAT(read.file_issues, IsEmpty()) << window;
  }
}

}  // namespace
}  // namespace bb5::blackbox5
