#include "operations/retain/prepare.hpp"

#include <gmock/gmock.h>

namespace bb5 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

Document text(std::string words) {
  return {.source = "notes.md", .turns = {{.text = std::move(words)}}};
}

TEST(Prepare, MasksSecretsUnlessToldNotTo) {
  const std::string token = "ghp_" + std::string(36, 'a');
  const PreparedDocument masked = prepare_document(text("Use " + token + " for it."), "rules/1");
  EXPECT_EQ(masked.document.turns[0].text, "Use [secret: github token] for it.");
  EXPECT_THAT(masked.secrets, ElementsAre(Pair("github token", 1)));
  const PreparedDocument kept = prepare_document(text("Use " + token), "rules/1", true);
  EXPECT_EQ(kept.document.turns[0].text, "Use " + token);
  EXPECT_THAT(kept.secrets, IsEmpty());
}

TEST(Prepare, CutsOutWhatWasRecalledAndTurnsThatSayNothingElse) {
  Document document = text("<relevant-memories>\nold\n</relevant-memories>");
  document.turns.push_back({.text = "New words.", .position = 1});
  const PreparedDocument prepared = prepare_document(document, "rules/1");
  ASSERT_THAT(prepared.document.turns, SizeIs(1));
  EXPECT_EQ(prepared.document.turns[0].text, "New words.");
  EXPECT_EQ(prepared.recalled_blocks, 1);
}

TEST(Prepare, DigestChangesWithWordsAuthorsTypeAndExtractorButNotWithTheDate) {
  const std::string digest = prepare_document(text("One."), "rules/1").digest;
  EXPECT_THAT(digest, SizeIs(32));
  Document touched = text("One.");
  touched.written_at = *parse_time("2026-01-01");
  EXPECT_EQ(prepare_document(touched, "rules/1").digest, digest);
  EXPECT_NE(prepare_document(text("One!"), "rules/1").digest, digest);
  EXPECT_NE(prepare_document(text("One."), "rules/2").digest, digest);
  Document said = text("One.");
  said.turns[0].author = "Ada";
  EXPECT_NE(prepare_document(said, "rules/1").digest, digest);
  Document typed = text("One.");
  typed.source_type = "decisions";
  EXPECT_NE(prepare_document(typed, "rules/1").digest, digest);
}

TEST(Prepare, TurnsAreNotTheSameAsOneText) {
  Document two = text("One.");
  two.turns.push_back({.text = "Two.", .position = 1});
  EXPECT_NE(prepare_document(two, "rules/1").digest,
            prepare_document(text("One.Two."), "rules/1").digest);
}

}  // namespace
}  // namespace bb5
