#include "stores/neo4j/http_transport.hpp"

#include <atomic>
#include <utility>
#include <vector>

#include "stores/neo4j/doors.hpp"

namespace bb5::neo4j {
namespace {

using Door = Neo4jOptions::Door;

/// What the server says to a path that it does not have.
constexpr std::string_view not_there = "Neo.ClientError.Request.Invalid";

/// A database's name as part of a path: what is neither letter, digit, `-`, `.` nor `_` is %XX.
std::string path_part(std::string_view name) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string part;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_';
    if (plain) {
      part += c;
    } else {
      part += '%';
      part += digits[byte >> 4];
      part += digits[byte & 15];
    }
  }
  return part;
}

class HttpTransport final : public GraphTransport {
 public:
  HttpTransport(std::unique_ptr<HttpClient> client, const HttpTransportOptions& options)
      : client_(std::move(client)),
        options_(options),
        base_("/db/" + path_part(options.database)),
        door_(options.door) {}

  Result<Answer> run(std::span<const Statement> statements, Access access) override {
    if (statements.empty()) return Answer{};
    if (door_.load() == Door::probe) {
      auto chosen = choose_door();
      if (!chosen) return std::move(chosen).error();
      if (chosen->error) return Answer{.results = {}, .error = std::move(chosen->error)};
    }
    auto answer =
        door_.load() == Door::query_v2 ? run_query(statements, access) : run_tx(statements, access);
    // Another server at the same address, or the same one with another configuration.
    if (!answer && answer.error().code == Errc::unsupported) door_ = options_.door;
    return answer;
  }

  Result<std::string> server_version() override {
    auto discovery = discover();
    if (!discovery) return std::move(discovery).error();
    return std::move(discovery->version);
  }

 private:
  Result<Discovery> discover() {
    auto response = client_->send({.method = "GET",
                                   .path = "/",
                                   .headers = {"Accept: application/json"},
                                   .body = {},
                                   .timeout = options_.read_timeout});
    if (!response) return std::move(response).error();
    return decode_discovery(response->status, response->body);
  }

  /// Sets door_ to the one that answers a trial; the Answer's error is what the server said to it
  /// (a wrong password, no such database).
  Result<Answer> choose_door() {
    auto discovery = discover();
    if (!discovery) return std::move(discovery).error();
    const Statement trial{.text = "RETURN 1"};
    if (discovery->has_tx || !discovery->has_query) {
      auto answer = run_tx({&trial, 1}, Access::read);
      if (answer && !answer->error) door_ = Door::tx_commit;
      // Its module may be switched off though the document names it; any other failure is the
      // same behind both doors.
      const bool closed = answer ? answer->error && answer->error->code == not_there
                                 : answer.error().code == Errc::unsupported;
      if (!closed || !discovery->has_query) return answer;
    }
    auto answer = run_query({&trial, 1}, Access::read);
    if (answer && !answer->error) door_ = Door::query_v2;
    return answer;
  }

  Result<HttpResponse> post(const std::string& path, std::string body, Access access,
                            std::string method = "POST") {
    const auto timeout = access == Access::read ? options_.read_timeout : options_.write_timeout;
    return client_->send(
        {.method = std::move(method),
         .path = base_ + path,
         .headers = {"Content-Type: application/json", "Accept: application/json",
                     access == Access::read ? "Access-Mode: READ" : "Access-Mode: WRITE",
                     // What we no longer wait for shall not go on holding locks.
                     "max-execution-time: " + std::to_string(timeout.count())},
         .body = std::move(body),
         .timeout = timeout});
  }

  /// Rolls an open transaction back; the server does so by itself after its idle time.
  void abandon(const std::string& path, Access access) {
    static_cast<void>(post(path, {}, access, "DELETE").has_value());
  }

  // ---- tx/commit
  // ---------------------------------------------------------------------------------

  Result<DoorAnswer> post_tx(const std::string& path, std::span<const std::string> statements,
                             Access access) {
    auto response = post(path, encode_tx_body(statements), access);
    if (!response) return std::move(response).error();
    return decode_tx_answer(response->status, response->body);
  }

  Result<Answer> run_tx(std::span<const Statement> statements, Access access) {
    std::vector<std::string> texts;
    texts.reserve(statements.size());
    for (const auto& statement : statements) {
      auto text = encode_statement(statement);
      if (!text) return std::move(text).error();
      texts.push_back(*std::move(text));
    }
    Answer whole;
    std::string transaction;
    std::size_t done = 0;
    while (done < texts.size()) {
      std::size_t end = done;
      std::size_t bytes = 0;
      do {
        bytes += texts[end++].size();
      } while (end < texts.size() && bytes + texts[end].size() <= options_.longest_request_bytes);
      const bool last = end == texts.size();
      const std::string path = "/tx" + (transaction.empty() ? "" : "/" + transaction);
      auto piece = post_tx(last ? path + "/commit" : path,
                           std::span(texts).subspan(done, end - done), access);
      if (!piece) {
        // Not after a commit: whether it happened is unknown, and no rollback could undo it.
        if (!transaction.empty() && !last) abandon(path, access);
        return std::move(piece).error();
      }
      if (piece->answer.error) return Answer{.results = {}, .error = piece->answer.error};
      for (auto& rows : piece->answer.results) whole.results.push_back(std::move(rows));
      if (!last && piece->transaction.empty())
        return Error{.code = Errc::internal, .message = "Neo4j: the open transaction has no name"};
      transaction = piece->transaction;
      done = end;
    }
    if (whole.results.size() != statements.size()) return short_answer(statements, whole);
    return whole;
  }

  // ---- query/v2
  // ----------------------------------------------------------------------------------

  Result<Answer> run_query(std::span<const Statement> statements, Access access) {
    Answer whole;
    std::string transaction;
    for (std::size_t i = 0; i < statements.size(); ++i) {
      const bool last = i + 1 == statements.size();
      std::string path = "/query/v2";
      if (statements.size() > 1) path += "/tx";
      if (!transaction.empty()) path += "/" + transaction;
      const std::string open = path;
      if (last && i > 0) path += "/commit";
      auto body = encode_query_body(statements[i], i == 0 ? std::optional(access) : std::nullopt);
      if (!body) {
        if (!transaction.empty()) abandon(open, access);
        return std::move(body).error();
      }
      auto response = post(path, *std::move(body), access);
      auto piece = response ? decode_query_answer(response->status, response->body)
                            : Result<DoorAnswer>(std::move(response).error());
      if (!piece) {
        if (!transaction.empty() && !last) abandon(open, access);
        return std::move(piece).error();
      }
      if (auto& error = piece->answer.error) {
        // This door's words for a transaction that it no longer knows.
        if (i > 0 && error->code == not_there)
          error->code = "Neo.ClientError.Transaction.TransactionNotFound";
        return Answer{.results = {}, .error = std::move(error)};
      }
      for (auto& rows : piece->answer.results) whole.results.push_back(std::move(rows));
      if (!last && piece->transaction.empty())
        return Error{.code = Errc::internal, .message = "Neo4j: the open transaction has no name"};
      transaction = piece->transaction;
    }
    if (whole.results.size() != statements.size()) return short_answer(statements, whole);
    return whole;
  }

  static Error short_answer(std::span<const Statement> statements, const Answer& answer) {
    return Error{.code = Errc::unavailable,
                 .message = "Neo4j: the answer was cut off",
                 .detail = std::to_string(answer.results.size()) + " results for " +
                           std::to_string(statements.size()) + " statements"};
  }

  std::unique_ptr<HttpClient> client_;
  HttpTransportOptions options_;
  std::string base_;
  std::atomic<Door> door_;
};

}  // namespace

std::unique_ptr<GraphTransport> new_http_transport(std::unique_ptr<HttpClient> client,
                                                   const HttpTransportOptions& options) {
  return std::make_unique<HttpTransport>(std::move(client), options);
}

}  // namespace bb5::neo4j
