#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "stores/postgres/connection.hpp"
#include "stores/postgres/pool.hpp"

namespace bb5::postgres {

/// The names that a bank's statements need. Every statement names its schema, so none depends on
/// search_path.
class Names {
 public:
  /// `default` is the schema public, NAME is bb5_NAME. Nothing: no valid name of a bank
  /// ([a-z0-9_]{1,40}).
  static std::optional<Names> of_bank(std::string_view bank);

  /// Where the extension vector lives; known after the first connection.
  void set_vector_schema(std::string_view schema);

  /// Puts the quoted schemas in for `{bank}` and `{vector}`.
  [[nodiscard]] std::string sql(std::string_view text) const;
  [[nodiscard]] Statement statement(std::string_view text) const { return Statement(sql(text)); }
  [[nodiscard]] const std::string& bank() const { return bank_; }
  [[nodiscard]] const std::string& schema() const { return schema_; }
  /// For pg_advisory_*lock: one number for each bank and purpose.
  [[nodiscard]] std::int64_t lock_key(std::string_view purpose) const;

 private:
  std::string bank_;
  std::string schema_;
  std::string quoted_schema_;
  std::string quoted_vector_ = "public";
};

/// `name` as an identifier within SQL.
[[nodiscard]] std::string quoted_identifier(std::string_view name);

/// A number of rows as a LIMIT.
[[nodiscard]] std::int64_t limit_of(std::size_t rows);

/// One transaction, READ COMMITTED, on one connection. BEGIN travels with the first statements,
/// COMMIT with the last. Not committed: rolled back by the destructor.
class Transaction {
 public:
  Transaction(Connection& connection, std::string_view doing)
      : connection_(connection), doing_(doing) {}
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  Result<std::vector<Rows>> run(std::span<const Command> commands);
  Result<Rows> run(const Statement& statement, Params params = {});
  /// Runs with the COMMIT, in order of the calls.
  void run_at_end(Command command) { last_.push_back(std::move(command)); }

  /// Between these only the connection's copy_put is called; the end gives the number of rows.
  Result<> copy_begin(const std::string& sql);
  Result<std::int64_t> copy_end();

  /// Asks for the transaction's number along with the next statements: only with it can the outcome
  /// of a COMMIT be found out whose answer was lost. Before the first write, or with it.
  void number_with_next_run() { wants_number_ = true; }

  [[nodiscard]] Connection& connection() { return connection_; }
  [[nodiscard]] Error error() const { return connection_.error(doing_); }

 private:
  friend class Database;
  enum class Outcome { committed, failed, unknown };
  Outcome commit();

  Connection& connection_;
  std::string doing_;
  bool begun_ = false;
  bool open_ = false;
  bool wants_number_ = false;
  std::optional<std::int64_t> number_;  // xid8
  std::vector<Command> last_;
};

/// Many statements that write, some at a time. Returns how many rows they wrote.
Result<std::int64_t> run_in_trips(Transaction& transaction, std::span<const Command> commands);

/// A bank's statements run here: on pooled connections, repeated where that is safe.
class Database {
 public:
  Database(Names names, std::unique_ptr<Pool> pool)
      : names_(std::move(names)), pool_(std::move(pool)) {}

  [[nodiscard]] const Names& names() const { return names_; }
  void set_vector_schema(std::string_view schema) { names_.set_vector_schema(schema); }
  [[nodiscard]] Pool& pool() const { return *pool_; }

  /// Statements that only read, or that are harmless to repeat; each call is one round trip.
  Result<std::vector<Rows>> read(std::string_view doing, std::span<const Command> commands) const;
  Result<Rows> read(std::string_view doing, const Statement& statement, Params params = {}) const;

  /// Calls `work` within a transaction and commits when it returns a value. A transaction that the
  /// server undid because of another one, that met a stale prepared statement, or whose connection
  /// broke before COMMIT, is repeated a few times, `work` included. When the answer to COMMIT is
  /// lost, the server is asked whether that transaction took place, and `confirm` (when given)
  /// whether what it wrote is there: yes: the value stands; no: once more; unknown: unavailable.
  template <class T>
  Result<T> transact(std::string_view doing, const std::function<Result<T>(Transaction&)>& work,
                     const std::function<Result<bool>()>& confirm = {}) const {
    for (int attempt = 1;; ++attempt) {
      pause_before(attempt);
      std::optional<Result<T>> result;
      std::optional<Error> lost;
      std::optional<std::int64_t> number;
      {
        auto lease = pool_->borrow();
        if (!lease) return std::move(lease).error();
        Transaction transaction(**lease, doing);
        result.emplace(work(transaction));
        if (!*result) {
          auto final = after_failure(transaction, attempt, std::move(*result).error());
          if (!final) continue;
          return std::move(*final);
        }
        const auto outcome = transaction.commit();
        if (outcome == Transaction::Outcome::committed) return std::move(*result);
        if (outcome == Transaction::Outcome::failed) {
          auto final = after_failure(transaction, attempt, transaction.error());
          if (!final) continue;
          return std::move(*final);
        }
        lost = transaction.error();
        number = transaction.number_;
      }
      auto committed = was_committed(doing, number, confirm);
      if (!committed) return std::move(committed).error();
      if (*committed) return std::move(*result);
      if (attempt >= most_attempts) return std::move(*lost);
    }
  }

 private:
  static constexpr int most_attempts = 5;
  static constexpr int most_races =
      25;  ///< Lost to other writers, who got something done each time.
  static void pause_before(int attempt);
  /// Nothing: once more. Else the error to give.
  std::optional<Error> after_failure(Transaction& transaction, int attempt, Error error) const;
  Result<bool> was_committed(std::string_view doing, std::optional<std::int64_t> number,
                             const std::function<Result<bool>()>& confirm) const;

  Names names_;
  std::unique_ptr<Pool> pool_;
};

}  // namespace bb5::postgres
