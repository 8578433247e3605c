#pragma once

#include <functional>
#include <string>

#include "base/result.hpp"

namespace bb5::openai {

inline constexpr const char* default_base_url = "https://api.openai.com/v1";

/// Where a model service is and who we are to it.
struct ServiceSettings {
  std::string base_url = default_base_url;
  std::string api_key;  ///< Empty: none is sent. Never to be printed.
  std::string ca_file;  ///< PEM; empty: the system's certificates.
};

/// The value of an environment variable; empty when it is not set.
using Lookup = std::function<std::string(const std::string& name)>;

/// From OPENAI_BASE_URL, and OPENAI_API_KEY or the file that OPENAI_API_KEY_FILE names (an empty
/// variable counts as none). `base_url`, when not empty, goes before the variable.
/// Errors: invalid_argument (no such URL, a URL with a password in it, a key that is none),
/// refused (the file cannot be read; no key for the default service).
[[nodiscard]] Result<ServiceSettings> read_service_settings(const Lookup& lookup,
                                                            const std::string& base_url = {});

}  // namespace bb5::openai
