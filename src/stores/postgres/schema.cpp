#include "stores/postgres/schema.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/digest.hpp"

namespace bb5::postgres {
namespace {

// Sets up one bank at a time, whichever: CREATE EXTENSION and CREATE SCHEMA race even with IF NOT
// EXISTS.
constexpr std::int64_t setup_lock = 0x6262352d73657475;  // "bb5-setu"

const Statement extension_statement{
    "SELECT e.extversion, n.nspname::text FROM pg_catalog.pg_extension e"
    " JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'vector'"};
const Statement bank_statement{
    "SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = "
    "c.relnamespace"
    " WHERE n.nspname = $1 AND c.relname = 'schema_versions' AND c.relkind = 'r'"};
const Statement schema_statement{"SELECT count(*) FROM pg_catalog.pg_namespace WHERE nspname = $1"};
const Statement lock_statement{"SELECT pg_advisory_xact_lock($1)"};

std::string checksum_of(const SchemaFile& file) {
  const Sha256 digest = sha256(file.sql);
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::vector<int> numbers_of(std::string_view version) {
  std::vector<int> numbers{0};
  for (const char c : version) {
    if (c >= '0' && c <= '9') {
      numbers.back() = std::min(numbers.back() * 10 + (c - '0'), 1'000'000);
    } else if (c == '.') {
      numbers.push_back(0);
    } else {
      break;
    }
  }
  return numbers;
}

Result<> check_server(const Database& database, const SchemaOptions& options) {
  auto lease = database.pool().borrow();
  if (!lease) return std::move(lease).error();
  Connection& connection = **lease;
  const int version = connection.server_version();
  if (version < options.minimum_server) {
    return Error{Errc::unsupported,
                 fmt::format("the server at {} is PostgreSQL {}; {} is the oldest that will do",
                             connection.place(), version / 10'000, options.minimum_server / 10'000),
                 "upgrade the server"};
  }
  if (const std::string encoding = connection.parameter("server_encoding"); encoding != "UTF8") {
    return Error{Errc::unsupported,
                 fmt::format("the database at {} is encoded in {}", connection.place(), encoding),
                 "create one with ENCODING 'UTF8'"};
  }
  return ok();
}

/// `execute` within a transaction.
Result<> execute(Transaction& transaction, const std::string& sql) {
  if (!transaction.connection().execute(sql)) return transaction.error();
  return ok();
}

Result<> create_extension(const Database& database) {
  auto created = database.transact<std::monostate>(
      "create the extension vector", [&](Transaction& transaction) -> Result<> {
        BB5_TRY(transaction.run(lock_statement, Params().int8(setup_lock)));
        return execute(transaction, "CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public");
      });
  if (!created) {
    created.error().remedy =
        "install pgvector on the server, then, as a role that may: CREATE EXTENSION vector";
  }
  return created;
}

Result<> check_extension(const SchemaState& state, const SchemaOptions& options) {
  if (state.extension_version.empty()) {
    return Error{Errc::unsupported, "the database lacks the extension vector (pgvector)",
                 "as a role that may: CREATE EXTENSION vector"};
  }
  if (!version_at_least(state.extension_version, options.minimum_extension)) {
    return Error{
        Errc::unsupported,
        fmt::format("pgvector is {}; {} is the oldest that will do (older ones damage indexes)",
                    state.extension_version, options.minimum_extension),
        "install a newer pgvector, then: ALTER EXTENSION vector UPDATE"};
  }
  return ok();
}

Result<> check_files(const SchemaState& state, std::string_view bank) {
  const auto findings = schema_findings(state);
  if (findings.empty()) return ok();
  return Error{Errc::unsupported, fmt::format("bank {}: {}", bank, findings.front()),
               "use the program that made the bank, or a newer one"};
}

Result<> apply_files(const Database& database) {
  const Names& names = database.names();
  return database.transact<std::monostate>(
      fmt::format("set up bank {}", names.bank()), [&](Transaction& transaction) -> Result<> {
        BB5_TRY(transaction.run(lock_statement, Params().int8(setup_lock)));
        auto schema = transaction.run(schema_statement, Params().text(names.schema()));
        if (!schema) return std::move(schema).error();
        if (schema->int8(0, 0) == 0)
          BB5_TRY(execute(transaction, names.sql("CREATE SCHEMA {bank}")));
        BB5_TRY(execute(transaction, names.sql("CREATE TABLE IF NOT EXISTS {bank}.schema_versions ("
                                               "version integer PRIMARY KEY, name text NOT NULL,"
                                               " checksum bytea NOT NULL,"
                                               " applied timestamptz NOT NULL DEFAULT now())")));
        // Another starter may have been first.
        const Statement newest =
            names.statement("SELECT coalesce(max(version), 0) FROM {bank}.schema_versions");
        auto version = transaction.run(newest);
        if (!version) return std::move(version).error();
        const Statement record = names.statement(
            "INSERT INTO {bank}.schema_versions (version, name, checksum) VALUES ($1, $2, $3)");
        for (const SchemaFile& file : schema_files()) {
          if (file.version <= version->int4(0, 0)) continue;
          BB5_TRY(execute(transaction, names.sql(file.sql)));
          BB5_TRY(transaction.run(
              record, Params().int4(file.version).text(file.name).bytes(checksum_of(file))));
        }
        return ok();
      });
}

}  // namespace

bool version_at_least(std::string_view version, std::string_view minimum) {
  std::vector<int> left = numbers_of(version);
  std::vector<int> right = numbers_of(minimum);
  const std::size_t size = std::max(left.size(), right.size());
  left.resize(size);
  right.resize(size);
  return left >= right;
}

Result<SchemaState> inspect_schema(const Database& database) {
  constexpr std::string_view doing = "look at the bank's schema";
  SchemaState state;
  auto extension = database.read(doing, extension_statement);
  if (!extension) return std::move(extension).error();
  if (!extension->empty()) {
    state.extension_version = extension->text(0, 0);
    state.extension_schema = extension->text(0, 1);
  }
  auto bank = database.read(doing, bank_statement, Params().text(database.names().schema()));
  if (!bank) return std::move(bank).error();
  state.bank_exists = bank->int8(0, 0) != 0;
  if (!state.bank_exists) return state;
  const Statement versions = database.names().statement(
      "SELECT version, checksum FROM {bank}.schema_versions ORDER BY version");
  auto applied = database.read(doing, versions);
  if (!applied) return std::move(applied).error();
  for (int row = 0; row < applied->size(); ++row) {
    state.applied.push_back({applied->int4(row, 0), applied->text(row, 1)});
  }
  return state;
}

std::vector<std::string> schema_findings(const SchemaState& state) {
  std::vector<std::string> findings;
  for (const auto& applied : state.applied) {
    const auto files = schema_files();
    const auto file = std::find_if(files.begin(), files.end(), [&](const SchemaFile& known) {
      return known.version == applied.version;
    });
    if (file == files.end()) {
      findings.push_back(fmt::format("schema version {} is newer than this program knows ({})",
                                     applied.version, files.back().version));
    } else if (checksum_of(*file) != applied.checksum) {
      findings.push_back(
          fmt::format("schema version {} was made from another {}.sql than this program's",
                      applied.version, file->name));
    }
  }
  return findings;
}

Result<> open_schema(Database& database, const SchemaOptions& options) {
  BB5_TRY(check_server(database, options));
  auto state = inspect_schema(database);
  if (!state) return std::move(state).error();
  const std::string& bank = database.names().bank();
  if (!state->bank_exists && !options.create) {
    return Error{Errc::not_found, fmt::format("there is no bank {} in this database", bank),
                 "create it first (init)"};
  }
  if (state->extension_version.empty() && options.create) {
    BB5_TRY(create_extension(database));
    state = inspect_schema(database);
    if (!state) return std::move(state).error();
  }
  BB5_TRY(check_extension(*state, options));
  BB5_TRY(check_files(*state, bank));
  database.set_vector_schema(state->extension_schema);
  if (state->applied.size() == schema_files().size()) return ok();
  BB5_TRY(apply_files(database));
  state = inspect_schema(database);
  if (!state) return std::move(state).error();
  return check_files(*state, bank);
}

}  // namespace bb5::postgres
