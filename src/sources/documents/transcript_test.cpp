#include "sources/documents/transcript.hpp"

#include <gmock/gmock.h>

#include "tests/support/result_matchers.hpp"

namespace bb5 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Transcript, MessagesBecomeTurns) {
  const auto read = read_transcript(
      R"({"role": "user", "content": "Where is the backup?", "timestamp": "2026-02-04T03:50:10Z"}
{"author": "Ann", "role": "user", "text": "On tape.", "created_at": 1770177010}

{"speaker": "Bo", "message": "", "time": 1770177010500}
{"speaker": "Bo", "message": "Thanks", "time": 1770177010500}
)",
      "chat.jsonl");
  ASSERT_THAT(read, Succeeds());
  const Document& document = read->document;
  EXPECT_EQ(document.source, "chat.jsonl");
  EXPECT_EQ(document.source_type, "transcript");
  const auto at = [](const char* text) { return parse_time(text); };
  EXPECT_THAT(document.turns,
              ElementsAre(Turn{"Where is the backup?", "user", at("2026-02-04T03:50:10"), 0},
                          Turn{"On tape.", "Ann", at("2026-02-04T03:50:10"), 1},
                          Turn{"Thanks", "Bo", at("2026-02-04T03:50:10.5"), 3}));
  EXPECT_THAT(read->warnings, IsEmpty());
}

TEST(Transcript, ACodingAgentsLinesAreUnwrapped) {
  const auto read = read_transcript(
      R"({"type": "summary", "summary": "about backups"}
{"type": "user", "isMeta": true, "message": {"role": "user", "content": "caveat"}}
{"type": "user", "timestamp": "2026-02-04T00:00:00Z", "message": {"role": "user", "content": "Fix it"}}
{"type": "assistant", "message": {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Done:"}, {"type": "tool_use", "name": "x", "input": {}}, {"type": "text", "text": "two files."}]}}
{"type": "user", "message": {"role": "user", "content": [{"type": "tool_result", "content": "ok"}]}}
)",
      "s.jsonl");
  ASSERT_THAT(read, Succeeds());
  ASSERT_EQ(read->document.turns.size(), 2U);
  EXPECT_EQ(read->document.turns[0].author, "user");
  EXPECT_EQ(read->document.turns[0].said_at, parse_time("2026-02-04"));
  EXPECT_EQ(read->document.turns[1].text, "Done:\n\ntwo files.");
}

TEST(Transcript, AnArrayOfMessagesIsOneToo) {
  const auto read =
      read_transcript(R"( [{"role": "user", "content": "a"}, {"from": "b", "text": "c"}])", "x");
  ASSERT_THAT(read, Succeeds());
  EXPECT_THAT(read->document.turns, ElementsAre(Turn{"a", "user", {}, 0}, Turn{"c", "b", {}, 1}));
}

TEST(Transcript, ALineThatIsStillBeingWrittenIsLeftOutWithAWarning) {
  const auto read =
      read_transcript("{\"role\": \"a\", \"content\": \"b\"}\n{\"role\": \"a\", \"cont", "x");
  ASSERT_THAT(read, Succeeds());
  EXPECT_EQ(read->document.turns.size(), 1U);
  EXPECT_THAT(read->warnings, ElementsAre(HasSubstr("line 2")));
}

TEST(Transcript, WhatIsNoTranscriptIsNamedByItsLine) {
  for (const char* text : {"{\"role\": \"a\", \"content\": \"b\"}\n{\"x\": 1}\n",
                           "{\"content\": \"b\"}\nnot json\n{}\n", "{\"content\": \"b\"}\n7\n"}) {
    const auto read = read_transcript(text, "chat.jsonl");
    ASSERT_THAT(read, FailsWith(Errc::invalid_argument)) << text;
    EXPECT_THAT(read.error().message, HasSubstr("chat.jsonl: line 2"));
  }
  EXPECT_THAT(read_transcript("just words", "x"), FailsWith(Errc::invalid_argument));
  EXPECT_THAT(read_transcript("[{\"content\": 1", "x"), FailsWith(Errc::invalid_argument));
}

}  // namespace
}  // namespace bb5
