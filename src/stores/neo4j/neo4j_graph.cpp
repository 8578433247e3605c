#include "stores/neo4j/neo4j_graph.hpp"

#include <algorithm>
#include <utility>

#include <curl/curl.h>

#include "http/http_client.hpp"
#include "stores/neo4j/http_transport.hpp"
#include "stores/neo4j/neo4j_projection.hpp"

namespace bb5 {
namespace {

struct GraphAddress {
  std::string base_url;
  std::string user;
  std::string database;
};

Error bad_url(std::string_view what) {
  return Error{.code = Errc::invalid_argument,
               .message = "graph URL: " + std::string(what),
               .remedy = "write neo4j+http://user@host:7474/database, or neo4j+https://…"};
}

struct FreeUrl {
  void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};

/// A part of the URL, decoded where asked; empty when it is not there.
std::string part(CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, flags) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

Result<GraphAddress> parse(const std::string& text) {
  constexpr std::string_view prefix = "neo4j+";
  if (!text.starts_with("neo4j+http://") && !text.starts_with("neo4j+https://"))
    return bad_url("it must start with neo4j+http:// or neo4j+https://");
  const std::string plain = text.substr(prefix.size());
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  if (!url) throw std::bad_alloc();
  if (curl_url_set(url.get(), CURLUPART_URL, plain.c_str(), 0) != CURLUE_OK)
    return bad_url("it is not well-formed");
  if (!part(url.get(), CURLUPART_PASSWORD).empty())
    return Error{.code = Errc::invalid_argument,
                 .message = "graph URL: it contains a password, which others could read",
                 .remedy = "leave it out and set NEO4J_PASSWORD"};
  if (!part(url.get(), CURLUPART_QUERY).empty() || !part(url.get(), CURLUPART_FRAGMENT).empty())
    return bad_url("nothing may follow the database");

  const bool https = plain.starts_with("https://");
  std::string port = part(url.get(), CURLUPART_PORT);
  if (port.empty()) port = https ? "7473" : "7474";
  GraphAddress address{.base_url = std::string(https ? "https://" : "http://") +
                                   part(url.get(), CURLUPART_HOST) + ":" + port,
                       .user = part(url.get(), CURLUPART_USER, CURLU_URLDECODE),
                       .database = part(url.get(), CURLUPART_PATH, CURLU_URLDECODE)};
  while (address.database.starts_with('/')) address.database.erase(0, 1);
  while (address.database.ends_with('/')) address.database.pop_back();
  if (address.database.find('/') != std::string::npos)
    return bad_url("the database's name contains a /");
  if (address.user.empty()) address.user = "neo4j";
  if (address.database.empty()) address.database = "neo4j";
  return address;
}

bool is_bank_name(std::string_view bank) {
  return !bank.empty() && bank.size() <= 40 && std::all_of(bank.begin(), bank.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

Result<std::unique_ptr<GraphProjection>> open_neo4j_graph(const Neo4jOptions& options) {
  auto address = parse(options.url);
  if (!address) return std::move(address).error();
  if (!is_bank_name(options.bank))
    return Error{.code = Errc::invalid_argument,
                 .message = "bank name: " + options.bank,
                 .remedy = "use one to forty of a-z, 0-9 and _"};
  auto client = new_http_client({.service = "Neo4j",
                                 .base_url = address->base_url,
                                 .user = address->user,
                                 .password = options.password,
                                 .ca_file = options.ca_file,
                                 .connect_timeout = options.connect_timeout,
                                 .connections = options.connections});
  auto transport =
      neo4j::new_http_transport(std::move(client), {.database = address->database,
                                                    .door = options.door,
                                                    .read_timeout = options.read_timeout,
                                                    .write_timeout = options.write_timeout});
  return neo4j::new_neo4j_projection(std::move(transport), {.bank = options.bank});
}

}  // namespace bb5
