#include "stores/neo4j/doors.hpp"

#include <utility>

#include <nlohmann/json.hpp>

namespace bb5::neo4j {
namespace {

using nlohmann::json;

Result<std::string> text_of(const json& value) {
  try {
    return value.dump();
  } catch (const json::exception& problem) {
    return Error{.code = Errc::invalid_argument,
                 .message = "Neo4j: a text is not well-formed UTF-8",
                 .detail = problem.what()};
  }
}

std::string start_of(std::string_view body) {
  return std::string(body.substr(0, 200));
}

/// For bodies without an answer of Neo4j's: only then does the status speak.
Error no_answer(int status, std::string_view body) {
  const std::string detail = "HTTP " + std::to_string(status) + ": " + start_of(body);
  if (status == 401 || status == 403)
    return Error{.code = Errc::refused,
                 .message = "Neo4j: the server refuses the user or the password",
                 .remedy = "check the user in the graph URL and NEO4J_PASSWORD",
                 .detail = detail};
  if (status == 429 || status >= 500)
    return Error{.code = Errc::unavailable,
                 .message = "Neo4j: the server or a proxy before it cannot answer now",
                 .detail = detail};
  const bool was_json = body.empty() || body.front() == '{';
  if (was_json && (status == 200 || status == 201 || status == 202))
    return Error{
        .code = Errc::unavailable, .message = "Neo4j: the answer was cut off", .detail = detail};
  return Error{.code = Errc::unsupported,
               .message = "Neo4j: this address does not answer like a Neo4j server",
               .remedy =
                   "name the HTTP port of a Neo4j of version 5.26 or later (7474), with its "
                   "HTTP interface enabled",
               .detail = detail};
}

const json* member(const json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

std::string text_member(const json& object, const char* name) {
  const json* found = member(object, name);
  return found != nullptr && found->is_string() ? found->get<std::string>() : std::string{};
}

/// The first of `errors`; whether the body has that list at all is `seen`.
std::optional<ServerError> first_error(const json& body, bool& seen) {
  const json* errors = member(body, "errors");
  seen = errors != nullptr && errors->is_array();
  if (!seen || errors->empty()) return std::nullopt;
  const json& first = errors->front();
  if (!first.is_object()) return ServerError{.code = "unknown", .message = first.dump()};
  return ServerError{.code = text_member(first, "code"), .message = text_member(first, "message")};
}

/// `http://host:7474/db/neo4j/tx/17/commit` → `17`. The host is what the server thinks that it is
/// called, and is not looked at.
std::string transaction_of(std::string_view commit_url) {
  constexpr std::string_view end = "/commit";
  if (!commit_url.ends_with(end)) return {};
  commit_url.remove_suffix(end.size());
  return std::string(commit_url.substr(commit_url.rfind('/') + 1));
}

}  // namespace

Result<std::string> encode_statement(const Statement& statement) {
  return text_of(json{{"statement", statement.text}, {"parameters", statement.parameters}});
}

std::string encode_tx_body(std::span<const std::string> statements) {
  std::string body = R"({"statements":[)";
  for (const auto& statement : statements) {
    if (body.back() != '[') body += ',';
    body += statement;
  }
  return body += "]}";
}

Result<std::string> encode_query_body(const Statement& statement, std::optional<Access> access) {
  json body{{"statement", statement.text}, {"parameters", statement.parameters}};
  if (access) body["accessMode"] = *access == Access::read ? "READ" : "WRITE";
  return text_of(body);
}

Result<DoorAnswer> decode_tx_answer(int status, std::string_view body) {
  json parsed = json::parse(body, nullptr, false);
  if (!parsed.is_object()) return no_answer(status, body);
  bool seen = false;
  DoorAnswer decoded{.answer = {.results = {}, .error = first_error(parsed, seen)}};
  if (decoded.answer.error) return decoded;
  const auto results = parsed.find("results");
  if (!seen || results == parsed.end() || !results->is_array()) return no_answer(status, body);
  for (json& result : *results) {
    Rows rows;
    if (const auto data = result.find("data"); data != result.end() && data->is_array()) {
      rows.rows.reserve(data->size());
      for (json& row : *data) {
        const auto values = row.find("row");
        if (values == row.end() || !values->is_array()) return no_answer(status, body);
        rows.rows.push_back(std::move(*values));
      }
    }
    decoded.answer.results.push_back(std::move(rows));
  }
  if (member(parsed, "transaction") != nullptr)
    decoded.transaction = transaction_of(text_member(parsed, "commit"));
  return decoded;
}

Result<DoorAnswer> decode_query_answer(int status, std::string_view body) {
  // A commit without a statement may come back without a body.
  if (body.empty() && (status == 200 || status == 202)) return DoorAnswer{};
  json parsed = json::parse(body, nullptr, false);
  if (!parsed.is_object()) return no_answer(status, body);
  bool seen = false;
  DoorAnswer decoded{.answer = {.results = {}, .error = first_error(parsed, seen)}};
  if (decoded.answer.error) return decoded;
  if (status != 200 && status != 201 && status != 202) return no_answer(status, body);
  Rows rows;
  if (const auto data = parsed.find("data"); data != parsed.end() && data->is_object()) {
    if (const auto values = data->find("values"); values != data->end() && values->is_array()) {
      rows.rows.reserve(values->size());
      for (json& row : *values) {
        if (!row.is_array()) return no_answer(status, body);
        rows.rows.push_back(std::move(row));
      }
    }
    decoded.answer.results.push_back(std::move(rows));
  }
  if (const json* transaction = member(parsed, "transaction");
      transaction != nullptr && transaction->is_object())
    decoded.transaction = text_member(*transaction, "id");
  return decoded;
}

Result<Discovery> decode_discovery(int status, std::string_view body) {
  const json parsed = json::parse(body, nullptr, false);
  if (!parsed.is_object() || status != 200) return no_answer(status, body);
  Discovery found{.version = text_member(parsed, "neo4j_version"),
                  .has_tx = member(parsed, "transaction") != nullptr,
                  .has_query = member(parsed, "query") != nullptr};
  if (found.version.empty() && !found.has_tx && !found.has_query) return no_answer(404, body);
  return found;
}

}  // namespace bb5::neo4j
