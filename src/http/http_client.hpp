#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace bb5 {

struct HttpRequest {
  std::string method = "POST";
  std::string path;                  ///< Behind the base URL: `/db/neo4j/tx/commit`.
  std::vector<std::string> headers;  ///< `Name: value`; nothing secret, tests and fakes see them.
  std::string body;
  std::chrono::milliseconds timeout{10'000};  ///< From the call to the last byte of the answer.
};

struct HttpResponse {
  int status = 0;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers = {};  ///< As sent, values trimmed.
  int attempts = 1;  ///< Requests that it took; more than one only behind a retrying client.

  /// The first header of this name, in any case.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
};

/// Sends one request to one server and waits for the whole answer.
/// Safe to call from several threads at once.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  /// Any status is an answer. Errors: unavailable (no connection, cut off, time is up), refused
  /// (the server's certificate), internal (an answer beyond every measure).
  virtual Result<HttpResponse> send(const HttpRequest& request) = 0;
};

struct HttpClientOptions {
  std::string service = "the server";  ///< What errors call it: `Neo4j`.
  std::string base_url;  ///< `http://host:port[/path]`, without a user, without a slash at the end.
  std::string user;      ///< With `password`: HTTP's basic authentication.
  std::string password;
  std::string bearer;   ///< A key, sent as `Authorization: Bearer …`; empty: none.
  std::string ca_file;  ///< PEM; empty: the system's certificates.
  std::chrono::milliseconds connect_timeout{2'000};
  std::size_t connections = 8;
  std::size_t longest_answer_bytes = std::size_t{512} << 20;
};

/// Over libcurl: connections are kept and reused, at most `connections` requests run at once, TLS
/// certificates are verified, redirects are not followed (they would take the key elsewhere).
[[nodiscard]] std::unique_ptr<HttpClient> new_http_client(const HttpClientOptions& options);

}  // namespace bb5
