#include "embedders/openai/openai_embedder.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/utf8.hpp"

namespace bb5 {
namespace {

using Vectors = std::vector<std::vector<float>>;

constexpr std::size_t longest_text = 8'000;  ///< Code points, as ever.

/// 0: not known here.
std::size_t known_dimension(std::string_view model) {
  if (model == "text-embedding-3-small" || model == "text-embedding-ada-002") return 1'536;
  return model == "text-embedding-3-large" ? 3'072 : 0;
}

/// What is sent for a text: no ill-formed bytes, no more than counts, and not nothing, which
/// services refuse.
std::string sendable(std::string_view text) {
  std::string sound;
  while (const auto bad = find_invalid_utf8(text)) {
    sound += text.substr(0, *bad);
    text.remove_prefix(*bad + 1);
  }
  sound += text;
  sound.resize(first_code_points(sound, longest_text).size());
  return sound.empty() ? " " : sound;
}

/// Half of the text, at least one code point.
std::string halved(const std::string& text) {
  std::size_t code_points = 0;
  for (const char c : text) code_points += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  return std::string(first_code_points(text, std::max<std::size_t>(code_points / 2, 1)));
}

/// To length 1; false when it has no direction. What is as good as 1 keeps its bits.
bool normalize(std::vector<float>& vector) {
  double sum = 0;
  for (const float number : vector) sum += static_cast<double>(number) * number;
  const double length = std::sqrt(sum);
  if (!(length > 0)) return false;
  if (std::abs(length - 1) <= 1e-6) return true;
  for (float& number : vector) number = static_cast<float>(number / length);
  return true;
}

class OpenAiEmbedder final : public Embedder {
 public:
  OpenAiEmbedder(std::shared_ptr<openai::Service> service, OpenAiEmbedderOptions options)
      : service_(std::move(service)), options_(std::move(options)) {
    info_.model = "openai/" + options_.model;
    if (options_.dimensions) info_.model += fmt::format("@{}", *options_.dimensions);
    info_.dimension = options_.dimensions.value_or(known_dimension(options_.model));
  }

  /// Asks for one vector when its length is not known.
  Result<> learn_dimension() {
    if (info_.dimension != 0) return ok();
    auto one = ask({"length"});
    if (!one) return std::move(one).error();
    info_.dimension = one->front().size();
    return ok();
  }

  EmbedderInfo info() const override { return info_; }

  Result<Vectors> embed(std::span<const std::string_view> texts) override {
    Vectors all;
    all.reserve(texts.size());
    std::vector<std::string> batch;
    std::size_t bytes = 0;
    const auto send = [&]() -> Result<> {
      auto vectors = embed_batch(std::exchange(batch, {}));
      bytes = 0;
      if (!vectors) return std::move(vectors).error();
      std::move(vectors->begin(), vectors->end(), std::back_inserter(all));
      return ok();
    };
    for (const std::string_view given : texts) {
      std::string text = sendable(given);
      if (!batch.empty() &&
          (batch.size() >= options_.batch_texts || bytes + text.size() > options_.batch_bytes))
        BB5_TRY(send());
      bytes += text.size();
      batch.push_back(std::move(text));
    }
    if (!batch.empty()) BB5_TRY(send());
    return all;
  }

 private:
  /// When a text is too long for the model, halves of the batch find it, and a half of it will do.
  Result<Vectors> embed_batch(std::vector<std::string> texts) {
    auto vectors = ask(texts);
    if (vectors) return checked(*std::move(vectors));
    if (vectors.error().code != Errc::invalid_argument) return vectors;
    if (texts.size() > 1) {
      const auto middle = texts.begin() + static_cast<std::ptrdiff_t>(texts.size() / 2);
      auto first = embed_batch({texts.begin(), middle});
      if (!first) return first;
      auto second = embed_batch({middle, texts.end()});
      if (!second) return second;
      std::move(second->begin(), second->end(), std::back_inserter(*first));
      return first;
    }
    const std::string shorter = halved(texts.front());
    if (shorter.size() < texts.front().size()) return embed_batch({shorter});
    vectors.error().code = Errc::refused;  // The model reads nothing at all.
    return vectors;
  }

  Result<Vectors> ask(std::vector<std::string> texts) {
    auto reply = service_->embed(
        {.model = options_.model, .texts = std::move(texts), .dimensions = options_.dimensions});
    if (!reply) return std::move(reply).error();
    return std::move(reply->vectors);
  }

  Result<Vectors> checked(Vectors vectors) const {
    for (std::vector<float>& vector : vectors) {
      if (vector.size() != info_.dimension)
        return Error{.code = Errc::refused,
                     .message = fmt::format("{} at {} gives vectors of {} numbers, not of {}",
                                            options_.model, service_->where(), vector.size(),
                                            info_.dimension),
                     .remedy = "name another model, or the dimensions that it can give"};
      if (!normalize(vector))
        return Error{.code = Errc::refused,
                     .message = fmt::format("{} at {} gives a vector of zeros", options_.model,
                                            service_->where()),
                     .remedy = "name a model that embeds texts"};
    }
    return vectors;
  }

  std::shared_ptr<openai::Service> service_;
  OpenAiEmbedderOptions options_;
  EmbedderInfo info_;
};

}  // namespace

Result<std::unique_ptr<Embedder>> open_openai_embedder(std::shared_ptr<openai::Service> service,
                                                       const OpenAiEmbedderOptions& options) {
  auto embedder = std::make_unique<OpenAiEmbedder>(std::move(service), options);
  BB5_TRY(embedder->learn_dimension());
  return std::unique_ptr<Embedder>(std::move(embedder));
}

}  // namespace bb5
