#include "stores/embedded/sieve.hpp"

#include <algorithm>

#include "stores/embedded/filter_rows.hpp"
#include "stores/embedded/memory_rows.hpp"

namespace bb5::embedded {
namespace {

bool holds(const std::vector<std::int64_t>& ascending, std::int64_t number) {
  return std::binary_search(ascending.begin(), ascending.end(), number);
}

Result<std::vector<std::int64_t>> listed_vectors(Connection& connection,
                                                 const MemoryFilter& filter) {
  const Condition condition = condition_of(filter, 1);
  std::vector<std::int64_t> vec_ids;
  BB5_TRY(connection.each(
      "SELECT m.vec_id FROM memories m WHERE m.vec_id IS NOT NULL" + condition.sql,
      [&](const Row& row) { vec_ids.push_back(row.integer(0)); }, condition.values));
  std::sort(vec_ids.begin(), vec_ids.end());
  return vec_ids;
}

}  // namespace

bool Sieve::leaves_out(std::int64_t vec_id) const {
  return !left_out.empty() && holds(left_out, vec_id);
}

bool Sieve::lets_through(std::int64_t vec_id, std::int64_t label) const {
  if (listed) return holds(*listed, vec_id);
  return (!labels || holds(*labels, label)) && !leaves_out(vec_id);
}

Result<Sieve> sieve_of(Connection& connection, const MemoryFilter& filter) {
  Sieve sieve;
  if (!is_plain(filter)) {
    auto listed = listed_vectors(connection, filter);
    if (!listed) return std::move(listed).error();
    sieve.listed = std::move(*listed);
    return sieve;
  }
  auto labels = labels_of(connection, filter);
  if (!labels) return std::move(labels).error();
  auto not_valid = not_valid_at(connection, filter.valid_at, *labels);
  if (!not_valid) return std::move(not_valid).error();
  sieve.labels = std::move(*labels);
  sieve.left_out = std::move(not_valid->vec_ids);
  return sieve;
}

Result<std::int64_t> count_vectors(Connection& connection, const Sieve& sieve) {
  if (sieve.listed) return std::ssize(*sieve.listed);
  auto labelled = count_memories(connection, sieve.labels, VectorState::indexed);
  if (!labelled) return labelled;
  return *labelled - std::ssize(sieve.left_out);
}

}  // namespace bb5::embedded
