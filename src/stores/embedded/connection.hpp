#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace bb5::embedded {

/// Bytes to be bound as a BLOB; a plain string is bound as TEXT.
struct Blob {
  std::string_view bytes;
};

/// Values for as many parameters in a row.
using Values = std::vector<std::variant<std::int64_t, double, std::string>>;

/// The row that a statement stands on. Texts and blobs live until the next row.
class Row {
 public:
  explicit Row(sqlite3_stmt* statement) : statement_(statement) {}

  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double real(int column) const;
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] std::string_view blob(int column) const;

  [[nodiscard]] std::string string(int column) const { return std::string(text(column)); }
  [[nodiscard]] std::optional<std::int64_t> maybe_integer(int column) const;
  [[nodiscard]] std::optional<double> maybe_real(int column) const;
  [[nodiscard]] std::optional<std::string> maybe_string(int column) const;
  [[nodiscard]] std::optional<Timestamp> maybe_time(int column) const;
  /// Of a 16-byte blob; any other length gives the nil UUID.
  [[nodiscard]] Uuid uuid(int column) const;

 private:
  sqlite3_stmt* statement_;
};

enum class OpenMode { read_write, read_only };

/// One connection to one SQLite file, with its prepared statements. For one thread at a time.
/// A statement is prepared when its text is seen first, and kept; the same text may run nested.
class Connection {
 public:
  /// Opens an existing file; looks at nothing in it. Waits for other processes' locks for at most
  /// `busy_timeout` in each statement. file: absolute.
  static Result<std::unique_ptr<Connection>> open(const std::filesystem::path& file, OpenMode mode,
                                                  std::chrono::milliseconds busy_timeout);
  /// An empty database that lives and dies with the connection.
  static Result<std::unique_ptr<Connection>> open_in_memory();
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Runs one statement to its end and ignores its rows.
  template <class... Args>
  Result<> run(std::string_view sql, const Args&... args) {
    return each(
        sql, [](const Row&) {}, args...);
  }

  /// Calls `on_row(const Row&)` for each row; it may return nothing, false to stop, or a Result<>.
  template <class OnRow, class... Args>
  Result<> each(std::string_view sql, OnRow&& on_row, const Args&... args) {
    Lease lease(*this, sql);
    (lease.bind_next(args), ...);
    while (lease.step()) {
      using Answer = std::invoke_result_t<OnRow&, const Row&>;
      const Row row(lease.statement());
      if constexpr (std::is_void_v<Answer>) {
        on_row(row);
      } else if constexpr (std::is_same_v<Answer, bool>) {
        if (!on_row(row)) return ok();
      } else {
        BB5_TRY(on_row(row));
      }
    }
    return lease.status();
  }

  /// What `read(const Row&)` makes of the first row, or nothing.
  template <class Read, class... Args>
  auto first(std::string_view sql, Read&& read, const Args&... args)
      -> Result<std::optional<std::invoke_result_t<Read&, const Row&>>> {
    std::optional<std::invoke_result_t<Read&, const Row&>> found;
    BB5_TRY(each(
        sql,
        [&](const Row& row) {
          found = read(row);
          return false;
        },
        args...));
    return found;
  }

  /// The integer in the first column of the only row; 0 without one.
  template <class... Args>
  Result<std::int64_t> integer(std::string_view sql, const Args&... args) {
    auto found = first(
        sql, [](const Row& row) { return row.integer(0); }, args...);
    if (!found) return std::move(found).error();
    return found->value_or(0);
  }

  /// Runs several statements, parted by semicolons; they are not kept.
  Result<> script(const std::string& sql);

  /// Makes a function of two texts known to SQL; of anything but texts it is false.
  using TextPredicate = bool (*)(std::string_view, std::string_view);
  Result<> add_predicate(const char* name, TextPredicate predicate);

  /// Rows that the last insert, update or delete changed.
  [[nodiscard]] std::int64_t changes() const;
  [[nodiscard]] bool in_transaction() const;
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

 private:
  struct Statement {
    sqlite3_stmt* handle = nullptr;
    bool busy = false;
  };

  /// A prepared statement in use: reset, and its bindings cleared, at the end.
  class Lease {
   public:
    Lease(Connection& connection, std::string_view sql);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    void bind(int index, std::nullopt_t);
    void bind(int index, std::int64_t value);
    void bind(int index, double value);
    void bind(int index, std::string_view text);
    void bind(int index, const std::string& text) { bind(index, std::string_view(text)); }
    void bind(int index, const char* text) { bind(index, std::string_view(text)); }
    void bind(int index, Blob blob);
    void bind(int index, const Uuid& id);
    void bind(int index, const MemoryId& id) { bind(index, id.uuid); }
    void bind(int index, const FactId& id) { bind(index, id.uuid); }
    void bind(int index, const RunId& id) { bind(index, id.uuid); }
    void bind(int index, Timestamp time) {
      bind(index, std::int64_t{time.time_since_epoch().count()});
    }
    template <std::integral T>
    requires(!std::same_as<T, std::int64_t>) void bind(int index, T value) {
      bind(index, static_cast<std::int64_t>(value));
    }
    template <class T>
    requires std::is_enum_v<T>
    void bind(int index, T value) { bind(index, static_cast<std::int64_t>(value)); }
    template <class T>
    void bind(int index, const std::optional<T>& value) {
      if (value) {
        bind(index, *value);
      } else {
        bind(index, std::nullopt);
      }
    }

    template <class T>
    void bind_next(const T& value) {
      bind(++bound_, value);
    }
    void bind_next(const Values& values) {
      for (const auto& value : values)
        std::visit([&](const auto& held) { bind(++bound_, held); }, value);
    }

    bool step();
    [[nodiscard]] Result<> status() const;
    [[nodiscard]] sqlite3_stmt* statement() const { return handle_; }

   private:
    void note(int code);

    Connection& connection_;
    Statement* slot_ = nullptr;
    sqlite3_stmt* handle_ = nullptr;
    int bound_ = 0;  // parameters so far
    int code_ = 0;
    std::optional<Error> error_;
  };

  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };

  Connection(sqlite3* handle, std::filesystem::path file, std::chrono::milliseconds busy_timeout);
  Statement* statement_for(std::string_view sql, int& code);
  static int on_busy(void* self, int earlier_calls);

  sqlite3* handle_;
  std::filesystem::path file_;
  std::chrono::milliseconds busy_timeout_;
  std::chrono::steady_clock::time_point busy_since_;
  std::unordered_map<std::string, std::vector<std::unique_ptr<Statement>>, TextHash,
                     std::equal_to<>>
      statements_;
};

/// Turns a result code of SQLite into ours: the one place that does.
[[nodiscard]] Error error_of(sqlite3* handle, int code, const std::filesystem::path& file);

/// Open until commit(), else rolled back.
class Transaction {
 public:
  /// Reads see one state until the end. The state is fixed by the first read.
  static Result<Transaction> read(Connection& connection);
  /// Takes the write lock at once, so that nothing can stand in its way later. Errors: locked.
  static Result<Transaction> write(Connection& connection);
  ~Transaction();
  Transaction(Transaction&& other) noexcept
      : connection_(std::exchange(other.connection_, nullptr)) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  Transaction& operator=(Transaction&&) = delete;

  Result<> commit();

 private:
  explicit Transaction(Connection& connection) : connection_(&connection) {}
  Connection* connection_;
};

}  // namespace bb5::embedded
