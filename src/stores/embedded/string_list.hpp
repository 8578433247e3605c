#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bb5::embedded {

/// A list of texts as a column holds it: a JSON array in UTF-8, or NULL for an empty list.
[[nodiscard]] std::optional<std::string> write_string_list(const std::vector<std::string>& list);

/// The list again; of JSON that write_string_list did not write, what can be understood.
[[nodiscard]] std::vector<std::string> read_string_list(std::string_view json);

}  // namespace bb5::embedded
