#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "http/http_client.hpp"
#include "model/extraction.hpp"

/// What an OpenAI-compatible service answers, as bytes, to what it means. No sockets here.
namespace bb5::openai {

enum class Finish : unsigned char {
  stop,     ///< The reply is whole.
  cut,      ///< It ended at a limit of length; or the question was too long to be answered.
  filtered  ///< The service would not say more, or anything.
};

struct ChatReply {
  std::string text;
  Finish finish = Finish::stop;
  ServiceUsage usage;
};

struct EmbeddingReply {
  std::vector<std::vector<float>> vectors;  ///< In the order of the texts; all of one length.
  ServiceUsage usage;
};

/// What a failure's answer says, where it says it as OpenAI does.
struct Complaint {
  std::string code;   ///< `model_not_found`; empty: none.
  std::string words;  ///< For a person: one line of at most 300 code points.
};
[[nodiscard]] Complaint complaint_of(const HttpResponse& response);

/// Whether asking again may help: 408, 429 and 5xx, unless there is no credit left; and a good
/// status over a body that breaks off.
[[nodiscard]] bool worth_retrying(const HttpResponse& response);

/// What the answer refuses: its own `response_format`, `temperature`, or the length of the text.
[[nodiscard]] bool rejects_format(const HttpResponse& response);
[[nodiscard]] bool rejects_temperature(const HttpResponse& response);
[[nodiscard]] bool finds_too_long(const HttpResponse& response);
[[nodiscard]] bool is_filtered(const HttpResponse& response);

/// For an answer that is no good one. `where`: the service's URL, `model`: as it was asked for.
/// unavailable: trying again later may help; refused: something must be set right first.
[[nodiscard]] Error error_of(const HttpResponse& response, const std::string& where,
                             const std::string& model);

/// Errors: unavailable (breaks off), refused (no answer of an OpenAI-compatible service).
[[nodiscard]] Result<ChatReply> decode_chat(const HttpResponse& response, const std::string& where);

/// `count`: texts sent. Errors: as decode_chat; refused too for another number of vectors, vectors
/// of different length, numbers that are not finite.
[[nodiscard]] Result<EmbeddingReply> decode_embeddings(const HttpResponse& response,
                                                       std::size_t count, const std::string& where);

}  // namespace bb5::openai
