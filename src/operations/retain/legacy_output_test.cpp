#include "operations/retain/legacy_output.hpp"

#include <fstream>
#include <iterator>

#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_folder.hpp"

namespace bb5 {
namespace {

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {(std::istreambuf_iterator<char>(file)), {}};
}

TEST(LegacyOutput, WritesTheOldSystemsFiles) {
  const TemporaryFolder folder;
  LegacyOutput output;
  output.add({.memories = {{.content = "Caf\u00e9.", .network = "opinion", .confidence = 0.5}},
              .entities = {{.name = "Redis", .type = "technology", .mentions = 2}},
              .relationships = {{.subject = "A", .predicate = "uses", .object = "B"}}},
             {.source = "a.md", .source_type = "task"}, *parse_time("2026-01-02T03:04:05"));
  ASSERT_THAT(output.save(folder.path() / "deep" / "out"), Succeeds());
  const std::string memories = R"([
  {
    "id": null,
    "network": "opinion",
    "content": "Caf\u00e9.",
    "confidence": 0.5,
    "category": null,
    "subcategory": null,
    "source": "a.md",
    "source_type": "task",
    "task_id": null,
    "run_id": null,
    "created_at": "2026-01-02T03:04:05",
    "updated_at": "2026-01-02T03:04:05",
    "entities": [],
    "keywords": [],
    "related_memories": [],
    "belief_version": 1,
    "metadata": {}
  }
])";
  EXPECT_EQ(content(folder.path() / "deep/out/all_memories.json"), memories);
  EXPECT_EQ(content(folder.path() / "deep/out/opinion_memories.json"), memories);
  EXPECT_EQ(content(folder.path() / "deep/out/entities.json"), R"([
  {
    "id": null,
    "name": "Redis",
    "type": "technology",
    "aliases": [],
    "first_seen": "2026-01-02T03:04:05",
    "last_seen": "2026-01-02T03:04:05",
    "mention_count": 2,
    "properties": {}
  }
])");
  EXPECT_EQ(output.relationships, 1);
}

TEST(LegacyOutput, OfNothingTheFilesAreEmptyArrays) {
  const TemporaryFolder folder;
  ASSERT_THAT(LegacyOutput().save(folder.path()), Succeeds());
  for (const char* name : {"all_memories.json", "entities.json", "relationships.json"})
    EXPECT_EQ(content(folder.path() / name), "[]");
}

TEST(LegacyOutput, SaysWhereItCannotWrite) {
  const auto saved = LegacyOutput().save("/proc/nowhere");
  ASSERT_FALSE(saved);
  EXPECT_THAT(saved.error().message, testing::HasSubstr("/proc/nowhere"));
}

}  // namespace
}  // namespace bb5
