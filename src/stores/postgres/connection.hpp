#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "stores/postgres/codec.hpp"
#include "stores/postgres/failure.hpp"

struct pg_conn;
struct pg_result;

namespace bb5::postgres {

/// SQL text with `$1` … and a name made from it: two statements of one name have one text, so a
/// session may be asked for it whoever prepared it there.
struct Statement {
  explicit Statement(std::string text);
  std::string sql;
  std::string name;
};

/// A statement's parameters, in order, in binary.
class Params {
 public:
  Params& boolean(bool value) { return begin(oid::boolean), writer_.boolean(value), *this; }
  Params& int2(std::int16_t value) { return begin(oid::int2), writer_.int2(value), *this; }
  Params& int4(std::int32_t value) { return begin(oid::int4), writer_.int4(value), *this; }
  Params& int8(std::int64_t value) { return begin(oid::int8), writer_.int8(value), *this; }
  Params& float8(double value) { return begin(oid::float8), writer_.float8(value), *this; }
  Params& text(std::string_view value) { return begin(oid::text), writer_.text(value), *this; }
  Params& bytes(std::string_view value) { return begin(oid::bytea), writer_.bytes(value), *this; }
  Params& uuid(const Uuid& value) { return begin(oid::uuid), writer_.uuid(value), *this; }
  Params& timestamptz(Timestamp value) {
    return begin(oid::timestamptz), writer_.timestamptz(value), *this;
  }
  /// The statement must cast it: `$1::vector`.
  Params& vector(std::span<const float> value) {
    return begin(oid::inferred), writer_.vector(value), *this;
  }
  Params& jsonb(std::string_view value) { return begin(oid::jsonb), writer_.jsonb(value), *this; }
  Params& texts(std::span<const std::string> values) {
    return begin(oid::text_array), writer_.texts(values), *this;
  }
  Params& uuids(std::span<const Uuid> values) {
    return begin(oid::uuid_array), writer_.uuids(values), *this;
  }
  Params& int2s(std::span<const std::int16_t> values) {
    return begin(oid::int2_array), writer_.int2s(values), *this;
  }
  Params& int8s(std::span<const std::int64_t> values) {
    return begin(oid::int8_array), writer_.int8s(values), *this;
  }
  Params& null(Oid type) { return begin(type), writer_.null(), *this; }
  Params& optional(const std::optional<std::string>& value) {
    return begin(oid::text), writer_.optional(value), *this;
  }
  Params& optional(const std::optional<double>& value) {
    return begin(oid::float8), writer_.optional(value), *this;
  }
  Params& optional(const std::optional<std::int64_t>& value) {
    return begin(oid::int8), writer_.optional(value), *this;
  }
  Params& optional(const std::optional<Timestamp>& value) {
    return begin(oid::timestamptz), writer_.optional(value), *this;
  }
  Params& optional(const std::optional<MemoryId>& value) {
    return begin(oid::uuid), writer_.optional(value), *this;
  }

  /// Those of another, behind these.
  Params& append(const Params& other);

  Params() = default;
  ~Params() = default;
  Params(const Params& other)
      : bytes_(other.bytes_), types_(other.types_), starts_(other.starts_) {}
  Params(Params&& other) noexcept
      : bytes_(std::move(other.bytes_)),
        types_(std::move(other.types_)),
        starts_(std::move(other.starts_)) {}
  Params& operator=(const Params&) = delete;
  Params& operator=(Params&&) = delete;

 private:
  friend class Connection;
  void begin(Oid type) {
    types_.push_back(type);
    starts_.push_back(bytes_.size());
  }

  std::string bytes_;
  std::vector<Oid> types_;
  std::vector<std::size_t> starts_;
  FieldWriter writer_{bytes_};
};

/// One statement to run. The statement outlives the call.
struct Command {
  const Statement& statement;
  Params params = {};
};

/// The answer to one statement, in binary. A field of another type than asked for is a bug and
/// throws std::logic_error.
class Rows {
 public:
  explicit Rows(pg_result* result);

  [[nodiscard]] int size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  /// Rows that the statement wrote.
  [[nodiscard]] std::int64_t affected() const;
  /// `COMMIT`, `ROLLBACK`, `INSERT 0 1` …
  [[nodiscard]] std::string_view tag() const;

  [[nodiscard]] bool is_null(int row, int column) const;
  /// The field's bytes; live as long as this object.
  [[nodiscard]] std::string_view field(int row, int column) const;

  [[nodiscard]] bool boolean(int row, int column) const { return read_boolean(field(row, column)); }
  [[nodiscard]] std::int16_t int2(int row, int column) const {
    return read_int2(field(row, column));
  }
  [[nodiscard]] std::int32_t int4(int row, int column) const {
    return read_int4(field(row, column));
  }
  [[nodiscard]] std::int64_t int8(int row, int column) const {
    return read_int8(field(row, column));
  }
  [[nodiscard]] double float8(int row, int column) const { return read_float8(field(row, column)); }
  [[nodiscard]] Uuid uuid(int row, int column) const { return read_uuid(field(row, column)); }
  [[nodiscard]] std::string text(int row, int column) const {
    return std::string(field(row, column));
  }
  [[nodiscard]] Timestamp timestamptz(int row, int column) const {
    return read_timestamptz(field(row, column));
  }
  /// What `read` makes of each row's number, in order.
  template <class Read>
  [[nodiscard]] auto collect(Read read) const {
    std::vector<decltype(read(0))> values;
    values.reserve(static_cast<std::size_t>(size_));
    for (int row = 0; row < size_; ++row) values.push_back(read(row));
    return values;
  }

  [[nodiscard]] std::optional<std::string> optional_text(int row, int column) const;
  [[nodiscard]] std::optional<double> optional_float8(int row, int column) const;
  [[nodiscard]] std::optional<std::int64_t> optional_int8(int row, int column) const;
  [[nodiscard]] std::optional<Timestamp> optional_timestamptz(int row, int column) const;
  [[nodiscard]] std::optional<Uuid> optional_uuid(int row, int column) const;

 private:
  struct Clear {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Clear> result_;
  int size_ = 0;
};

struct ConnectOptions {
  std::string url;
  std::chrono::milliseconds connect_timeout{5'000};
  /// The longest silence of the server before a call gives up and the connection is of no more use.
  std::chrono::milliseconds patience{30'000};
  /// Shared by the connections of a pool: false when prepared statements do not last (a pooler in
  /// transaction mode that does not track them).
  std::shared_ptr<std::atomic<bool>> prepare = std::make_shared<std::atomic<bool>>(true);
};

/// One session with the server. Used by one thread at a time. Statements of one call travel in one
/// round trip (pipeline mode); a call waits without blocking signals and gives up after `patience`.
/// A call that fails leaves what happened in failure().
class Connection {
 public:
  /// Errors: those of to_error(), invalid_argument for a URL that cannot be read.
  static Result<std::unique_ptr<Connection>> open(const ConnectOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Runs the statements in order up to the first that fails; outside a transaction they are one.
  std::optional<std::vector<Rows>> run(std::span<const Command> commands);
  std::optional<Rows> run(const Statement& statement, Params params = {});
  /// Any number of statements without parameters, as text: DDL. False: see failure().
  bool execute(const std::string& sql);

  /// `COPY … FROM STDIN (FORMAT binary)`; then pieces of its data in order, then the end. After a
  /// false, the copy is over.
  bool copy_begin(const std::string& sql);
  bool copy_put(std::string_view piece);
  /// The number of rows, or nothing: see failure().
  std::optional<std::int64_t> copy_end();
  /// Ends the copy without its rows.
  void copy_abandon();

  /// Starts a statement that may take long; poll_started() says how it goes.
  bool start(const std::string& sql);
  enum class Progress { running, done, failed };
  Progress poll_started(std::chrono::milliseconds wait);
  /// Asks the server to give up what start() began.
  void cancel_started();

  /// For the calls that follow, until the connection goes back to its pool.
  void set_patience(std::chrono::milliseconds patience) { patience_ = patience; }
  void reset_patience() { patience_ = options_.patience; }

  [[nodiscard]] const Failure& failure() const { return failure_; }
  /// The failure as an Error.
  [[nodiscard]] Error error(std::string_view doing) const { return to_error(failure_, doing); }
  /// Warnings and notices of the last call.
  [[nodiscard]] const std::vector<std::string>& notices() const { return notices_; }

  /// Between transactions, and nothing is left to read.
  [[nodiscard]] bool is_idle() const;
  /// True when the server has hung up, as far as can be told without asking it.
  [[nodiscard]] bool is_dead();
  [[nodiscard]] int server_version() const;
  /// As the server told at login; behind a pooler, the pooler's.
  [[nodiscard]] int backend_pid() const;
  [[nodiscard]] std::string parameter(const char* name) const;
  /// `host:port/database`, without credentials.
  [[nodiscard]] std::string place() const;

  std::chrono::steady_clock::time_point opened_at{};
  std::chrono::steady_clock::time_point idle_since{};

 private:
  Connection(pg_conn* connection, ConnectOptions options);
  bool send(const Command& command, std::vector<std::string>& preparing);
  void forget_stale();
  pg_result* next_result(bool& ok);
  bool wait(bool for_writing, std::chrono::steady_clock::time_point until);
  void fail_lost();
  void fail_deadline();
  void fail_from(const pg_result* result);
  void begin_call();
  static void on_notice(void* self, const pg_result* notice);

  pg_conn* connection_;
  ConnectOptions options_;
  std::chrono::milliseconds patience_;
  std::set<std::string> prepared_;
  int generation_ = 0;  // part of the prepared names: new after a table has changed
  Failure failure_;
  std::vector<std::string> notices_;
  bool broken_ = false;
};

}  // namespace bb5::postgres
