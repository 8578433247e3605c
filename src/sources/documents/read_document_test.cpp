#include "sources/documents/read_document.hpp"

#include <fstream>

#include <gmock/gmock.h>

#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_folder.hpp"

namespace bb5 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

void write(const std::filesystem::path& path, std::string_view bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string text_of(std::string_view bytes) {
  auto read = read_document(bytes, DocumentFormat::text, "a.md");
  EXPECT_THAT(read, Succeeds());
  return read && read->document.turns.size() == 1 ? read->document.turns[0].text : "(no turn)";
}

TEST(Documents, LineEndsAndByteOrderMarksDoNotMatter) {
  EXPECT_EQ(text_of("\xEF\xBB\xBF# A\r\nb\rc\n"), "# A\nb\nc\n");
  EXPECT_EQ(text_of(std::string_view("\xFF\xFEh\0\xE9\0", 6)), "h\xC3\xA9");
  EXPECT_EQ(text_of(std::string_view("\xFE\xFF\0h\0i", 6)), "hi");
  EXPECT_EQ(text_of(std::string_view("a\0b", 3)),
            "a\xE2\x90\x80"
            "b");
}

TEST(Documents, ABlankTextHasNothingToSay) {
  for (const char* blank : {"", " \r\n\t", "\xEF\xBB\xBF"})
    EXPECT_THAT(read_document(blank, DocumentFormat::text, "a")->document.turns,
                testing::IsEmpty());
}

TEST(Documents, WhatIsNoUtf8IsNamedByItsByte) {
  const auto read = read_document("caf\xE9 au lait", DocumentFormat::text, "menu.md");
  ASSERT_THAT(read, FailsWith(Errc::invalid_argument));
  EXPECT_THAT(read.error().message, HasSubstr("menu.md: byte 3"));
  EXPECT_THAT(read.error().remedy, HasSubstr("iconv"));
}

TEST(Documents, AFolderGivesItsMarkdownInOrderHiddenFoldersIncluded) {
  const TemporaryFolder folder;
  for (const char* name : {"b.md", "a/z.md", ".hidden/x.md", ".git/y.md", "c.txt", "D.MD", "a.md"})
    write(folder.path() / name, "x");
  std::filesystem::create_directory_symlink(folder.path(), folder.path() / "loop");
  auto listed = list_documents(folder.path());
  ASSERT_THAT(listed, Succeeds());
  std::vector<std::string> names;
  for (const auto& path : *listed) names.push_back(path.lexically_relative(folder.path()).string());
  EXPECT_THAT(names, ElementsAre(".hidden/x.md", "a/z.md", "a.md", "b.md"));
}

TEST(Documents, AFileOfAnyNameIsTakenWhenItIsNamed) {
  const TemporaryFolder folder;
  write(folder.path() / "notes.txt", "x");
  EXPECT_THAT(*list_documents(folder.path() / "notes.txt"),
              ElementsAre(folder.path() / "notes.txt"));
  EXPECT_THAT(list_documents(folder.path() / "none"), FailsWith(Errc::not_found));
}

TEST(Documents, AFileBringsItsTypeAndTime) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "My-DECISIONS.md";
  write(path, "We use SQLite.");
  auto read = read_document_file(path);
  ASSERT_THAT(read, Succeeds());
  EXPECT_EQ(read->document.source, path.string());
  EXPECT_EQ(read->document.source_type, "decisions");
  EXPECT_GT(read->document.written_at.value(), now() - std::chrono::hours(1));
  EXPECT_EQ(source_type_of("x/task_results.md"), "results");
  EXPECT_EQ(source_type_of("decisions/readme.md"), "generic");
}

TEST(Documents, WhatCannotBeReadSaysSo) {
  const TemporaryFolder folder;
  EXPECT_THAT(read_document_file(folder.path()), FailsWith(Errc::unavailable));
  EXPECT_THAT(read_document_file(folder.path() / "none.md"), FailsWith(Errc::unavailable));
}

}  // namespace
}  // namespace bb5
