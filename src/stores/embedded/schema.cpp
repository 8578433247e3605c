#include "stores/embedded/schema.hpp"

#include <map>
#include <thread>

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/digest.hpp"

namespace bb5::embedded {
namespace {

std::string checksum_of(std::string_view text) {
  const Sha256 digest = sha256(text);
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

Error foreign(const Connection& connection, std::string what) {
  return Error{Errc::invalid_argument,
               fmt::format("{} is {}", connection.file().string(), std::move(what)),
               "name another file, or a file that does not exist yet"};
}

Result<std::map<std::string, std::string>> objects_of(Connection& connection) {
  std::map<std::string, std::string> objects;
  BB5_TRY(
      connection.each("SELECT type || ' ' || name, coalesce(sql, '') FROM sqlite_schema WHERE name "
                      "NOT LIKE 'sqlite_%'",
                      [&](const Row& row) { objects[row.string(0)] = row.string(1); }));
  return objects;
}

}  // namespace

Result<FileState> inspect_file(Connection& connection) {
  // Counted before the ids are read: another process makes objects and ids in one transaction, so
  // whoever sees its objects sees its ids too.
  auto objects = connection.integer("SELECT count(*) FROM sqlite_schema");
  if (!objects) {
    // Seen this early it is not a damaged bank but a file of another kind.
    if (objects.error().detail.starts_with(fmt::format("SQLite {} ", SQLITE_NOTADB))) {
      return foreign(connection, "not a database");
    }
    return std::move(objects).error();
  }
  auto id = connection.integer("PRAGMA application_id");
  if (!id) return std::move(id).error();
  auto version = connection.integer("PRAGMA user_version");
  if (!version) return std::move(version).error();

  if (*objects == 0 && *id == 0 && *version == 0) return FileState::empty;
  if (*id != application_id) return foreign(connection, "the database of another program");
  if (*version > schema_version) {
    return Error{
        Errc::unsupported,
        fmt::format("{} was made by a newer version (its schema is {}, this version knows {})",
                    connection.file().string(), *version, schema_version),
        "update bb5-memory"};
  }
  auto recorded = connection.first("SELECT sha256 FROM schema_changes WHERE version = 1",
                                   [](const Row& row) { return std::string(row.blob(0)); });
  if (!recorded) return std::move(recorded).error();
  if (!*recorded || **recorded != checksum_of(schema_001_start)) {
    return Error{
        Errc::corrupt,
        fmt::format("{} has a schema 1 that differs from this program's",
                    connection.file().string()),
        "it was made by a development version: export it with that version and import it here"};
  }
  return FileState::ours;
}

Result<> require_wal(Connection& connection, std::chrono::milliseconds patience) {
  // The switch needs the file for itself for a moment and does not wait for it.
  const auto give_up = std::chrono::steady_clock::now() + patience;
  for (;;) {
    auto mode =
        connection.first("PRAGMA journal_mode = WAL", [](const Row& row) { return row.string(0); });
    if (mode && *mode == "wal") return ok();
    const bool busy = mode || mode.error().code == Errc::locked;
    if (!busy) return std::move(mode).error();
    if (std::chrono::steady_clock::now() >= give_up) {
      if (!mode) return std::move(mode).error();
      return Error{
          Errc::unsupported,
          fmt::format("{} lies on a file system without shared memory", connection.file().string()),
          "put it on a local disk"};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

Result<> create_schema(Connection& connection) {
  // Vectors of 384 numbers fill pages of 8 KiB to 94 %, those of 4 KiB to 75 %.
  BB5_TRY(connection.run("PRAGMA page_size = 8192"));
  auto transaction = Transaction::write(connection);
  if (!transaction) return std::move(transaction).error();
  auto state = inspect_file(connection);
  if (!state) return std::move(state).error();
  if (*state == FileState::ours) return ok();
  BB5_TRY(connection.script(std::string(schema_001_start)));
  BB5_TRY(connection.run(
      "INSERT INTO schema_changes (version, name, sha256, applied_at) VALUES (1, ?, ?, ?)",
      "001_start.sql", Blob{checksum_of(schema_001_start)}, now()));
  BB5_TRY(connection.script(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}",
                                        application_id, schema_version)));
  return transaction->commit();
}

Result<std::vector<std::string>> schema_differences(Connection& connection) {
  auto model = Connection::open_in_memory();
  if (!model) return std::move(model).error();
  BB5_TRY((*model)->script(std::string(schema_001_start)));
  auto wanted = objects_of(**model);
  if (!wanted) return std::move(wanted).error();
  auto found = objects_of(connection);
  if (!found) return std::move(found).error();
  std::vector<std::string> differences;
  for (const auto& [name, sql] : *wanted) {
    const auto place = found->find(name);
    if (place == found->end()) {
      differences.push_back(fmt::format("schema: {} is missing", name));
    } else if (place->second != sql) {
      differences.push_back(fmt::format("schema: {} is not as this version makes it", name));
    }
  }
  for (const auto& [name, sql] : *found) {
    if (!wanted->contains(name)) differences.push_back(fmt::format("schema: {} is not ours", name));
  }
  return differences;
}

}  // namespace bb5::embedded
