#pragma once

#include <memory>
#include <string>

#include "stores/postgres/database.hpp"
#include "stores/postgres/postgres_bank.hpp"

/// What the tests of this folder need: the server that BB5_TEST_POSTGRES names, and a schema of
/// their own in it.
namespace bb5::postgres {

/// Empty when there is a server to test with; else why not.
[[nodiscard]] std::string why_no_server();
[[nodiscard]] std::string server_url();

/// A name for a bank that no other test has; its schema is dropped at the end.
class TestSchema {
 public:
  TestSchema();
  ~TestSchema();
  TestSchema(const TestSchema&) = delete;
  TestSchema& operator=(const TestSchema&) = delete;

  [[nodiscard]] const std::string& bank() const { return bank_; }
  /// To open it with `create`.
  [[nodiscard]] PostgresOptions options() const;
  [[nodiscard]] Names names() const;

 private:
  std::string bank_;
};

/// A connection of its own; the test fails when there is none.
[[nodiscard]] std::unique_ptr<Connection> connect(const std::string& url = server_url());
/// Runs SQL text ({bank} and {vector} put in by the caller); the test fails when it fails.
void must_execute(Connection& connection, const std::string& sql);
/// The first field of the answer, as text.
[[nodiscard]] std::string query_text(Connection& connection, const std::string& sql);

/// A database over a small pool, for tests of the parts.
[[nodiscard]] std::unique_ptr<Database> open_database(const PostgresOptions& options);

}  // namespace bb5::postgres
