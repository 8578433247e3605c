#include "services/openai/replies.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/utf8.hpp"
#include "http/retrying_client.hpp"

namespace bb5::openai {
namespace {

using nlohmann::json;

json parse(std::string_view text) {
  return json::parse(text, nullptr, /*allow_exceptions=*/false);
}

const json* find(const json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto at = object.find(key);
  return at == object.end() ? nullptr : &*at;
}

std::string text_at(const json& object, const char* key) {
  const json* value = find(object, key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string{};
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string one_line(const std::string& text) {
  const std::string storable = to_storable_utf8(text);
  std::string line(first_code_points(storable, 300));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c >= 0 && c < ' '; }, ' ');
  return line;
}

/// JSON that was cut off somewhere: what may have been a good answer.
bool breaks_off(std::string_view body) {
  constexpr std::string_view space = " \t\r\n";
  const auto first = body.find_first_not_of(space);
  if (first == std::string_view::npos) return true;
  return body[first] == '{' && body[body.find_last_not_of(space)] != '}';
}

std::int64_t tokens_at(const json& usage, const char* key) {
  const json* value = find(usage, key);
  if (value == nullptr || !value->is_number_integer()) return 0;
  return std::max<std::int64_t>(value->get<std::int64_t>(), 0);
}

ServiceUsage usage_of(const json& answer, int attempts) {
  const json* usage = find(answer, "usage");
  if (usage == nullptr) return {.calls = attempts};
  return {.calls = attempts,
          .prompt_tokens = tokens_at(*usage, "prompt_tokens"),
          .completion_tokens = tokens_at(*usage, "completion_tokens")};
}

Error no_such_service(const std::string& where, const std::string& what) {
  return Error{.code = Errc::refused,
               .message = "the answer of the model service at " + where + " " + what,
               .remedy =
                   "see that OPENAI_BASE_URL names an OpenAI-compatible service; it "
                   "usually ends in /v1"};
}

/// The body of a good answer as an object.
Result<json> body_of(const HttpResponse& response, const std::string& where) {
  json answer = parse(response.body);
  if (answer.is_object()) return answer;
  if (breaks_off(response.body))
    return Error{.code = Errc::unavailable,
                 .message = "the answer of the model service at " + where + " was cut off"};
  return no_such_service(where, "is no JSON object");
}

/// The reply's text: a string, or an array of parts of which some are text.
std::string content_of(const json& message) {
  const json* content = find(message, "content");
  if (content == nullptr) return {};
  if (content->is_string()) return content->get<std::string>();
  std::string text;
  if (content->is_array()) {
    for (const json& part : *content) text += text_at(part, "text");
  }
  return text;
}

Finish finish_of(const json& choice, const json& message) {
  const std::string reason = text_at(choice, "finish_reason");
  if (reason == "length" || reason == "max_tokens") return Finish::cut;
  const bool refused = !text_at(message, "refusal").empty();
  return reason == "content_filter" || refused ? Finish::filtered : Finish::stop;
}

/// Nothing: not an array of finite numbers.
std::optional<std::vector<float>> vector_of(const json& item) {
  const json* numbers = find(item, "embedding");
  if (numbers == nullptr || !numbers->is_array() || numbers->empty()) return {};
  std::vector<float> vector;
  vector.reserve(numbers->size());
  for (const json& number : *numbers) {
    if (!number.is_number()) return {};
    const auto value = static_cast<float>(number.get<double>());
    if (!std::isfinite(value)) return {};
    vector.push_back(value);
  }
  return vector;
}

/// The text that an item belongs to: its `index`, or where it stands when it has none.
std::optional<std::size_t> place_of(const json& item, std::size_t at, std::size_t count) {
  const json* index = find(item, "index");
  if (index == nullptr) return at < count ? std::optional(at) : std::nullopt;
  if (!index->is_number_unsigned() || index->get<std::size_t>() >= count) return {};
  return index->get<std::size_t>();
}

}  // namespace

Complaint complaint_of(const HttpResponse& response) {
  const json answer = parse(response.body);
  const json* error = find(answer, "error");
  Complaint complaint;
  if (error != nullptr && error->is_string()) {
    complaint.words = error->get<std::string>();
  } else if (error != nullptr) {
    complaint.code = text_at(*error, "code");
    if (complaint.code.empty()) complaint.code = text_at(*error, "type");
    complaint.words = text_at(*error, "message");
  } else {
    complaint.words = text_at(answer, answer.contains("detail") ? "detail" : "message");
  }
  if (complaint.words.empty()) complaint.words = response.body;
  complaint.words = one_line(complaint.words);
  return complaint;
}

bool worth_retrying(const HttpResponse& response) {
  if (response.status == 200) return breaks_off(response.body);
  return bb5::may_pass(response) && complaint_of(response).code != "insufficient_quota";
}

bool rejects_format(const HttpResponse& response) {
  return (response.status == 400 || response.status == 422 || response.status == 501) &&
         (contains(response.body, "response_format") || contains(response.body, "json_schema") ||
          contains(response.body, "json_object"));
}

bool rejects_temperature(const HttpResponse& response) {
  return (response.status == 400 || response.status == 422) &&
         contains(response.body, "temperature");
}

bool finds_too_long(const HttpResponse& response) {
  if (response.status == 413) return true;
  if (response.status != 400 && response.status != 422) return false;
  const Complaint complaint = complaint_of(response);
  return complaint.code == "context_length_exceeded" ||
         complaint.code == "exceed_context_size_error" ||
         contains(complaint.words, "context length") || contains(complaint.words, "context size");
}

bool is_filtered(const HttpResponse& response) {
  return response.status == 400 && contains(complaint_of(response).code, "content_");
}

Error error_of(const HttpResponse& response, const std::string& where, const std::string& model) {
  const std::string service = "the model service at " + where;
  const auto [code, words] = complaint_of(response);
  const std::string status = "HTTP " + std::to_string(response.status);
  // Answers about a key repeat parts of it: only their code is kept.
  if (response.status == 401 || response.status == 403)
    return Error{.code = Errc::refused,
                 .message = service + (response.status == 401 ? " does not accept the key"
                                                              : " does not allow this"),
                 .remedy =
                     "see that OPENAI_API_KEY is a key of this service, with the right to "
                     "use " +
                     model,
                 .detail = status + ' ' + code};
  const std::string detail = status + ' ' + code + ": " + words;
  if (response.status == 404)
    return Error{.code = Errc::refused,
                 .message = service + " knows no model " + model + ", or is none",
                 .remedy =
                     "see that the model is spelled as the service lists it, and that "
                     "OPENAI_BASE_URL is right; it usually ends in /v1",
                 .detail = detail};
  if (code == "insufficient_quota")
    return Error{.code = Errc::refused,
                 .message = service + " says that the account has no credit left",
                 .remedy = "see the account's plan and limits",
                 .detail = detail};
  if (bb5::may_pass(response))
    return Error{.code = Errc::unavailable,
                 .message = service + " is busy or broken: " + status + " to each of " +
                            std::to_string(response.attempts) + " attempts",
                 .remedy = "try again later",
                 .detail = detail};
  return Error{.code = Errc::refused,
               .message = service + " refuses the request: " + status + ", " + words,
               .remedy = "see that the model " + model + " can do this",
               .detail = detail};
}

Result<ChatReply> decode_chat(const HttpResponse& response, const std::string& where) {
  auto answer = body_of(response, where);
  if (!answer) return std::move(answer).error();
  const json* choices = find(*answer, "choices");
  if (choices == nullptr || !choices->is_array() || choices->empty())
    return no_such_service(where, "has no choices");
  const json& choice = choices->front();
  const json* message = find(choice, "message");
  if (message == nullptr) return no_such_service(where, "has no message");
  return ChatReply{.text = content_of(*message),
                   .finish = finish_of(choice, *message),
                   .usage = usage_of(*answer, response.attempts)};
}

Result<EmbeddingReply> decode_embeddings(const HttpResponse& response, std::size_t count,
                                         const std::string& where) {
  auto answer = body_of(response, where);
  if (!answer) return std::move(answer).error();
  const json* data = find(*answer, "data");
  if (data == nullptr || !data->is_array()) return no_such_service(where, "has no data");
  if (data->size() != count)
    return no_such_service(where, "has " + std::to_string(data->size()) + " vectors for " +
                                      std::to_string(count) + " texts");
  EmbeddingReply reply{.vectors = std::vector<std::vector<float>>(count),
                       .usage = usage_of(*answer, response.attempts)};
  for (std::size_t at = 0; at < count; ++at) {
    const auto place = place_of((*data)[at], at, count);
    if (!place || !reply.vectors[*place].empty())
      return no_such_service(where, "does not say which vector is whose");
    auto vector = vector_of((*data)[at]);
    if (!vector) return no_such_service(where, "has a vector that is no list of finite numbers");
    reply.vectors[*place] = *std::move(vector);
    if (reply.vectors[*place].size() != (*data)[0]["embedding"].size())
      return no_such_service(where, "has vectors of different lengths");
  }
  return reply;
}

}  // namespace bb5::openai
