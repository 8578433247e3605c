#include "operations/retain/secrets.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace bb5 {
namespace {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
constexpr char lower(char c) {
  return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
}
constexpr bool is_alnum(char c) {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z');
}
constexpr bool is_token(char c) {
  return is_alnum(c) || c == '_' || c == '-';
}
constexpr bool is_password(char c) {
  return c > ' ' && c < 0x7F &&
         std::string_view("\"'`<>(){}[],;|\\").find(c) == std::string_view::npos;
}

template <class Belongs>
std::size_t run_of(std::string_view text, Belongs belongs) {
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), belongs) -
                                  text.begin());
}

bool starts_with_folded(std::string_view text, std::string_view word) {
  return text.size() >= word.size() && std::equal(word.begin(), word.end(), text.begin(),
                                                  [](char w, char c) { return w == lower(c); });
}

/// Keys that say by their beginning what they are. `tail`: the fewest characters behind it.
struct KnownKey {
  std::string_view prefix;
  std::size_t tail;
  std::string_view kind;
};
constexpr KnownKey known_keys[] = {
    {"sk-ant-", 24, "anthropic key"},  {"sk-proj-", 24, "openai key"},
    {"sk-svcacct-", 24, "openai key"}, {"sk-", 32, "openai key"},
    {"ghp_", 36, "github token"},      {"gho_", 36, "github token"},
    {"ghu_", 36, "github token"},      {"ghs_", 36, "github token"},
    {"ghr_", 36, "github token"},      {"github_pat_", 40, "github token"},
    {"glpat-", 20, "gitlab token"},    {"xoxa-", 16, "slack token"},
    {"xoxb-", 16, "slack token"},      {"xoxp-", 16, "slack token"},
    {"xoxr-", 16, "slack token"},      {"xoxs-", 16, "slack token"},
    {"AKIA", 16, "aws key"},           {"ASIA", 16, "aws key"},
    {"AIza", 35, "google key"},        {"sk_live_", 20, "stripe key"},
    {"sk_test_", 20, "stripe key"},    {"rk_live_", 20, "stripe key"},
    {"hf_", 30, "hugging face token"}, {"npm_", 36, "npm token"},
    {"pypi-", 50, "pypi token"},       {"dop_v1_", 60, "digitalocean token"},
    {"shpat_", 32, "shopify token"},   {"tskey-", 20, "tailscale key"},
};

/// Names whose values are secrets, as the end of a longer name too: `DB_PASSWORD`, `client-secret`.
struct SecretName {
  std::string_view word;
  std::string_view kind;
};
constexpr SecretName secret_names[] = {
    {"password", "password"},     {"passwd", "password"},       {"passphrase", "password"},
    {"pwd", "password"},          {"secret", "secret"},         {"token", "token"},
    {"api_key", "api key"},       {"api-key", "api key"},       {"apikey", "api key"},
    {"access_key", "access key"}, {"access-key", "access key"}, {"accesskey", "access key"},
    {"secret_key", "secret"},     {"secret-key", "secret"},     {"private_key", "private key"},
};

/// A secret in the text: what comes before and after it stays.
struct Found {
  std::size_t from = 0;
  std::size_t to = 0;
  std::string_view kind;
};

std::optional<Found> private_key_at(std::string_view text) {
  constexpr std::string_view begin = "-----BEGIN ";
  if (!text.starts_with(begin)) return std::nullopt;
  const std::size_t head =
      std::min(text.substr(0, 100).find('\n'), std::min<std::size_t>(text.size(), 100));
  if (text.substr(0, head).find("PRIVATE KEY") == std::string_view::npos) return std::nullopt;
  std::size_t end = text.find("-----END ", head);
  if (end == std::string_view::npos) return Found{0, text.size(), "private key"};
  end = text.find("-----", end + 9);
  return Found{0, end == std::string_view::npos ? text.size() : end + 5, "private key"};
}

std::optional<Found> known_key_at(std::string_view text) {
  for (const KnownKey& key : known_keys) {
    if (!text.starts_with(key.prefix)) continue;
    const std::size_t tail = run_of(text.substr(key.prefix.size()), is_token);
    if (tail >= key.tail) return Found{0, key.prefix.size() + tail, key.kind};
  }
  return std::nullopt;
}

/// Three parts in base64url with dots between, the first a JSON object: `eyJ…`.
std::optional<Found> web_token_at(std::string_view text) {
  if (!text.starts_with("eyJ")) return std::nullopt;
  std::size_t at = 0;
  for (int part = 0; part < 3; ++part) {
    const std::size_t length = run_of(text.substr(at), is_token);
    if (length < 8) return std::nullopt;
    at += length;
    if (part < 2 && (at >= text.size() || text[at++] != '.')) return std::nullopt;
  }
  return Found{0, at, "web token"};
}

std::optional<Found> bearer_at(std::string_view text) {
  constexpr std::string_view word = "bearer ";
  if (!starts_with_folded(text, word)) return std::nullopt;
  const std::size_t length =
      run_of(text.substr(word.size()), [](char c) { return is_token(c) || c == '.' || c == '='; });
  const std::string_view value = text.substr(word.size(), length);
  if (length < 16 || std::none_of(value.begin(), value.end(), is_digit)) return std::nullopt;
  return Found{word.size(), word.size() + length, "bearer token"};
}

bool is_placeholder(std::string_view value) {
  constexpr std::string_view words[] = {"your",     "example", "changeme", "placeholder",
                                        "none",     "null",    "xxx",      "...",
                                        "redacted", "[secret", "***"};
  return std::any_of(std::begin(words), std::end(words),
                     [&](std::string_view word) { return starts_with_folded(value, word); });
}

/// `://user:password@`, from the colon of the scheme.
std::optional<Found> url_password_at(std::string_view text) {
  if (!text.starts_with("://")) return std::nullopt;
  const std::string_view rest = text.substr(3, 300);
  const std::size_t user =
      run_of(rest, [](char c) { return is_token(c) || c == '.' || c == '%' || c == '+'; });
  if (user >= rest.size() || rest[user] != ':') return std::nullopt;
  const std::size_t stop = std::min(rest.find_first_of("/ \t\n\"'`<>", user), rest.size());
  const std::size_t at = rest.substr(0, stop).rfind('@');
  if (at == std::string_view::npos || at <= user + 1) return std::nullopt;
  const std::string_view password = rest.substr(user + 1, at - user - 1);
  if (is_placeholder(password) || password.front() == '$' || password.front() == '{')
    return std::nullopt;
  return Found{3 + user + 1, 3 + at, "password"};
}

/// From the start of a name: `api_key = "…"`, `"token": "…"`, `PASSWORD: …`. Bare values must look
/// like no word: they hold a digit. `name_ends`: where the name ends in any case.
std::optional<Found> assignment_at(std::string_view text, std::size_t& name_ends) {
  name_ends = run_of(text, is_token);
  const std::string_view name = text.substr(0, name_ends);
  const auto named =
      std::find_if(std::begin(secret_names), std::end(secret_names), [&](const SecretName& secret) {
        return name.size() >= secret.word.size() &&
               starts_with_folded(name.substr(name.size() - secret.word.size()), secret.word);
      });
  if (named == std::end(secret_names)) return std::nullopt;
  std::size_t at = name_ends;
  const auto skip = [&](std::string_view characters) {
    while (at < text.size() && characters.find(text[at]) != std::string_view::npos) ++at;
  };
  skip("\"'`* \t");
  if (at >= text.size() || (text[at] != ':' && text[at] != '=')) return std::nullopt;
  ++at;
  skip("=* \t");
  if (at >= text.size()) return std::nullopt;
  const char quote = text[at];
  const bool quoted = quote == '"' || quote == '\'' || quote == '`';
  if (quoted) ++at;
  const std::size_t length =
      quoted ? run_of(text.substr(at), [quote](char c) { return c != quote && c != '\n'; })
             : run_of(text.substr(at), is_password);
  std::string_view value = text.substr(at, length);
  while (!quoted && (value.ends_with('.') || value.ends_with(':'))) value.remove_suffix(1);
  const bool holds_digit = std::any_of(value.begin(), value.end(), is_digit);
  if (value.size() < (quoted ? 6U : 8U) || (!quoted && !holds_digit)) return std::nullopt;
  if (is_placeholder(value) || value.front() == '<' || value.front() == '$' ||
      value.front() == '{' || value.find(' ') != std::string_view::npos)
    return std::nullopt;
  return Found{at, at + value.size(), named->kind};
}

}  // namespace

MaskedText mask_secrets(std::string_view text) {
  MaskedText masked;
  std::size_t kept = 0;
  const auto mask = [&](std::size_t at, const Found& found) {
    masked.text.append(text.substr(kept, at + found.from - kept));
    masked.text.append("[secret: ").append(found.kind).append("]");
    kept = at + found.to;
    ++masked.found[std::string(found.kind)];
    return kept;
  };
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    const bool begins_word = is_token(rest.front()) && (at == 0 || !is_token(text[at - 1]));
    std::optional<Found> found;
    std::size_t step = 1;
    if (rest.front() == '-') found = private_key_at(rest);
    if (!found && rest.front() == ':') found = url_password_at(rest);
    if (!found && begins_word) {
      found = known_key_at(rest);
      if (!found) found = web_token_at(rest);
      if (!found) found = bearer_at(rest);
      if (!found) found = assignment_at(rest, step);
    }
    at = found ? mask(at, *found) : at + std::max<std::size_t>(1, step);
  }
  masked.text.append(text.substr(kept));
  return masked;
}

}  // namespace bb5
