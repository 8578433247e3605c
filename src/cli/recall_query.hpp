#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "operations/recall/recall.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

/// What is asked of `recall`: from flags, and from the lines of a batch.
namespace bb5::cli {

struct QueryFlags {
  std::string text;
  std::vector<std::string> networks;
  std::vector<std::string> categories;
  std::vector<std::string> entities;
  std::vector<std::string> source_types;
  std::vector<std::string> tasks;
  std::vector<std::string> authors;
  std::optional<double> min_confidence;
  std::optional<double> max_confidence;
  std::string since;
  std::string until;
  std::vector<std::string> metadata;  ///< KEY=VALUE
  std::vector<std::string> strategies = {"semantic", "keyword"};
  std::size_t limit = 5;
  std::size_t offset = 0;
  std::optional<std::size_t> tokens;
  std::string embedding;
  std::string as_of;
  bool all_times = false;
  std::string fusion = "weighted";
  int rrf_k = 60;
};

/// Returns the option of the question itself.
CLI::Option* add_query_options(CLI::App& command, QueryFlags& flags);

/// Errors: invalid_argument, naming the flag.
[[nodiscard]] Result<RecallQuery> query_of(const QueryFlags& flags);

/// One line of a batch, a JSON object with the members of the old system's RecallQuery: what it
/// says takes the place of what `query` says; null says nothing. Errors: invalid_argument, naming
/// the member.
[[nodiscard]] Result<RecallQuery> query_of_line(std::string_view line, RecallQuery query);

}  // namespace bb5::cli
