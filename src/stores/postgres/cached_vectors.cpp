#include "stores/postgres/cached_vectors.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "stores/postgres/copy_writer.hpp"

namespace bb5::postgres {
namespace {

Result<> require_model(std::string_view model) {
  if (is_storable_utf8(model)) return ok();
  return Error{Errc::invalid_argument,
               "an embedder's name must be UTF-8 text without NUL characters"};
}

Error no_cache_key(std::string_view text_md5) {
  return {Errc::invalid_argument,
          fmt::format("\"{}\" is no MD5 in 32 lower-case hex digits", text_md5)};
}

}  // namespace

CachedVectors::CachedVectors(const Database& database, const Ledger& ledger)
    : database_(database),
      ledger_(ledger),
      table_(database.names().sql("{bank}.embedding_cache")),
      held_cached_(database.names().sql(
          "SELECT c.model, c.text_md5, c.embedding FROM unnest($1::text[], $2::uuid[]) AS k(model, "
          "text_md5)"
          " JOIN {bank}.embedding_cache c ON c.model = k.model AND c.text_md5 = k.text_md5")),
      update_cached_(database.names().sql(
          "UPDATE {bank}.embedding_cache SET embedding = $3 WHERE model = $1 AND text_md5 = $2")),
      make_imported_(database.names().sql(
          "UPDATE {bank}.embedding_cache c SET used_at = NULL FROM unnest($1::text[], $2::uuid[]) "
          "AS k(model, text_md5) WHERE c.model = k.model AND c.text_md5 = k.text_md5 AND c.used_at "
          "IS NOT NULL")),
      keep_computed_(database.names().sql(
          "INSERT INTO {bank}.embedding_cache (model, text_md5, embedding, used_at)"
          " VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")),
      forget_unused_(database.names().sql(
          "DELETE FROM {bank}.embedding_cache c USING (SELECT model, text_md5, sum(length("
          "embedding)) OVER (ORDER BY used_at DESC, model, text_md5) AS bytes"
          " FROM {bank}.embedding_cache WHERE used_at IS NOT NULL) old WHERE old.bytes > $1"
          " AND c.model = old.model AND c.text_md5 = old.text_md5 AND c.used_at IS NOT NULL")),
      note_use_(database.names().sql(
          "UPDATE {bank}.embedding_cache SET used_at = $3 WHERE model = $1 AND text_md5 = $2"
          " AND used_at <= $4")) {}

Result<std::vector<WriteAction>> CachedVectors::cache_embeddings(
    std::span<const EmbeddingCache::Entry> entries, const LedgerBatch* ledger) const {
  using Key = std::pair<std::string, Uuid>;
  std::vector<Key> keys;
  for (const EmbeddingCache::Entry& entry : entries) {
    const auto key = cache_key(entry.text_md5);
    if (!key) return no_cache_key(entry.text_md5);
    BB5_TRY(require_model(entry.model));
    keys.emplace_back(entry.model, *key);
  }
  const auto is_there = [&]() -> Result<bool> {
    return ledger == nullptr ? Result<bool>(true) : ledger_.holds(*ledger);
  };
  return database_.transact<std::vector<WriteAction>>(
      "cache embeddings",
      [&](Transaction& transaction) -> Result<std::vector<WriteAction>> {
        std::vector<std::string> models;
        std::vector<Uuid> hashes;
        for (const auto& [model, hash] : keys) {
          models.push_back(model);
          hashes.push_back(hash);
        }
        transaction.number_with_next_run();
        std::vector<Command> commands;
        commands.push_back({make_imported_, Params().texts(models).uuids(hashes)});
        commands.push_back({held_cached_, Params().texts(models).uuids(hashes)});
        if (ledger != nullptr) commands.push_back(ledger_.look_up(*ledger));
        auto answers = transaction.run(commands);
        if (!answers) return std::move(answers).error();
        if (ledger != nullptr && answers->back().int8(0, 0) != 0)
          return Ledger::already_there(*ledger);

        std::map<Key, std::string> held;
        const Rows& rows = (*answers)[1];
        for (int row = 0; row < rows.size(); ++row) {
          held[{rows.text(row, 0), rows.uuid(row, 1)}] = rows.text(row, 2);
        }
        std::vector<WriteAction> actions;
        std::map<Key, std::string> added;
        std::map<Key, std::string> changed;
        for (std::size_t i = 0; i < entries.size(); ++i) {
          std::string bytes;
          append_floats(bytes, entries[i].embedding);
          const auto old = held.find(keys[i]);
          if (old == held.end()) {
            const auto [place, fresh] = added.try_emplace(keys[i], bytes);
            actions.push_back(fresh                    ? WriteAction::inserted
                              : place->second == bytes ? WriteAction::identical
                                                       : WriteAction::replaced);
            place->second = std::move(bytes);
          } else if (old->second == bytes) {
            actions.push_back(WriteAction::identical);
          } else {
            actions.push_back(WriteAction::replaced);
            changed[keys[i]] = bytes;
            old->second = std::move(bytes);
          }
        }
        std::optional<LedgerBatch> counted;
        if (ledger != nullptr) {
          auto sums = Ledger::counted(*ledger, actions);
          if (!sums) return std::move(sums).error();
          counted = std::move(*sums);
        }
        if (added.empty() && changed.empty() && !counted) return actions;

        std::vector<Command> updates;
        updates.reserve(changed.size());
        for (const auto& [key, bytes] : changed) {
          updates.push_back(
              {update_cached_, Params().text(key.first).uuid(key.second).bytes(bytes)});
        }
        BB5_TRY(transaction.run(updates));
        CopyWriter copy(transaction, table_, "model, text_md5, embedding", 3);
        for (const auto& [key, bytes] : added) {
          FieldWriter& fields = copy.row();
          fields.text(key.first);
          fields.uuid(key.second);
          fields.bytes(bytes);
          BB5_TRY(copy.send_if_full());
        }
        BB5_TRY(copy.finish());
        if (counted) BB5_TRY(ledger_.write(transaction, *counted));
        return actions;
      },
      is_there);
}

Result<> CachedVectors::keep_computed(std::span<const EmbeddingCache::Entry> entries,
                                      Timestamp used, std::int64_t limit_bytes) const {
  std::vector<Command> commands;
  for (const EmbeddingCache::Entry& entry : entries) {
    const auto key = cache_key(entry.text_md5);
    if (!key) return no_cache_key(entry.text_md5);
    BB5_TRY(require_model(entry.model));
    std::string bytes;
    append_floats(bytes, entry.embedding);
    commands.push_back(
        {keep_computed_, Params().text(entry.model).uuid(*key).bytes(bytes).timestamptz(used)});
  }
  commands.push_back({forget_unused_, Params().int8(limit_bytes)});
  return database_.transact<std::monostate>("keep computed embeddings",
                                            [&](Transaction& transaction) -> Result<> {
                                              transaction.number_with_next_run();
                                              BB5_TRY(transaction.run(commands));
                                              return ok();
                                            });
}

Result<> CachedVectors::note_use(std::string_view model, std::string_view text_md5,
                                 Timestamp used) const {
  const auto key = cache_key(text_md5);
  if (!key || !is_storable_utf8(model)) return ok();
  BB5_TRY(database_.read(
      "note the use of a cached embedding", note_use_,
      Params().text(model).uuid(*key).timestamptz(used).timestamptz(used - cache_use_step)));
  return ok();
}

std::optional<Uuid> cache_key(std::string_view text_md5) {
  const bool hex =
      text_md5.size() == 32 && std::all_of(text_md5.begin(), text_md5.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
      });
  if (!hex) return std::nullopt;
  Uuid key;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (std::size_t i = 0; i < key.bytes.size(); ++i) {
    key.bytes[i] =
        static_cast<std::uint8_t>(digit(text_md5[2 * i]) * 16 + digit(text_md5[2 * i + 1]));
  }
  return key;
}

}  // namespace bb5::postgres
