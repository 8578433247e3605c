#include "benchmarks/rivals/bare_sqlite.hpp"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>
#include <sqlite3.h>

#include "benchmarks/support/measure.hpp"

namespace bb5::bench {
namespace {

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;
struct FreeValue {
  void operator()(sqlite3_value* value) const { sqlite3_value_free(value); }
};
using Row = std::vector<std::unique_ptr<sqlite3_value, FreeValue>>;

Database open(const std::string& path) {
  sqlite3* database = nullptr;
  if (sqlite3_open(path.c_str(), &database) != SQLITE_OK) give_up("SQLite cannot open " + path);
  return Database(database);
}

void run(const Database& database, const std::string& sql) {
  if (sqlite3_exec(database.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    give_up(fmt::format("{}: {}", sql, sqlite3_errmsg(database.get())));
}

Statement prepare(const Database& database, const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database.get(), sql.c_str(), -1, &statement, nullptr) != SQLITE_OK)
    give_up(fmt::format("{}: {}", sql, sqlite3_errmsg(database.get())));
  return Statement(statement);
}

std::vector<Row> rows_of(const Database& database, const std::string& sql) {
  std::vector<Row> rows;
  const Statement statement = prepare(database, sql);
  const int columns = sqlite3_column_count(statement.get());
  while (sqlite3_step(statement.get()) == SQLITE_ROW) {
    Row& row = rows.emplace_back();
    for (int i = 0; i < columns; ++i)
      row.emplace_back(sqlite3_value_dup(sqlite3_column_value(statement.get(), i)));
  }
  return rows;
}

std::string text(const Row& row, std::size_t column) {
  const auto* value = reinterpret_cast<const char*>(sqlite3_value_text(row[column].get()));
  return value == nullptr ? "" : value;
}
std::int64_t integer(const Row& row, std::size_t column) {
  return sqlite3_value_int64(row[column].get());
}

/// A table that a load fills, and where a row says to which memory it belongs: a column with the
/// memory's seq, or with its id.
struct Filled {
  std::string_view table;
  std::string_view owner;
  bool by_id = false;
};
constexpr Filled filled_tables[] = {{"memories", "seq"},
                                    {"vectors", "seq"},
                                    {"mention_facts", "memory_seq"},
                                    {"entity_facts", "memory", true},
                                    {"relationship_facts", "memory", true}};
/// Small and written otherwise (bookkeeping), or filled by the schema itself.
constexpr std::string_view bookkeeping[] = {"bank",      "schema_changes", "tallies", "networks",
                                            "run_files", "runs",           "batches", "issues"};

struct Rows {
  std::string insert;
  std::vector<Row> rows;
  std::vector<std::int64_t> owners;  ///< Parallel to rows: the seq of the memory.
};

}  // namespace

struct RowsOfBank::State {
  std::vector<std::string> schema;
  std::int64_t page_size = 0;
  std::vector<Row> networks;
  std::vector<Rows> tables;
  std::vector<Row> texts;  ///< seq, content and extra words, for the full-text index.
  std::vector<std::int64_t> cuts;
  std::string left_out;
};

RowsOfBank::RowsOfBank() : state_(std::make_unique<State>()) {}
RowsOfBank::RowsOfBank(RowsOfBank&&) noexcept = default;
RowsOfBank& RowsOfBank::operator=(RowsOfBank&&) noexcept = default;
RowsOfBank::~RowsOfBank() = default;

RowsOfBank RowsOfBank::read(const std::string& path, std::span<const std::int64_t> cuts) {
  const Database database = open(path);
  RowsOfBank all;
  State& state = *all.state_;
  state.cuts.assign(cuts.begin(), cuts.end());
  state.page_size = integer(rows_of(database, "PRAGMA page_size")[0], 0);
  state.networks = rows_of(database, "SELECT code, name FROM networks");
  state.texts = rows_of(database, "SELECT seq, content, extra_words FROM memories ORDER BY seq");
  std::unordered_map<std::string, std::int64_t> seq_of_id;
  for (const Row& row : rows_of(database, "SELECT seq, hex(id) FROM memories"))
    seq_of_id[text(row, 1)] = integer(row, 0);

  for (const Filled& filled : filled_tables) {
    Rows& rows = state.tables.emplace_back();
    std::string columns;
    std::string places;
    for (const Row& column :
         rows_of(database, fmt::format("SELECT name FROM pragma_table_info('{}')", filled.table))) {
      columns += (columns.empty() ? "" : ", ") + text(column, 0);
      places += places.empty() ? "?" : ", ?";
    }
    rows.insert = fmt::format("INSERT INTO {} ({}) VALUES ({})", filled.table, columns, places);
    const auto owner =
        filled.by_id ? fmt::format("hex({})", filled.owner) : std::string(filled.owner);
    for (Row& row :
         rows_of(database, fmt::format("SELECT {}, {} FROM {} ORDER BY {}", owner, columns,
                                       filled.table, filled.by_id ? "seq" : "1"))) {
      rows.owners.push_back(filled.by_id ? seq_of_id[text(row, 0)] : integer(row, 0));
      row.erase(row.begin());
      rows.rows.push_back(std::move(row));
    }
  }

  for (const Row& row : rows_of(database,
                                "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER "
                                "BY rowid")) {
    const std::string name = text(row, 0);
    if (name.starts_with("sqlite_") || name.starts_with("memories_fts_")) continue;
    state.schema.push_back(text(row, 1));
    const bool known =
        std::any_of(std::begin(filled_tables), std::end(filled_tables),
                    [&](const Filled& filled) { return filled.table == name; }) ||
        std::find(std::begin(bookkeeping), std::end(bookkeeping), name) != std::end(bookkeeping);
    if (known || !text(row, 1).starts_with("CREATE TABLE")) continue;
    const std::int64_t count =
        integer(rows_of(database, fmt::format("SELECT count(*) FROM {}", name))[0], 0);
    if (count > 0) state.left_out += (state.left_out.empty() ? "" : ", ") + name;
  }
  return all;
}

double RowsOfBank::insert_into(const std::string& path) const {
  const State& state = *state_;
  const Database database = open(path);
  run(database,
      fmt::format("PRAGMA page_size = {}; PRAGMA journal_mode = WAL; PRAGMA synchronous = "
                  "FULL; PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 2000",
                  state.page_size));
  for (const std::string& sql : state.schema) run(database, sql);

  const auto insert = [&](const Statement& statement, const Row& row) {
    for (std::size_t i = 0; i < row.size(); ++i)
      sqlite3_bind_value(statement.get(), static_cast<int>(i) + 1, row[i].get());
    if (sqlite3_step(statement.get()) != SQLITE_DONE) give_up(sqlite3_errmsg(database.get()));
    sqlite3_reset(statement.get());
  };
  std::vector<Statement> inserts;
  for (const Rows& rows : state.tables) inserts.push_back(prepare(database, rows.insert));
  const Statement insert_text =
      prepare(database, "INSERT INTO memories_fts (rowid, content, extra_words) VALUES (?, ?, ?)");
  const Statement insert_network = prepare(database, "INSERT INTO networks VALUES (?, ?)");
  std::vector<std::size_t> next(state.tables.size());
  std::size_t next_text = 0;

  const Stopwatch watch;
  for (const std::int64_t cut : state.cuts) {
    run(database, "BEGIN IMMEDIATE");
    if (cut == state.cuts.front()) {
      for (const Row& row : state.networks) insert(insert_network, row);
    }
    // As a load does: a memory, its vector, its text, what it names, one memory after the other.
    for (; next_text < state.texts.size() && integer(state.texts[next_text], 0) <= cut;
         ++next_text) {
      const std::int64_t seq = integer(state.texts[next_text], 0);
      for (std::size_t i = 0; i < state.tables.size(); ++i) {
        const Rows& rows = state.tables[i];
        for (; next[i] < rows.rows.size() && rows.owners[next[i]] <= seq; ++next[i])
          insert(inserts[i], rows.rows[next[i]]);
      }
      insert(insert_text, state.texts[next_text]);
    }
    run(database, "COMMIT");
  }
  const double seconds = watch.wall_seconds();
  for (std::size_t i = 0; i < state.tables.size(); ++i) {
    if (next[i] != state.tables[i].rows.size())
      give_up(fmt::format("{} rows were not inserted by: {}", state.tables[i].rows.size() - next[i],
                          state.tables[i].insert));
  }
  return seconds;
}

std::string RowsOfBank::left_out() const {
  return state_->left_out;
}

void remove_database(const std::string& database) {
  const std::filesystem::path path(database);
  const std::string name = path.filename().string();
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(path.parent_path())) {
    if (entry.path().filename().string().starts_with(name)) files.push_back(entry.path());
  }
  for (const auto& file : files) std::filesystem::remove(file);
}

}  // namespace bb5::bench
