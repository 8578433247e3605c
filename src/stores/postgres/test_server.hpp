#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "stores/postgres/database.hpp"
#include "stores/postgres/postgres_bank.hpp"
#include "tests/support/temporary_folder.hpp"

/// What the tests of this folder need: the server that BB5_TEST_POSTGRES names and a schema of
/// their own in it, a proxy that cuts connections, and a server of their own to kill.
namespace bb5::postgres {

/// Empty when there is a server to test with; else why not.
[[nodiscard]] std::string why_no_server();
[[nodiscard]] std::string server_url();
[[nodiscard]] std::string with_port(const std::string& url, int port);
[[nodiscard]] std::string with_database(const std::string& url, const std::string& database);
[[nodiscard]] std::string with_user(const std::string& url, const std::string& user_and_password);
[[nodiscard]] int port_of(const std::string& url);

/// A name for a bank that no other test has; its schema is dropped at the end.
class TestSchema {
 public:
  explicit TestSchema(std::string url = server_url());
  ~TestSchema();
  TestSchema(const TestSchema&) = delete;
  TestSchema& operator=(const TestSchema&) = delete;

  [[nodiscard]] const std::string& bank() const { return bank_; }
  /// To open it with `create`.
  [[nodiscard]] PostgresOptions options() const;
  [[nodiscard]] Names names() const;
  /// `text` with {bank} and {vector} put in.
  [[nodiscard]] std::string sql(std::string_view text) const { return names().sql(text); }

 private:
  std::string url_;
  std::string bank_;
};

/// A connection of its own; the test fails when there is none.
[[nodiscard]] std::unique_ptr<Connection> connect(const std::string& url = server_url());
/// Runs SQL text; the test fails when it fails.
void must_execute(Connection& connection, const std::string& sql);
/// The answer's first field, as text.
[[nodiscard]] std::string query_text(Connection& connection, const std::string& sql);
/// What EXPLAIN says of a statement with these parameters. The settings hold for it alone.
[[nodiscard]] std::string explain(Connection& connection, const std::string& sql,
                                  const Params& params, const std::string& settings = {});

/// A database over a small pool, for tests of the parts.
[[nodiscard]] std::unique_ptr<Database> open_database(const PostgresOptions& options);

/// Stands between client and server on a port of its own and does to the traffic what a bad network
/// does.
class Proxy {
 public:
  explicit Proxy(int server_port);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  [[nodiscard]] int port() const { return port_; }
  /// Closes the connection instead of passing on the next piece that holds `text`.
  void cut_before(std::string text);
  /// Passes it on, waits for the server's answer, and closes the connection instead of giving it
  /// back.
  void cut_after(std::string text);
  /// Closes whatever connection carries the n-th byte from here to the server.
  void cut_at_byte(std::int64_t n) { bytes_left_ = n; }
  [[nodiscard]] int cuts() const { return cuts_; }

 private:
  enum class Mode { pass, before, after };
  void accept_all();
  void serve(int client);
  Mode claim(std::string_view piece);

  int server_port_;
  int port_ = 0;
  int listener_ = -1;
  std::atomic<bool> stopping_{false};
  std::atomic<std::int64_t> bytes_left_{-1};
  std::atomic<int> cuts_{0};
  std::mutex mutex_;
  Mode mode_ = Mode::pass;                // guarded by mutex_
  std::string text_;                      // guarded by mutex_
  std::vector<std::thread> connections_;  // guarded by mutex_
  std::thread acceptor_;
};

/// A server of its own, to be killed. Needs BB5_TEST_PGBIN and, for root, BB5_TEST_PGOWNER.
class OwnServer {
 public:
  [[nodiscard]] static std::string why_not();
  OwnServer();
  ~OwnServer();
  OwnServer(const OwnServer&) = delete;
  OwnServer& operator=(const OwnServer&) = delete;

  [[nodiscard]] std::string url() const;
  void start();
  void kill();

 private:
  [[nodiscard]] int run(const std::string& command) const;

  TemporaryFolder folder_;
  int port_ = 0;
};

}  // namespace bb5::postgres
