#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.hpp"

namespace bb5 {

/// The Error of a system call on a file that failed: "cannot VERB PATH: why".
/// number: errno, as the call left it. Codes: out_of_space (disk, quota, file size),
/// invalid_argument (a path of the wrong form or kind), not_found, refused (rights, or a file
/// system that is read-only), otherwise unavailable.
[[nodiscard]] Error file_error(std::string_view verb, const std::filesystem::path& path,
                               int number);

}  // namespace bb5
