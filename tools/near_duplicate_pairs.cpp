#include "tools/near_duplicate_pairs.hpp"

#include <fstream>
#include <numeric>
#include <optional>
#include <string_view>

#include "operations/retain/same_statement.hpp"

namespace bb5 {
namespace {

std::vector<std::string> cells_of(std::string_view line) {
  std::vector<std::string> cells(1);
  for (const char c : line) {
    if (c == '\t')
      cells.emplace_back();
    else
      cells.back() += c;
  }
  return cells;
}

std::optional<StatementPair> pair_of(const std::vector<std::string>& cells) {
  if (cells.size() != 5) return std::nullopt;
  if (cells[0] != "development" && cells[0] != "held_out") return std::nullopt;
  if (cells[1] != "same" && cells[1] != "different") return std::nullopt;
  return StatementPair{cells[0] == "held_out", cells[1] == "same", cells[2], cells[3], cells[4]};
}

double share(std::size_t part, std::size_t rest) {
  return part + rest == 0 ? 1 : static_cast<double>(part) / static_cast<double>(part + rest);
}

}  // namespace

Result<std::vector<StatementPair>> read_statement_pairs(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) return Error{Errc::not_found, "cannot read " + file.string()};
  std::vector<StatementPair> pairs;
  std::string line;
  std::getline(in, line);
  for (int number = 2; std::getline(in, line); ++number) {
    auto pair = pair_of(cells_of(line));
    if (!pair)
      return Error{Errc::corrupt,
                   file.string() + ", line " + std::to_string(number) + ": not a pair",
                   "five cells between tabs: development or held_out, same or different, kind, "
                   "left, right"};
    pairs.push_back(std::move(*pair));
  }
  return pairs;
}

Result<std::vector<double>> cosines_of(std::span<const StatementPair> pairs, Embedder& embedder) {
  std::vector<std::string_view> texts;
  for (const StatementPair& pair : pairs) {
    texts.emplace_back(pair.left);
    texts.emplace_back(pair.right);
  }
  const auto vectors = embedder.embed(texts);
  if (!vectors) return vectors.error();
  std::vector<double> cosines;
  for (std::size_t i = 0; i < vectors->size(); i += 2) {
    const auto& left = (*vectors)[i];  // of length 1, as every embedder's
    cosines.push_back(std::inner_product(left.begin(), left.end(), (*vectors)[i + 1].begin(), 0.0));
  }
  return cosines;
}

bool would_merge(const StatementPair& pair, double cosine, double threshold) {
  return cosine >= threshold && may_say_the_same(pair.left, pair.right);
}

double MergeCounts::precision() const {
  return share(right, wrong);
}

double MergeCounts::recall() const {
  return share(right, missed);
}

void MergeCounts::add(const StatementPair& pair, bool merged) {
  if (merged) ++(pair.same ? right : wrong);
  if (!merged && pair.same) ++missed;
}

MergeCounts count_merges(std::span<const StatementPair> pairs, std::span<const double> cosines,
                         bool held_out, double threshold) {
  MergeCounts counts;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (pairs[i].held_out == held_out)
      counts.add(pairs[i], would_merge(pairs[i], cosines[i], threshold));
  }
  return counts;
}

}  // namespace bb5
