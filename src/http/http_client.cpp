#include "http/http_client.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <stdexcept>
#include <utility>

#include <curl/curl.h>

namespace bb5 {
namespace {

struct FreeHandle {
  void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};
using Handle = std::unique_ptr<CURL, FreeHandle>;

struct FreeList {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

struct Received {
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  bool head_ended = false;
  std::size_t limit_bytes = 0;
  bool too_long = false;
};

std::size_t receive(char* data, std::size_t size, std::size_t count, void* to) {
  auto& received = *static_cast<Received*>(to);
  const std::size_t bytes = size * count;
  if (received.body.size() + bytes > received.limit_bytes) {
    received.too_long = true;
    return 0;
  }
  try {
    received.body.append(data, bytes);
  } catch (const std::exception&) {  // Nothing may be thrown through libcurl's frames.
    received.too_long = true;
    return 0;
  }
  return bytes;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool equal_in_any_case(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const auto first = text.find_first_not_of(space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

/// libcurl's own bound is 300 KB of head an answer.
std::size_t receive_header(char* data, std::size_t size, std::size_t count, void* to) {
  auto& received = *static_cast<Received*>(to);
  const std::string_view line(data, size * count);
  try {
    if (line.starts_with("HTTP/")) {  // Of several heads the last counts: others are interim.
      received.headers.clear();
      received.head_ended = false;
    }
    if (trimmed(line).empty()) received.head_ended = true;
    const auto colon = line.find(':');
    if (colon != std::string_view::npos)
      received.headers.emplace_back(trimmed(line.substr(0, colon)),
                                    trimmed(line.substr(colon + 1)));
  } catch (const std::exception&) {
    return 0;
  }
  return line.size();
}

/// The hosts that the user wants reached directly, and this machine: no proxy knows it.
std::string direct_hosts() {
  std::string hosts = "localhost,127.0.0.1,::1";
  for (const char* name : {"no_proxy", "NO_PROXY"}) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets any
    if (value == nullptr || *value == '\0') continue;
    return std::string_view(value) == "*" ? "*" : hosts + ',' + value;
  }
  return hosts;
}

bool is_tls_failure(CURLcode code) {
  return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
         code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_ISSUER_ERROR;
}

class CurlClient final : public HttpClient {
 public:
  explicit CurlClient(HttpClientOptions options)
      : options_(std::move(options)), direct_hosts_(direct_hosts()) {
    static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (started != CURLE_OK) throw std::runtime_error("libcurl does not start");
    if (options_.connections == 0) options_.connections = 1;
  }

  Result<HttpResponse> send(const HttpRequest& request) override {
    const auto deadline = std::chrono::steady_clock::now() + request.timeout;
    Lease lease(*this, deadline);
    if (!lease.handle)
      return Error{.code = Errc::unavailable,
                   .message = options_.service + ": all " + std::to_string(options_.connections) +
                              " connections have been busy until the time was up"};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    return perform(lease.handle.get(), request, std::max(left, std::chrono::milliseconds{1}));
  }

 private:
  /// A handle for the length of one request. Its destructor puts it back, connection and all.
  struct Lease {
    Lease(CurlClient& client, std::chrono::steady_clock::time_point deadline) : owner(client) {
      std::unique_lock lock(owner.mutex_);
      if (!owner.returned_.wait_until(lock, deadline, [this] {
            return !owner.idle_.empty() || owner.made_ < owner.options_.connections;
          }))
        return;
      if (!owner.idle_.empty()) {
        handle = std::move(owner.idle_.back());
        owner.idle_.pop_back();
        return;
      }
      handle.reset(curl_easy_init());
      if (handle) ++owner.made_;
    }
    ~Lease() {
      if (!handle) return;
      {
        const std::lock_guard lock(owner.mutex_);
        owner.idle_.push_back(std::move(handle));
      }
      owner.returned_.notify_one();
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Lease(Lease&&) = delete;
    Lease& operator=(Lease&&) = delete;

    CurlClient& owner;
    Handle handle;
  };

  Result<HttpResponse> perform(CURL* handle, const HttpRequest& request,
                               std::chrono::milliseconds timeout) const {
    curl_easy_reset(handle);  // Options only: the connection stays.
    Received received;
    received.limit_bytes = options_.longest_answer_bytes;
    char words[CURL_ERROR_SIZE] = "";
    HeaderList headers;
    const auto add_header = [&headers](const std::string& line) {
      curl_slist* longer = curl_slist_append(headers.get(), line.c_str());
      if (longer == nullptr) throw std::bad_alloc();
      static_cast<void>(headers.release());
      headers.reset(longer);
    };
    add_header("Expect:");  // Else a large body waits a second for a `100 Continue`.
    for (const auto& line : request.headers) add_header(line);

    const std::string url = options_.base_url + request.path;
    curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(handle, CURLOPT_NOPROXY, direct_hosts_.c_str());
    set_credentials(handle);
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(options_.connect_timeout.count()));
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, words);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &receive);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &received);
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, &receive_header);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, &received);
    if (!options_.ca_file.empty())
      curl_easy_setopt(handle, CURLOPT_CAINFO, options_.ca_file.c_str());
    if (request.method == "POST") {
      curl_easy_setopt(handle, CURLOPT_POST, 1L);
      curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body.data());
      curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(request.body.size()));
    } else if (request.method != "GET") {
      curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }

    CURLcode code = curl_easy_perform(handle);
    if (code == CURLE_OK && !received.head_ended) code = CURLE_PARTIAL_FILE;  // curl lets it pass.
    if (code != CURLE_OK) return failure(code, words, received);
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    return HttpResponse{.status = static_cast<int>(status),
                        .body = std::move(received.body),
                        .headers = std::move(received.headers)};
  }

  void set_credentials(CURL* handle) const {
    if (!options_.bearer.empty()) {
      curl_easy_setopt(handle, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
      curl_easy_setopt(handle, CURLOPT_XOAUTH2_BEARER, options_.bearer.c_str());
    } else if (!options_.user.empty()) {
      curl_easy_setopt(handle, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
      curl_easy_setopt(handle, CURLOPT_USERNAME, options_.user.c_str());
      curl_easy_setopt(handle, CURLOPT_PASSWORD, options_.password.c_str());
    }
  }

  Error failure(CURLcode code, const char* words, const Received& received) const {
    const std::string detail = std::string("curl ") + std::to_string(code) + ": " +
                               (*words != '\0' ? words : curl_easy_strerror(code));
    if (received.too_long)
      return Error{.code = Errc::internal,
                   .message = options_.service + ": the answer is longer than " +
                              std::to_string(options_.longest_answer_bytes) + " bytes",
                   .detail = detail};
    if (is_tls_failure(code))
      return Error{.code = Errc::refused,
                   .message = options_.service + ": the certificate of " + options_.base_url +
                              " is not trusted",
                   .remedy = "name the file with its authority's certificate (ca_file)",
                   .detail = detail};
    const bool late = code == CURLE_OPERATION_TIMEDOUT;
    return Error{.code = Errc::unavailable,
                 .message = options_.service + " at " + options_.base_url +
                            (late ? " did not answer in time" : " cannot be reached"),
                 .remedy = "see whether it runs and whether host and port are right",
                 .detail = detail};
  }

  HttpClientOptions options_;
  std::string direct_hosts_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<Handle> idle_;  // guarded by mutex_
  std::size_t made_ = 0;      // guarded by mutex_
};

}  // namespace

std::optional<std::string_view> HttpResponse::header(std::string_view name) const {
  for (const auto& [known, value] : headers) {
    if (equal_in_any_case(known, name)) return value;
  }
  return std::nullopt;
}

std::unique_ptr<HttpClient> new_http_client(const HttpClientOptions& options) {
  return std::make_unique<CurlClient>(options);
}

}  // namespace bb5
