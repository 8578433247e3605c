#include "cli/recall_query.hpp"

#include "tests/support/result_matchers.hpp"

namespace bb5::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

json::Object object(const char* text) {
  return *json::parse_text(text)->object();
}

std::string refused(const Result<RecallQuery>& query) {
  EXPECT_THAT(query, FailsWith(Errc::invalid_argument));
  return query ? std::string() : query.error().message;
}

TEST(RecallQueryOfFlags, TakesOverEachOfThem) {
  const auto query = query_of({.text = "why",
                               .networks = {"world"},
                               .categories = {"technical"},
                               .entities = {"Redis"},
                               .source_types = {"task"},
                               .tasks = {"TASK-7"},
                               .authors = {"Ada"},
                               .min_confidence = 0.2,
                               .max_confidence = 0.9,
                               .since = "2026-01-01",
                               .until = "2026-02-01T12:00:00+02:00",
                               .metadata = {"run=r=17", "n=5", "text=\"5\"", "empty=", "yes=true"},
                               .limit = 3,
                               .tokens = 400});
  ASSERT_THAT(query, Succeeds());
  EXPECT_EQ(query->filter,
            (MemoryFilter{
                .networks = {"world"},
                .categories = {"technical"},
                .source_types = {"task"},
                .entities = {"Redis"},
                .authors = {"Ada"},
                .tasks = {"TASK-7"},
                .min_confidence = 0.2,
                .max_confidence = 0.9,
                .since = parse_time("2026-01-01"),
                .until = parse_time("2026-02-01T10:00:00Z"),
                .metadata = object(R"({"run":"r=17","n":5,"text":"5","empty":"","yes":true})")}));
  EXPECT_EQ(query->tokens, 400U);
  EXPECT_EQ(query->limit, 3U);
}

TEST(RecallQueryOfFlags, SaysWhichFlagIsWrong) {
  EXPECT_EQ(refused(query_of({.since = "soon"})), "--since: `soon` is no time");
  EXPECT_EQ(refused(query_of({.until = "2026-13-01"})), "--until: `2026-13-01` is no time");
  EXPECT_EQ(refused(query_of({.as_of = "2026-02-30"})), "--as-of: `2026-02-30` is no time");
  EXPECT_EQ(refused(query_of({.metadata = {"run"}})), "--metadata: `run` is no KEY=VALUE");
  EXPECT_EQ(refused(query_of({.metadata = {"=5"}})), "--metadata: `=5` is no KEY=VALUE");
  EXPECT_EQ(refused(query_of({.metadata = {"a=1", "a=2"}})), "--metadata: `a` is given twice");
  EXPECT_THAT(refused(query_of({.since = "2026-03-01", .until = "2026-03-01"})),
              HasSubstr("is not before"));
  EXPECT_THAT(refused(query_of({.min_confidence = 0.9, .max_confidence = 0.1})),
              HasSubstr("greater than"));
}

TEST(RecallQueryOfALine, TakesWhatTheOldSystemsQueryCouldSay) {
  const auto query = query_of_line(
      R"({"query":"why","embedding":[1,0.5],"networks":["world","O"],"categories":["a","b"],)"
      R"("entities":["Redis"],"min_confidence":0.0,"max_confidence":1.0,"since":"2026-01-01T00:00:00",)"
      R"("until":null,"source_types":["task"],"task_ids":["T"],"strategies":["keyword"],"limit":7,)"
      R"("offset":2,"rrf_k":30,"metadata":{"run":"r"},"tokens":100,"authors":"Ada"})",
      {.filter = {.until = parse_time("2026-05-01")}});
  ASSERT_THAT(query, Succeeds());
  EXPECT_EQ(query->text, "why");
  EXPECT_THAT(query->embedding, ElementsAre(1, 0.5f));
  EXPECT_EQ(query->filter, (MemoryFilter{.networks = {"world", "opinion"},
                                         .categories = {"a", "b"},
                                         .source_types = {"task"},
                                         .entities = {"Redis"},
                                         .authors = {"Ada"},
                                         .tasks = {"T"},
                                         .min_confidence = 0,
                                         .max_confidence = 1,
                                         .since = parse_time("2026-01-01"),
                                         .until = parse_time("2026-05-01"),
                                         .metadata = object(R"({"run":"r"})")}))
      << "null leaves what the flags said";
  EXPECT_THAT(query->strategies, ElementsAre("keyword"));
  EXPECT_EQ(query->limit, 7U);
  EXPECT_EQ(query->offset, 2U);
  EXPECT_EQ(query->rrf_k, 30);
  EXPECT_EQ(query->tokens, 100U);
}

TEST(RecallQueryOfALine, AListTakesThePlaceOfTheFlags) {
  const RecallQuery base{.filter = {.networks = {"world"}}};
  EXPECT_THAT(query_of_line(R"({"network":"opinion"})", base)->filter.networks,
              ElementsAre("opinion"));
  EXPECT_THAT(query_of_line(R"({"networks":[]})", base)->filter.networks, IsEmpty());
  EXPECT_THAT(query_of_line("{}", base)->filter.networks, ElementsAre("world"));
}

TEST(RecallQueryOfALine, SaysWhichMemberIsWrong) {
  const auto wrong = [](const char* line) { return refused(query_of_line(line, {})); };
  EXPECT_EQ(wrong(R"({"networks":["facts"]})"), "`networks`: there is no network `facts`");
  EXPECT_EQ(wrong(R"({"network":5})"), "`network` must be a text, or a list of texts");
  EXPECT_EQ(wrong(R"({"since":"soon"})"), "`since`: `soon` is no time");
  EXPECT_EQ(wrong(R"({"until":5})"), "`until`: `5` is no time");
  EXPECT_EQ(wrong(R"({"min_confidence":"high"})"), "`min_confidence` must be a number");
  EXPECT_THAT(wrong(R"({"limit":-1})"), HasSubstr("`limit` must be a whole number"));
  EXPECT_THAT(wrong(R"({"limit":1.5})"), HasSubstr("`limit` must be a whole number"));
  EXPECT_THAT(wrong(R"({"offset":NaN})"), HasSubstr("`offset` must be a whole number"));
  EXPECT_EQ(wrong(R"({"rrf_k":0})"), "`rrf_k` 0 is not between 1 and 1000");
  EXPECT_EQ(wrong(R"({"metadata":[1]})"), "`metadata` must be an object of keys and values");
  EXPECT_EQ(wrong(R"({"all_times":1})"), "`all_times` must be true or false");
  EXPECT_EQ(wrong(R"({"embedding":"x"})"), "`embedding` must be a list of numbers");
  EXPECT_EQ(wrong(R"({"mood":null})"), "there is no member `mood`");
  EXPECT_EQ(wrong("[]"), "a query must be a JSON object");
}

}  // namespace
}  // namespace bb5::cli
