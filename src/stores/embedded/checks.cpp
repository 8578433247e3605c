#include "stores/embedded/checks.hpp"

#include <fmt/format.h>

#include "stores/embedded/schema.hpp"

namespace bb5::embedded {
namespace {

struct Count {
  const char* sql;      // counts what ought not to be
  const char* finding;  // with {} for the number
};

constexpr Count quick_counts[] = {
    {"SELECT abs((SELECT count(*) FROM memories INDEXED BY memories_by_network) - "
     "(SELECT coalesce(sum(memories), 0) FROM tallies))",
     "memories: {} more or fewer than the tallies say"},
    {"SELECT max(0, (SELECT coalesce(max(seq), 0) FROM memories) - (SELECT last_seq FROM bank))",
     "memories: the last place is {} behind the greatest in use"},
    {"SELECT max(0, (SELECT coalesce(max(vec_id), 0) FROM vectors) - (SELECT last_vec_id FROM "
     "bank))",
     "vectors: the last number is {} behind the greatest in use"},
};

constexpr Count thorough_counts[] = {
    {"SELECT count(*) FROM memories m LEFT JOIN vectors v ON v.vec_id = m.vec_id "
     "WHERE (m.vector_state = 1) <> (v.vec_id IS NOT NULL) OR v.seq <> m.seq OR v.label <> "
     "m.network * 4 + m.kind",
     "memories: {} do not agree with their vectors"},
    {"SELECT count(*) FROM vectors v LEFT JOIN memories m ON m.seq = v.seq WHERE m.vec_id IS NOT "
     "v.vec_id",
     "vectors: {} belong to no memory"},
    {"SELECT count(*) FROM vectors WHERE length(embedding) <> 4 * (SELECT dimension FROM bank)",
     "vectors: {} have another length than the bank's"},
    {"SELECT count(*) FROM memories m LEFT JOIN other_vectors o ON o.model = m.given_model AND "
     "o.seq = m.seq WHERE m.given_model <> '' AND o.seq IS NULL OR m.given_model IS NOT NULL AND "
     "m.vector_state <> 1",
     "memories: {} have lost the vector that they came with"},
    {"SELECT count(*) FROM other_vectors o LEFT JOIN memories m ON m.seq = o.seq WHERE m.seq IS "
     "NULL OR o.model = (SELECT embedder_model FROM bank)",
     "vectors of other models: {} belong to no memory, or are of the bank's model"},
    {"SELECT count(*) FROM memories m LEFT JOIN networks n ON n.code = m.network WHERE n.code IS "
     "NULL",
     "memories: {} are in an unknown network"},
    {"SELECT count(*) FROM (SELECT network, kind, vector_state, count(*) AS n FROM memories GROUP "
     "BY 1, 2, 3) m "
     "FULL JOIN (SELECT * FROM tallies WHERE memories <> 0) t USING (network, kind, vector_state) "
     "WHERE m.n IS NOT t.memories",
     "tallies: {} differ from what the bank holds"},
    {"SELECT count(*) FROM mention_facts f LEFT JOIN memories m ON m.seq = f.memory_seq WHERE "
     "m.seq IS NULL",
     "mentions: {} are of memories that do not exist"},
    {"SELECT count(*) FROM document_memories d LEFT JOIN memories m ON m.seq = d.memory_seq LEFT "
     "JOIN documents o ON o.document = d.document WHERE m.seq IS NULL OR o.document IS NULL",
     "documents: {} sayings are of memories or documents that do not exist"},
    {"SELECT count(*) FROM document_facts d LEFT JOIN entity_facts e ON d.kind = 0 AND e.id = "
     "d.fact LEFT JOIN relationship_facts r ON d.kind = 1 AND r.id = d.fact LEFT JOIN documents o "
     "ON o.document = d.document WHERE coalesce(e.seq, r.seq) IS NULL OR o.document IS NULL",
     "documents: {} facts or documents of facts do not exist"},
    {"SELECT count(*) FROM mentions x LEFT JOIN entities e ON e.key = x.entity_key WHERE e.key IS "
     "NULL",
     "mentions: {} are of entities that do not exist"},
    {"SELECT count(*) FROM relationships r LEFT JOIN entities s ON s.key = r.subject_key "
     "LEFT JOIN entities o ON o.key = r.object_key WHERE s.key IS NULL OR o.key IS NULL",
     "relationships: {} have an end that does not exist"},
    {"SELECT count(*) FROM names n LEFT JOIN entities e ON e.key = n.entity_key WHERE e.key IS "
     "NULL",
     "names: {} mean entities that do not exist"},
};

Result<> add_counts(Connection& connection, std::span<const Count> counts,
                    std::vector<std::string>& findings) {
  for (const Count& count : counts) {
    auto found = connection.integer(count.sql);
    if (!found) return std::move(found).error();
    if (*found != 0) findings.push_back(fmt::format(fmt::runtime(count.finding), *found));
  }
  return ok();
}

Result<> add_integrity(Connection& connection, std::vector<std::string>& findings) {
  BB5_TRY(connection.each("PRAGMA integrity_check(20)", [&](const Row& row) {
    if (row.text(0) != "ok") findings.push_back("file: " + row.string(0));
  }));
  return ok();
}

}  // namespace

Result<std::vector<std::string>> check_bank(Connection& connection, VectorSearch& vectors,
                                            bool thorough) {
  auto findings = schema_differences(connection);
  if (!findings) return findings;
  BB5_TRY(add_counts(connection, quick_counts, *findings));
  auto coverage = vectors.coverage(connection);
  if (!coverage) return std::move(coverage).error();
  if (coverage->usable && coverage->dead < 0) {
    findings->push_back(
        fmt::format("codes: {} vectors are missing (the file is made anew by the next search)",
                    -coverage->dead));
  }
  if (!thorough) return findings;
  BB5_TRY(add_integrity(connection, *findings));
  BB5_TRY(add_counts(connection, thorough_counts, *findings));
  return findings;
}

}  // namespace bb5::embedded
