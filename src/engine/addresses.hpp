#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace bb5 {

/// Which bank of which store, and which graph beside it.
struct Addresses {
  std::string store;  ///< `embedded:PATH`, `postgresql://…`, `postgres://…`, `memory:`
  std::string
      graph;  ///< `neo4j+http://…`, `neo4j+https://…`; empty or `none`: the store's own tables.
  std::string bank = "default";
};

/// BB5_HOME, else ~/.local/share/bb5-memory.
[[nodiscard]] std::filesystem::path home_folder();

/// `embedded:HOME/memories.db`.
[[nodiscard]] std::string default_store();

/// Errors: invalid_argument for a kind of store or graph that does not exist, or a bank's name that
/// is not [a-z0-9_]{1,40}; each names what is allowed.
[[nodiscard]] Result<> check_addresses(const Addresses& addresses);

/// Errors: invalid_argument when the URL holds a password: whoever lists processes could read it.
/// The remedy names the variables to use.
[[nodiscard]] Result<> refuse_password_in(const std::string& url);

/// The URL as it may be shown: without a password.
[[nodiscard]] std::string without_password(const std::string& url);

/// Where copies of taken-over sources are kept: beside an embedded store, else in the home folder.
[[nodiscard]] std::filesystem::path backup_folder(const Addresses& addresses);

}  // namespace bb5
