#include "embedders/openai/openai_embedder.hpp"

#include <cmath>

#include "tests/support/fake_http_client.hpp"
#include "tests/support/result_matchers.hpp"

namespace bb5 {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// A vector for each text, in reverse order: (its bytes, 1) and no more; refuses requests that
/// hold a text of more than `longest` bytes.
FakeHttpClient::Script service_of_two_numbers(std::size_t longest = 1'000'000) {
  return [longest](const HttpRequest& request) -> Result<HttpResponse> {
    const json texts = json::parse(request.body)["input"];
    json data = json::array();
    for (std::size_t at = texts.size(); at-- > 0;) {
      const auto bytes = texts[at].get<std::string>().size();
      if (bytes > longest)
        return HttpResponse{.status = 400,
                            .body = R"({"error":{"code":"context_length_exceeded"}})"};
      data.push_back({{"index", at}, {"embedding", {bytes, 1}}});
    }
    return HttpResponse{.status = 200, .body = json{{"data", data}}.dump()};
  };
}

FakeHttpClient::Script service_that_says(json embedding) {
  return answers_in_turn({HttpResponse{
      .status = 200,
      .body = json{{"data", {{{"index", 0}, {"embedding", std::move(embedding)}}}}}.dump()}});
}

struct Opened {
  explicit Opened(FakeHttpClient::Script script,
                  const OpenAiEmbedderOptions& options = {.dimensions = 2}) {
    auto fake = std::make_unique<FakeHttpClient>(std::move(script));
    seen = fake->seen();
    service = std::make_shared<openai::Service>(std::move(fake), "http://host/v1");
    embedder = open_openai_embedder(service, options);
  }
  Result<std::vector<std::vector<float>>> embed(const std::vector<std::string>& texts) {
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    return (*embedder)->embed(views);
  }
  json inputs(std::size_t at) const { return json::parse(seen->requests.at(at).body)["input"]; }
  std::shared_ptr<const FakeHttpClient::Seen> seen;
  std::shared_ptr<openai::Service> service;
  Result<std::unique_ptr<Embedder>> embedder = std::unique_ptr<Embedder>{};
};

TEST(OpenAiEmbedder, GivesAVectorOfLengthOneForEachTextInOrder) {
  Opened opened(service_of_two_numbers());
  const auto vectors = opened.embed({"abc", "", "abcdefgh"});
  ASSERT_THAT(vectors, Succeeds());
  ASSERT_THAT(*vectors, SizeIs(3));
  const double first = std::sqrt(10.0);
  EXPECT_THAT((*vectors)[0], ElementsAre(FloatNear(static_cast<float>(3 / first), 1e-6F),
                                         FloatNear(static_cast<float>(1 / first), 1e-6F)));
  EXPECT_GT((*vectors)[2][0], 0.99F);
  EXPECT_EQ(opened.inputs(0), (json{"abc", " ", "abcdefgh"}));
}

TEST(OpenAiEmbedder, NoTextsCostNothing) {
  Opened opened(service_of_two_numbers());
  EXPECT_THAT(opened.embed({}), HasValue(IsEmpty()));
  EXPECT_EQ(opened.seen->count(), 0U);
}

TEST(OpenAiEmbedder, KnowsTheUsualModelsAndAsksOthersOnce) {
  Opened usual(service_of_two_numbers(), {});
  EXPECT_EQ((*usual.embedder)->info(), (EmbedderInfo{"openai/text-embedding-3-small", 1'536}));
  EXPECT_EQ(usual.seen->count(), 0U);

  Opened other(service_of_two_numbers(), {.model = "nomic-embed-text"});
  EXPECT_EQ((*other.embedder)->info(), (EmbedderInfo{"openai/nomic-embed-text", 2}));
  EXPECT_EQ(other.seen->count(), 1U);

  Opened away(answers_in_turn({Error{Errc::unavailable, "away"}}), {.model = "nomic-embed-text"});
  EXPECT_THAT(away.embedder, FailsWith(Errc::unavailable));
}

TEST(OpenAiEmbedder, DimensionsThatWereAskedForAreSentAndNamed) {
  Opened opened(service_of_two_numbers(), {.model = "m", .dimensions = 2});
  EXPECT_EQ((*opened.embedder)->info(), (EmbedderInfo{"openai/m@2", 2}));
  ASSERT_THAT(opened.embed({"a"}), Succeeds());
  EXPECT_EQ(json::parse(opened.seen->requests[0].body)["dimensions"], 2);
}

TEST(OpenAiEmbedder, BatchesKeepToBothBounds) {
  Opened opened(service_of_two_numbers(), {.dimensions = 2, .batch_texts = 3, .batch_bytes = 10});
  const auto vectors = opened.embed({"a", "b", "c", "d", "123456", "1234", "more than ten bytes"});
  ASSERT_THAT(vectors, HasValue(SizeIs(7)));
  EXPECT_EQ(opened.seen->count(), 4U);
  EXPECT_EQ(opened.inputs(0), (json{"a", "b", "c"}));
  EXPECT_EQ(opened.inputs(1), (json{"d", "123456"}));
  EXPECT_EQ(opened.inputs(2), (json{"1234"}));
  EXPECT_GT((*vectors)[6][0], (*vectors)[5][0]);
}

TEST(OpenAiEmbedder, TheFirst8000CodePointsCountAndIllFormedBytesDoNot) {
  std::string text =
      "\xff"
      "a\xC3";
  for (int i = 0; i < 9'000; ++i) text += "é";
  Opened opened(service_of_two_numbers());
  ASSERT_THAT(opened.embed({text}), Succeeds());
  const std::string sent = opened.inputs(0)[0];
  EXPECT_EQ(sent.size(), 1 + 7'999 * 2U);
  EXPECT_TRUE(sent.starts_with("aé"));
}

TEST(OpenAiEmbedder, ATextThatIsTooLongForTheModelIsShortenedAndTheOthersAreNot) {
  std::string accents;
  for (int i = 0; i < 150; ++i) accents += "é";
  Opened opened(service_of_two_numbers(100));
  const auto vectors = opened.embed({"one", std::string(300, 'x'), "three", "four", accents});
  ASSERT_THAT(vectors, HasValue(SizeIs(5)));
  const auto ratio = [&](std::size_t at) { return (*vectors)[at][0] / (*vectors)[at][1]; };
  EXPECT_NEAR(ratio(0), 3, 1e-4);
  EXPECT_NEAR(ratio(1), 75, 1e-2);
  EXPECT_NEAR(ratio(2), 5, 1e-4);
  EXPECT_NEAR(ratio(4), 74, 1e-2);
}

TEST(OpenAiEmbedder, AModelThatReadsNothingIsSaidSo) {
  Opened opened(service_of_two_numbers(0));
  EXPECT_THAT(opened.embed({"abc"}), FailsWith(Errc::refused));
  EXPECT_LT(opened.seen->count(), 5U);
}

TEST(OpenAiEmbedder, VectorsOfAnotherLengthOrWithoutDirectionAreRefused) {
  Opened longer(service_that_says({1, 2, 3}));
  const auto vectors = longer.embed({"a"});
  ASSERT_THAT(vectors, FailsWith(Errc::refused));
  EXPECT_THAT(vectors.error().message, HasSubstr("3 numbers, not of 2"));
  Opened zero(service_that_says({0, 0}));
  EXPECT_THAT(zero.embed({"a"}), FailsWith(Errc::refused));
}

TEST(OpenAiEmbedder, AVectorOfLengthOneKeepsItsBits) {
  Opened opened(service_that_says({0.6, 0.8}));
  const auto vectors = opened.embed({"a"});
  ASSERT_THAT(vectors, Succeeds());
  EXPECT_THAT((*vectors)[0], ElementsAre(0.6F, 0.8F));
}

TEST(OpenAiEmbedder, AFailureInTheMiddleGivesNothing) {
  int calls = 0;
  Opened opened(
      [&calls](const HttpRequest& request) -> Result<HttpResponse> {
        if (++calls == 2) return HttpResponse{.status = 401};
        return service_of_two_numbers()(request);
      },
      {.dimensions = 2, .batch_texts = 1});
  EXPECT_THAT(opened.embed({"a", "b", "c"}), FailsWith(Errc::refused));
  EXPECT_EQ(opened.service->usage().calls, 2);
}

}  // namespace
}  // namespace bb5
