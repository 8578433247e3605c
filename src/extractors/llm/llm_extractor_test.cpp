#include "extractors/llm/llm_extractor.hpp"

#include <atomic>
#include <thread>

#include "tests/support/fake_http_client.hpp"
#include "tests/support/model_server.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/scripted_http_server.hpp"

namespace bb5 {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Fault = ScriptedReply::Fault;

const std::string a_text =
    "We chose Redis for the cache because the page took four seconds to load.";
const std::string good_reply =
    R"({"memories": [{"content": "The shop chose Redis."}], "entities": [{"name": "Redis", "type": "technology"}], "relationships": []})";

std::string chat_body(const std::string& content, const char* finish = "stop") {
  return json{{"choices", {{{"message", {{"content", content}}}, {"finish_reason", finish}}}},
              {"usage", {{"prompt_tokens", 100}, {"completion_tokens", 10}}}}
      .dump();
}

HttpResponse chat(const std::string& content, const char* finish = "stop") {
  return {.status = 200, .body = chat_body(content, finish)};
}

Document document_of(const std::string& text) {
  return {.source = "notes.md", .turns = {{.text = text}}};
}

/// The text that a request asks about.
std::string asked_text(const HttpRequest& request) {
  const std::string question = json::parse(request.body)["messages"][1]["content"];
  const auto begin = question.find("=====\n") + 6;
  return question.substr(begin, question.rfind("\n===== end") - begin);
}

struct Asked {
  explicit Asked(FakeHttpClient::Script script, const LlmExtractorOptions& options = {}) {
    auto fake = std::make_unique<FakeHttpClient>(std::move(script));
    seen = fake->seen();
    extractor = new_llm_extractor(
        std::make_shared<openai::Service>(std::move(fake), "http://host/v1"), options);
  }
  Extraction extract(const Document& document) const {
    auto extraction = extractor->extract(document);
    EXPECT_THAT(extraction, Succeeds());
    return extraction ? *std::move(extraction) : Extraction{};
  }
  json messages(std::size_t at) const {
    return json::parse(seen->requests.at(at).body)["messages"];
  }
  std::shared_ptr<const FakeHttpClient::Seen> seen;
  std::unique_ptr<Extractor> extractor;
};

void expect_kept(const Extraction& extraction, const std::string& text, const std::string& why) {
  ASSERT_THAT(extraction.memories, SizeIs(1));
  EXPECT_EQ(extraction.memories[0].content, text);
  EXPECT_EQ(extraction.memories[0].network, "observation");
  EXPECT_EQ(extraction.memories[0].confidence, 0.5);
  EXPECT_THAT(extraction.warnings, testing::Contains(HasSubstr(why)));
  EXPECT_THAT(extraction.warnings, testing::Contains(HasSubstr("kept as it stands")));
}

TEST(LlmExtractor, OneCallGivesMemoriesEntitiesAndRelationships) {
  Asked asked(answers_in_turn({chat(good_reply)}), {.model = "some-model"});
  const auto extraction = asked.extract(document_of(a_text));
  EXPECT_EQ(asked.seen->count(), 1U);
  ASSERT_THAT(extraction.memories, SizeIs(1));
  EXPECT_EQ(extraction.memories[0].content, "The shop chose Redis.");
  EXPECT_THAT(extraction.memories[0].entities, ElementsAre("Redis"));
  EXPECT_THAT(extraction.warnings, IsEmpty());
  EXPECT_EQ(extraction.usage, (ServiceUsage{1, 100, 10}));
  EXPECT_EQ(asked_text(asked.seen->requests[0]), a_text);
  EXPECT_EQ(json::parse(asked.seen->requests[0].body)["model"], "some-model");
  EXPECT_EQ(asked.extractor->name(), "llm/some-model/1");
}

TEST(LlmExtractor, AnEmptyDocumentCostsNothing) {
  Asked asked(answers_in_turn({chat(good_reply)}));
  EXPECT_EQ(asked.extract({}), Extraction{});
  EXPECT_EQ(asked.extract(document_of(" \n")), Extraction{});
  EXPECT_EQ(asked.seen->count(), 0U);
}

// Whatever the reply is, the document's text is in the memories afterwards, or the reply's are.
TEST(LlmExtractor, AReplyThatIsNoJsonIsAskedForOnceMoreWithTheReason) {
  Asked asked(answers_in_turn({chat("I am sorry."), chat(good_reply)}));
  const auto extraction = asked.extract(document_of(a_text));
  EXPECT_EQ(extraction.memories.at(0).content, "The shop chose Redis.");
  EXPECT_THAT(extraction.warnings, IsEmpty());
  EXPECT_EQ(extraction.usage, (ServiceUsage{2, 200, 20}));
  const json messages = asked.messages(1);
  ASSERT_THAT(messages, SizeIs(4));
  EXPECT_EQ(messages[2]["content"], "I am sorry.");
  EXPECT_THAT(messages[3]["content"].get<std::string>(), HasSubstr("there is no JSON"));
}

TEST(LlmExtractor, ThenTheTextItselfIsKeptHoweverLongItIs) {
  const std::string text = a_text + std::string(3'000, 'x') + " end";
  for (const char* reply : {"no", "", R"({"memories": [{"content": "a"}, {"con)", "null"}) {
    Asked asked(answers_in_turn({chat(reply)}));
    expect_kept(asked.extract(document_of(text)), text, "cannot be read");
    EXPECT_EQ(asked.seen->count(), 2U) << reply;
  }
}

TEST(LlmExtractor, AReplyWithoutMemoriesIsAskedForOnceMoreThenTheTextIsKept) {
  for (const char* reply : {"{}", R"({"memories": null})", R"({"memories": []})",
                            R"({"memories": [{"content": null}]})", R"({"answer": "yes"})"}) {
    Asked asked(answers_in_turn({chat(reply)}));
    expect_kept(asked.extract(document_of(a_text)), a_text, "holds no memory");
    EXPECT_EQ(asked.seen->count(), 2U) << reply;

    Asked second(answers_in_turn({chat(reply), chat(good_reply)}));
    EXPECT_EQ(second.extract(document_of(a_text)).memories.at(0).content, "The shop chose Redis.");
  }
}

TEST(LlmExtractor, KeptTextHasTheEntitiesThatTheReplyDidName) {
  Asked asked(answers_in_turn({chat(R"({"entities": [{"name": "Redis"}]})")}));
  const auto extraction = asked.extract(document_of(a_text));
  EXPECT_THAT(extraction.memories.at(0).entities, ElementsAre("Redis"));
}

TEST(LlmExtractor, ATextThatSaysNothingMayGiveNothing) {
  Asked asked(answers_in_turn({chat("{}")}));
  EXPECT_THAT(asked.extract(document_of("ok, thanks!")).memories, IsEmpty());
  EXPECT_EQ(asked.seen->count(), 1U);
}

TEST(LlmExtractor, AFilteredTextIsKept) {
  Asked asked(answers_in_turn({chat("", "content_filter")}));
  expect_kept(asked.extract(document_of(a_text)), a_text, "would not read");
  EXPECT_EQ(asked.seen->count(), 1U);
}

/// Answers with the asked text's words that begin with `fact`, one memory each; cuts the reply to
/// a text of more than `most` bytes.
FakeHttpClient::Script model_that_reads(std::size_t most) {
  return [most](const HttpRequest& request) -> Result<HttpResponse> {
    const std::string text = asked_text(request);
    if (text.size() > most) return chat(R"({"memories": [{"con)", "length");
    json memories = json::array();
    for (std::size_t at = text.find("fact"); at != std::string::npos;
         at = text.find("fact", at + 1))
      memories.push_back({{"content", text.substr(at, 8)}});
    return chat(json{{"memories", memories}}.dump());
  };
}

std::string facts_text(int count) {
  std::string text;
  for (int i = 1000; i < 1000 + count; ++i)
    text += "Here is fact" + std::to_string(i) + ", with some words around it.\n\n";
  return text;
}

void expect_all_facts(const Extraction& extraction, int count) {
  std::vector<std::string> expected;
  for (int i = 1000; i < 1000 + count; ++i) expected.push_back("fact" + std::to_string(i));
  std::vector<std::string> found;
  for (const auto& memory : extraction.memories) found.push_back(memory.content);
  EXPECT_EQ(found, expected);
}

TEST(LlmExtractor, ALongTextIsReadInOverlappingPartsAndNothingTwice) {
  Asked asked(model_that_reads(100'000), {.passage_bytes = 5'000, .overlap_bytes = 500});
  const auto extraction = asked.extract(document_of(facts_text(400)));
  EXPECT_GT(asked.seen->count(), 4U);
  expect_all_facts(extraction, 400);
  EXPECT_EQ(extraction.usage.calls, static_cast<std::int64_t>(asked.seen->count()));
}

TEST(LlmExtractor, LimitsThatCannotBeAreMendedRatherThanFollowed) {
  Asked asked(model_that_reads(100'000),
              {.passage_bytes = 0, .overlap_bytes = 1'000'000, .calls_at_once = 0});
  expect_all_facts(asked.extract(document_of(facts_text(30))), 30);
}

TEST(LlmExtractor, AReplyThatWasCutIsAskedForInHalves) {
  Asked asked(model_that_reads(3'000));
  const auto extraction = asked.extract(document_of(facts_text(300)));
  expect_all_facts(extraction, 300);
  EXPECT_THAT(extraction.warnings, IsEmpty());
}

TEST(LlmExtractor, WhenEvenASmallPartIsCutItIsKept) {
  const std::string text = facts_text(60);
  Asked asked(model_that_reads(0));
  const auto extraction = asked.extract(document_of(text));
  EXPECT_GT(extraction.memories.size(), 1U);
  for (int i = 1000; i < 1060; ++i) {
    const std::string fact = "fact" + std::to_string(i);
    EXPECT_TRUE(std::any_of(
        extraction.memories.begin(), extraction.memories.end(),
        [&](const auto& memory) { return memory.content.find(fact) != std::string::npos; }))
        << fact;
  }
  EXPECT_LT(asked.seen->count(), 30U);
  EXPECT_THAT(extraction.warnings, Each(HasSubstr("was cut")));
}

TEST(LlmExtractor, PartsAreReadAtOnceUpToTheLimit) {
  std::atomic<int> now = 0;
  std::atomic<int> most = 0;
  Asked asked(
      [&](const HttpRequest& request) {
        const int running = ++now;
        for (int seen = most; running > seen && !most.compare_exchange_weak(seen, running);) {
        }
        // Until as many as may have come once, however slow the machine is; then a little more, for
        // one too many to show.
        for (int i = 0; most < 3 && i < 500; ++i) std::this_thread::sleep_for(10ms);
        std::this_thread::sleep_for(10ms);
        auto answer = model_that_reads(100'000)(request);
        --now;
        return answer;
      },
      {.passage_bytes = 2'000, .overlap_bytes = 200, .calls_at_once = 3});
  expect_all_facts(asked.extract(document_of(facts_text(300))), 300);
  EXPECT_EQ(most, 3);
}

TEST(LlmExtractor, AServiceThatIsAwayOrRefusesIsAnErrorAndEndsTheDocument) {
  for (const int status : {401, 404, 429, 503}) {
    Asked asked(answers_in_turn({HttpResponse{.status = status}}),
                {.passage_bytes = 2'000, .overlap_bytes = 200, .calls_at_once = 1});
    const auto extraction = asked.extractor->extract(document_of(facts_text(300)));
    EXPECT_THAT(extraction, FailsWith(status < 429 ? Errc::refused : Errc::unavailable));
    EXPECT_EQ(asked.seen->count(), 1U);
  }
  Asked away(answers_in_turn({Error{Errc::unavailable, "away"}}));
  EXPECT_THAT(away.extractor->extract(document_of(a_text)), FailsWith(Errc::unavailable));
}

TEST(LlmExtractor, WarningsNameThePartAndEndSomewhere) {
  std::string nulls = R"({"memories": [{"content": "a"})";
  for (int i = 0; i < 70; ++i) nulls += ", null";
  nulls += "]}";
  Asked asked(answers_in_turn({chat(nulls)}), {.passage_bytes = 2'000, .overlap_bytes = 200});
  const auto extraction = asked.extract(document_of(facts_text(100)));
  ASSERT_THAT(extraction.warnings, SizeIs(101));
  EXPECT_THAT(extraction.warnings[0], HasSubstr("part 1 of "));
  EXPECT_THAT(extraction.warnings[0], HasSubstr("memory 2 is no object"));
  EXPECT_THAT(extraction.warnings[100], HasSubstr("more warnings"));
}

TEST(LlmExtractor, OfATranscriptEachMemoryKnowsItsLine) {
  const Document document{
      .source = "chat.jsonl",
      .source_type = "transcript",
      .turns = {
          {.text = "Shall we take Redis for the cache?", .author = "Anna", .position = 10},
          {.text = "Yes, it is quicker than what we have.", .author = "Ben", .position = 11}}};
  Asked asked(answers_in_turn({chat(
      R"([{"content": "Ben finds Redis quicker.", "position": 11}, {"content": "Anna asked.", "position": 10}])")}));
  const auto extraction = asked.extract(document);
  EXPECT_THAT(asked_text(asked.seen->requests[0]),
              "[10] Anna: Shall we take Redis for the cache?\n"
              "[11] Ben: Yes, it is quicker than what we have.");
  ASSERT_THAT(extraction.memories, SizeIs(2));
  EXPECT_EQ(extraction.memories[0].author, "Anna");
  EXPECT_EQ(extraction.memories[1].author, "Ben");
}

// Over sockets: what goes wrong between two machines.
TEST(LlmExtractorOverSockets, FaultsOnTheWayLoseNoText) {
  std::atomic<int> calls = 0;
  ScriptedHttpServer server([&calls](const ServedRequest&) -> ScriptedReply {
    switch (++calls) {
      case 1:
        return {.status = 429, .headers = {"Retry-After: 0"}};
      case 2:
        return {.body = chat_body(good_reply), .fault = Fault::cut_body};
      case 3:
        return {.fault = Fault::close_before};
      case 4:
        return {.status = 400, .body = R"({"error":{"message":"response_format: unknown"}})"};
      case 5:
        return {.body = chat_body("no JSON")};
      default:
        return {.body = chat_body(good_reply), .fault = Fault::chunked};
    }
  });
  const auto extractor = new_llm_extractor(openai::open_service(
      {.settings = {.base_url = server.base_url()}, .retry = {.first_wait = 1ms}}));
  const auto extraction = extractor->extract(document_of(a_text));
  ASSERT_THAT(extraction, Succeeds());
  EXPECT_EQ(extraction->memories.at(0).content, "The shop chose Redis.");
  EXPECT_EQ(extraction->usage.calls, 6);
}

// The rows of what the old system lost, each said by a service to the real client. After the script
// the service answers well: a memory for each line of the text.
TEST(LlmExtractorWithAService, NoTextIsLostWhateverIsAnswered) {
  const std::vector<std::pair<const char*, const char*>> acts = {
      {"other key", R"([{"reply": {"facts": [{"content": "Of Redis."}]}}])"},
      {"empty object", R"([{"reply": {}, "times": 2}])"},
      {"array", R"([{"reply": [{"content": "Of Redis."}]}])"},
      {"no JSON", R"([{"reply": "Sure! Here you go.", "times": 2}])"},
      {"no JSON once", R"([{"reply": "Sure! Here you go."}])"},
      {"memories null", R"([{"reply": {"memories": null}, "times": 2}])"},
      {"items no objects", R"([{"reply": {"memories": [1, null, {"content": "Of Redis."}]}}])"},
      {"network null", R"([{"reply": {"memories": [{"content": "Of Redis.", "network": null}]}}])"},
      {"network unknown",
       R"([{"reply": {"memories": [{"content": "Of Redis.", "network": "x"}]}}])"},
      {"content null", R"([{"reply": {"memories": [{"content": null}]}, "times": 2}])"},
      {"mentions list",
       R"([{"reply": {"memories": ["Of Redis."], "entities": [{"name": "Redis", "mentions": ["a"]}]}}])"},
      {"entity null",
       R"([{"reply": {"memories": ["Of Redis."], "entities": [{"name": null}, {"name": "Redis"}]}}])"},
      {"cut", R"([{"reply": "{\"memories\": [{", "finish_reason": "length", "times": 2}])"},
      {"filtered", R"([{"reply": "", "finish_reason": "content_filter"}])"},
      {"rate limit", R"([{"status": 429, "headers": {"Retry-After": "0"}, "times": 2}])"},
      {"server error", R"([{"status": 500}, {"status": 503}])"},
      {"half a head", R"([{"fault": "cut_head"}])"},
      {"half a body", R"([{"fault": "cut_body"}])"},
      {"no word", R"([{"fault": "close"}])"},
      {"no HTTP", R"([{"fault": "garbage"}])"},
      {"no schema", R"([{"status": 400, "error": {"message": "json_schema is not known"}}])"},
      {"too long",
       R"([{"status": 400, "error": {"code": "context_length_exceeded"}, "times": 2}])"}};
  for (const auto& [name, act] : acts) {
    SCOPED_TRACE(name);
    const ModelServer server(std::string(R"({"chat": )") + act + "}");
    const auto extractor = new_llm_extractor(openai::open_service(
        {.settings = {.base_url = server.base_url()}, .retry = {.first_wait = 1ms}}));
    const auto extraction = extractor->extract(document_of(a_text));
    ASSERT_THAT(extraction, Succeeds());
    ASSERT_THAT(extraction->memories, SizeIs(1));
    EXPECT_THAT(extraction->memories[0].content, testing::AnyOf(a_text, "Of Redis."));
  }
}

TEST(LlmExtractorWithAService, AServiceThatHangsOrRefusesLeavesTheDocumentForLater) {
  // So long that it is still on its way however long this process was kept from reading.
  const std::string slow =
      R"({"chat": [{"fault": "slow", "body": ")" + std::string(5'000, 'x') + R"("}]})";
  const std::vector<std::pair<std::string, Errc>> acts = {
      {R"({"chat": [{"fault": "hang"}]})", Errc::unavailable},
      {slow, Errc::unavailable},
      {R"({"chat": [{"status": 503, "times": 9}]})", Errc::unavailable},
      {R"({"chat": [{"body": "<html>Welcome</html>"}]})", Errc::refused},
      {R"({"key": "another"})", Errc::refused}};
  for (const auto& [script, code] : acts) {
    SCOPED_TRACE(script.substr(0, 60));
    const ModelServer server(script);
    const auto extractor = new_llm_extractor(
        openai::open_service({.settings = {.base_url = server.base_url(), .api_key = "mine"},
                              .retry = {.attempts = 2, .first_wait = 1ms, .deadline = 400ms}}));
    EXPECT_THAT(extractor->extract(document_of(a_text)), FailsWith(code));
  }
}

}  // namespace
}  // namespace bb5
