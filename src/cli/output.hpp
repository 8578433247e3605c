#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/result.hpp"
#include "json/value.hpp"
#include "model/entity_merges.hpp"
#include "model/memory.hpp"

namespace bb5::cli {

/// Exit codes of all verbs but migrate.
enum class Exit : int {
  good = 0,
  failed = 1,
  usage = 2,
  no_such_store = 10,
  locked = 11,
  refused = 12,
  unreachable = 13,
  corrupt = 14,
  interrupted = 130
};

/// Of migrate (docs/migration.md).
enum class MigrateExit : int {
  good = 0,
  too_many_rejects = 2,
  mismatch = 3,
  preflight = 4,
  interrupted = 5,
  source_changed = 6,
  locked = 7,
  usage = 8
};

/// `1 file`, `2 files`.
[[nodiscard]] std::string counted(std::int64_t number, std::string_view one, std::string_view many);

/// Writes to standard output; ignores nothing: a closed pipe ends the program as usual.
void print(std::string_view text);
/// The one JSON document of a verb, on standard output with a line end.
void print_document(const nlohmann::ordered_json& document);
/// A JSON document on one line, flushed: acknowledgements and batch answers.
void print_line(const nlohmann::ordered_json& document);

/// Says what is wrong, where, and what helps: on standard error, or as a JSON document on standard
/// output.
void print_error(const Error& error, bool json);
[[nodiscard]] nlohmann::ordered_json error_document(const Error& error);
/// For errors while a store or source is opened, `not_found` is no_such_store.
[[nodiscard]] int exit_code(const Error& error, bool opening);

/// A memory as every JSON answer shows it.
[[nodiscard]] nlohmann::ordered_json memory_document(const Memory& memory);
/// A merge as every JSON answer shows it.
[[nodiscard]] nlohmann::ordered_json merge_document(const EntityMerge& merge);
/// Metadata text as JSON that any parser takes: what JSON lacks (NaN, huge integers) as text.
[[nodiscard]] nlohmann::ordered_json metadata_document(const std::string& metadata);

/// What Python's str() prints of a metadata value; `missing` when the key is not there.
[[nodiscard]] std::string python_text(const Memory& memory, std::string_view key,
                                      std::string_view missing);

}  // namespace bb5::cli
