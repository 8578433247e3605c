#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.hpp"
#include "ports/entity_graph.hpp"
#include "stores/neo4j/graph_transport.hpp"

/// The Cypher of the projection: what the port's calls become, and what the rows mean. Pure.
///
/// How a bank lies in Neo4j:
///   (:Entity {key, bank, name, type, first_seen, last_seen, mention_count, aliases, placeholder,
///             names, rev}), key = `bank|entity key`; besides full_key, sort_key, order_key,
///             name_key (graph_keys.hpp) and, where there are `names`, named_in, the bank. With
///             `bare: true` it is only the end of a relationship whose entity has not come yet: no
///             reader sees it.
///   (:Entity)-[:USES {rel_key, predicate, confidence, observation_count, first_observed,
///             last_observed, rev}]->(:Entity); rel_key tells two predicates of one type apart;
///             besides sort_key, predicate_key.
///   (:Memory {key, id, bank, network, rev})-[:MENTIONS {rev}]->(:Entity)
///   (:Tombstone {key, bank, kind, rev}) for each row that was removed.
///   (:SyncState {bank, rev, outbox_id, applied_at, removed_rev, odd_keys}), one a bank.
///
/// Every order of the same changes gives the same graph:
///   - a transaction first writes to the bank's SyncState, so those of one bank run one after
///     another;
///   - a row is written when the stored one is not newer, and removed when it is not newer;
///   - what a tombstone of the same or a later revision names is not written.
/// Relations and mentions may come before their entities and go after them: their ends are bare
/// then.
namespace bb5::neo4j {

struct PieceLimits {
  std::size_t rows = 5'000;                  ///< Of one statement's UNWIND.
  std::size_t bytes = std::size_t{2} << 20;  ///< Of its parameters, about.
};

/// The statements that apply the changes: one transaction. Of several changes of one row the newest
/// counts. Errors: invalid_argument (an empty key, a text that is not UTF-8, a number that is not
/// finite), naming the row.
[[nodiscard]] Result<std::vector<Statement>> apply_statements(std::string_view bank,
                                                              std::span<const GraphChange> changes,
                                                              const PieceLimits& limits = {});

/// Three: entities, relationships, mentions; each gives one number.
[[nodiscard]] std::vector<Statement> count_statements(std::string_view bank);

/// Gives true when pages of this bank must be sorted in full.
[[nodiscard]] Statement odd_keys_statement(std::string_view bank);

[[nodiscard]] Statement entities_statement(std::string_view bank, std::string_view after_key,
                                           std::size_t limit, bool odd_keys);
[[nodiscard]] Statement relationships_statement(std::string_view bank, std::string_view after_key,
                                                std::size_t limit, bool odd_keys);
[[nodiscard]] Statement mentions_statement(std::string_view bank, const Mention& after,
                                           std::size_t limit);
[[nodiscard]] Statement neighbours_statement(std::string_view bank, std::string_view entity_key,
                                             std::size_t limit);
[[nodiscard]] Statement entity_named_statement(std::string_view bank, std::string_view name);

/// Remove at most `relationships` and `nodes` of the bank's, each giving the number removed; to be
/// run until all give 0.
[[nodiscard]] std::vector<Statement> clear_statements(std::string_view bank,
                                                      std::size_t relationships, std::size_t nodes);

// Rows of the statements above. A value of another type than ours (edited by hand) reads as
// something that no store of ours holds, so that a comparison names it.
[[nodiscard]] Entity entity_from(const nlohmann::json& row, std::string_view bank);
[[nodiscard]] Relationship relationship_from(const nlohmann::json& row, std::string_view bank);
[[nodiscard]] std::optional<Mention> mention_from(const nlohmann::json& row, std::string_view bank);
[[nodiscard]] Neighbour neighbour_from(const nlohmann::json& row, std::string_view bank);

}  // namespace bb5::neo4j
