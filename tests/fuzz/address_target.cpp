// Addresses of stores, graphs and banks: no URL that may be shown holds its password, and what is
// refused for one is not refused without it.
#include <fmt/format.h>

#include "engine/addresses.hpp"
#include "tests/fuzz/targets.hpp"

namespace bb5::fuzz {

void address(Input input) {
  const std::string url(text_of(input));
  const auto at = [&](const Addresses& addresses) {
    if (const auto checked = check_addresses(addresses); !checked)
      require(checked.error().code == Errc::invalid_argument && !checked.error().remedy.empty(),
              "an address that names nothing comes with a remedy");
  };
  at({.store = url});
  at({.store = "memory:", .graph = url});
  at({.store = "memory:", .bank = url});
  const std::string shown = without_password(url);
  if (refuse_password_in(url)) {
    require(shown == url, "a URL that holds no password is shown as it is");
  }
  // A password that is surely one never comes out.
  constexpr std::string_view secret = "xyzzy-7-secret";
  if (url.find(secret) != std::string::npos) return;
  const auto hidden = [&](const std::string& with) {
    require(without_password(with).find(secret) == std::string::npos, "a password is never shown");
    require(!refuse_password_in(with), "a password on the command line is refused");
  };
  for (const char* scheme : {"postgresql://", "postgres://", "neo4j+http://", "neo4j+https://"}) {
    if (url.find_first_of("@/?#") == std::string::npos)
      hidden(fmt::format("{}user:{}@{}/x", scheme, secret, url));
    hidden(fmt::format("{}host/x?{}&password={}", scheme, url, secret));
    hidden(fmt::format("{}host/x?password={}&{}", scheme, secret, url));
  }
}

}  // namespace bb5::fuzz
