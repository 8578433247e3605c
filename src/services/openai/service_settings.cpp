#include "services/openai/service_settings.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <new>
#include <utility>

#include <curl/curl.h>

namespace bb5::openai {
namespace {

struct FreeUrl {
  void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};

bool has_part(CURLU* url, CURLUPart which) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, 0) != CURLUE_OK) return false;
  curl_free(text);
  return true;
}

Error bad_url(std::string what) {
  return Error{.code = Errc::invalid_argument,
               .message = "OPENAI_BASE_URL: " + std::move(what),
               .remedy = std::string("write it like ") + default_base_url};
}

/// The URL as it stands before the paths. It is not repeated in errors: it may hold a password.
Result<std::string> checked_url(std::string text) {
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  if (!url) throw std::bad_alloc();
  if (!text.starts_with("http://") && !text.starts_with("https://"))
    return bad_url("it must start with http:// or https://");
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK)
    return bad_url("it is not well-formed");
  if (has_part(url.get(), CURLUPART_USER) || has_part(url.get(), CURLUPART_PASSWORD))
    return Error{.code = Errc::invalid_argument,
                 .message = "OPENAI_BASE_URL: it contains a user or a password",
                 .remedy = "leave it out and set OPENAI_API_KEY"};
  if (has_part(url.get(), CURLUPART_QUERY) || has_part(url.get(), CURLUPART_FRAGMENT))
    return bad_url("it must end before ? and #");
  while (text.ends_with('/')) text.pop_back();
  return text;
}

std::string trimmed(const std::string& text) {
  constexpr const char* space = " \t\r\n";
  const auto first = text.find_first_not_of(space);
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

/// The key goes into a header: whatever could end the line is refused.
Result<std::string> checked_key(std::string key, const std::string& origin) {
  if (!std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < '\x7f'; }))
    return Error{.code = Errc::invalid_argument,
                 .message = origin + ": a key has visible ASCII characters only",
                 .remedy = "copy the key again, without quotes or line breaks"};
  return key;
}

Result<std::string> read_key(const Lookup& lookup) {
  if (auto key = trimmed(lookup("OPENAI_API_KEY")); !key.empty())
    return checked_key(std::move(key), "OPENAI_API_KEY");
  const std::string path = lookup("OPENAI_API_KEY_FILE");
  if (path.empty()) return std::string{};
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), {});
  if (!file || trimmed(text).empty())
    return Error{.code = Errc::refused,
                 .message = "OPENAI_API_KEY_FILE: no key can be read from " + path,
                 .remedy = "let it name a file that holds the key and nothing else"};
  return checked_key(trimmed(text), path);
}

}  // namespace

Result<ServiceSettings> read_service_settings(const Lookup& lookup, const std::string& base_url) {
  const std::string given = base_url.empty() ? lookup("OPENAI_BASE_URL") : base_url;
  auto url = checked_url(given.empty() ? default_base_url : given);
  if (!url) return std::move(url).error();
  auto key = read_key(lookup);
  if (!key) return std::move(key).error();
  if (key->empty() && *url == default_base_url)
    return Error{.code = Errc::refused,
                 .message = "the model service needs a key",
                 .remedy = "set OPENAI_API_KEY, or OPENAI_BASE_URL for a service without keys"};
  return ServiceSettings{.base_url = *std::move(url), .api_key = *std::move(key)};
}

}  // namespace bb5::openai
