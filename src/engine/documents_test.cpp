#include "engine/documents.hpp"

#include <fstream>
#include <sstream>

#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_folder.hpp"

namespace bb5 {
namespace {

using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

Result<OpenedDocument> piped(const std::string& text, const DocumentReading& reading = {}) {
  std::istringstream in(text);
  return open_document({.path = "-"}, reading, in);
}

TEST(Documents, WhatIsPipedInIsADocumentByItselfUnlessNamed) {
  const auto first = piped("One text.");
  ASSERT_THAT(first, Succeeds());
  EXPECT_THAT(first->document.source, StartsWith("stdin:"));
  EXPECT_EQ(piped("One text.")->document.source, first->document.source);
  EXPECT_NE(piped("Another.")->document.source, first->document.source);
  EXPECT_EQ(piped("One text.", {.name = "chat"})->document.source, "chat");
}

TEST(Documents, ATranscriptMayComeFromAnywhere) {
  const std::string line = R"({"role": "Ada", "content": "Hello there."})";
  EXPECT_EQ(piped(line, {.transcript = true})->document.turns[0].author, "Ada");
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "talk.txt") << line;
  std::istringstream none;
  const DocumentPlace place{.path = folder.path() / "talk.txt"};
  const auto opened = open_document(place, {.transcript = true}, none);
  ASSERT_THAT(opened, Succeeds());
  EXPECT_EQ(opened->document.turns[0].author, "Ada");
  EXPECT_EQ(opened->document.source, source_name(place.path));
  EXPECT_EQ(open_document(place, {}, none)->document.turns[0].author, std::nullopt);
}

TEST(Documents, TooMuchIsRefusedHoweverItComes) {
  const auto read = piped(std::string((std::size_t{64} << 20) + 1, 'x'));
  ASSERT_THAT(read, FailsWith(Errc::invalid_argument));
  EXPECT_EQ(read.error().message, "standard input is larger than 64 MiB");
}

TEST(Documents, AFolderIsListedAndWhatIsNotThereIsNamed) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "a.md") << "A";
  std::ofstream(folder.path() / "b.txt") << "B";
  const auto list = list_documents_of(folder.path());
  ASSERT_THAT(list, Succeeds());
  EXPECT_TRUE(list->folder);
  ASSERT_THAT(list->documents, SizeIs(1));
  EXPECT_EQ(list->documents[0].bytes, 1);
  EXPECT_FALSE(list_documents_of(folder.path() / "b.txt")->folder);
  const auto absent = list_documents_of("/no/such/place");
  ASSERT_THAT(absent, FailsWith(Errc::not_found));
  EXPECT_THAT(absent.error().message, HasSubstr("Source not found: /no/such/place"));
}

TEST(Documents, TheSameFileHasOneNameFromWhereverItIsNamed) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "a.md") << "A";
  std::filesystem::create_symlink(folder.path() / "a.md", folder.path() / "link.md");
  EXPECT_EQ(source_name(folder.path() / "x" / ".." / "a.md"), source_name(folder.path() / "a.md"));
  EXPECT_EQ(source_name(folder.path() / "link.md"), source_name(folder.path() / "a.md"));
}

}  // namespace
}  // namespace bb5
