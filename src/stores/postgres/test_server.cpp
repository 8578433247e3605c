#include "stores/postgres/test_server.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/environment.hpp"
#include "stores/postgres/schema.hpp"

namespace bb5::postgres {
namespace {

sockaddr_in local(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

/// A listening socket on a free port.
int listen_somewhere(int& port) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = local(0);
  socklen_t size = sizeof address;
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener, 16) != 0 ||
      getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    ADD_FAILURE() << "no port to listen on";
  }
  port = ntohs(address.sin_port);
  return listener;
}

/// Where host and port begin and end in `scheme://user@host:port/database`.
struct UrlParts {
  std::size_t user = 0;
  std::size_t host = 0;
  std::size_t port = 0;
  std::size_t database = 0;
  std::size_t end = 0;
};
UrlParts parts_of(const std::string& url) {
  UrlParts parts;
  parts.user = url.find("://") + 3;
  parts.host = url.find('@') + 1;
  parts.port = url.find(':', parts.host) + 1;
  parts.database = url.find('/', parts.port) + 1;
  parts.end = std::min(url.find('?'), url.size());
  return parts;
}

}  // namespace

std::string why_no_server() {
  return server_url().empty() ? "BB5_TEST_POSTGRES is not set: scripts/services start prints it"
                              : "";
}

std::string server_url() {
  return environment("BB5_TEST_POSTGRES");
}

std::string with_port(const std::string& url, int port) {
  const UrlParts parts = parts_of(url);
  return url.substr(0, parts.port) + std::to_string(port) + url.substr(parts.database - 1);
}
std::string with_database(const std::string& url, const std::string& database) {
  const UrlParts parts = parts_of(url);
  return url.substr(0, parts.database) + database + url.substr(parts.end);
}
std::string with_user(const std::string& url, const std::string& user_and_password) {
  const UrlParts parts = parts_of(url);
  return url.substr(0, parts.user) + user_and_password + url.substr(parts.host - 1);
}
int port_of(const std::string& url) {
  return std::atoi(url.c_str() + parts_of(url).port);
}

TestSchema::TestSchema(std::string url) : url_(std::move(url)) {
  std::string random = Uuid::random().to_string();
  std::erase(random, '-');
  bank_ = "t_" + random;
}

TestSchema::~TestSchema() {
  auto connection = Connection::open({.url = url_});
  if (!connection) return;
  (*connection)
      ->execute(fmt::format(
          "SET client_min_messages = warning; DROP SCHEMA IF EXISTS bb5_{} CASCADE", bank_));
}

PostgresOptions TestSchema::options() const {
  return {.url = url_, .bank = bank_, .create = true};
}

Names TestSchema::names() const {
  Names names = *Names::of_bank(bank_);
  names.set_vector_schema("public");
  return names;
}

std::unique_ptr<Connection> connect(const std::string& url) {
  auto connection = Connection::open({.url = url});
  if (!connection) {
    ADD_FAILURE() << connection.error().message << " " << connection.error().detail;
    return nullptr;
  }
  return std::move(*connection);
}

void must_execute(Connection& connection, const std::string& sql) {
  EXPECT_TRUE(connection.execute(sql)) << sql << ": " << connection.failure().message;
}

std::string query_text(Connection& connection, const std::string& sql) {
  const Statement statement(fmt::format("SELECT ({})::text", sql));
  const auto rows = connection.run(statement);
  if (!rows || rows->empty()) {
    ADD_FAILURE() << sql << ": " << connection.failure().message;
    return {};
  }
  return rows->is_null(0, 0) ? "NULL" : rows->text(0, 0);
}

std::string explain(Connection& connection, const std::string& sql, const Params& params,
                    const std::string& settings) {
  const Statement statement("EXPLAIN (COSTS OFF) " + sql);
  must_execute(connection, "BEGIN; " + settings);
  const auto rows = connection.run(statement, params);
  std::string plan;
  if (rows) {
    for (int row = 0; row < rows->size(); ++row) plan += rows->text(row, 0) + "\n";
  } else {
    ADD_FAILURE() << connection.failure().message;
  }
  must_execute(connection, "ROLLBACK");
  return plan;
}

std::unique_ptr<Database> open_database(const PostgresOptions& options) {
  auto names = Names::of_bank(options.bank);
  auto pool = std::make_unique<Pool>(ConnectOptions{.url = options.url}, 4, std::chrono::seconds(5),
                                     nullptr);
  auto database = std::make_unique<Database>(std::move(*names), std::move(pool));
  const auto opened = open_schema(*database, {.create = true});
  if (!opened) ADD_FAILURE() << opened.error().message << " " << opened.error().detail;
  return database;
}

// --- Proxy ---

Proxy::Proxy(int server_port) : server_port_(server_port) {
  listener_ = listen_somewhere(port_);
  acceptor_ = std::thread([this] { accept_all(); });
}

Proxy::~Proxy() {
  stopping_ = true;
  acceptor_.join();
  close(listener_);
  for (std::thread& connection : connections_) connection.join();
}

void Proxy::cut_before(std::string text) {
  const std::lock_guard lock(mutex_);
  mode_ = Mode::before;
  text_ = std::move(text);
}
void Proxy::cut_after(std::string text) {
  const std::lock_guard lock(mutex_);
  mode_ = Mode::after;
  text_ = std::move(text);
}

Proxy::Mode Proxy::claim(std::string_view piece) {
  const std::lock_guard lock(mutex_);
  if (mode_ == Mode::pass || piece.find(text_) == std::string_view::npos) return Mode::pass;
  ++cuts_;
  return std::exchange(mode_, Mode::pass);
}

void Proxy::accept_all() {
  while (!stopping_) {
    pollfd waiting{listener_, POLLIN, 0};
    if (poll(&waiting, 1, 20) <= 0) continue;
    const int client = accept(listener_, nullptr, nullptr);
    if (client < 0) continue;
    const std::lock_guard lock(mutex_);
    connections_.emplace_back([this, client] { serve(client); });
  }
}

void Proxy::serve(int client) {
  const int server = socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address = local(server_port_);
  bool open = ::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  std::array<char, 65'536> buffer{};
  const auto pass = [&](int from, int to, bool to_server) {
    const auto size = recv(from, buffer.data(), buffer.size(), 0);
    if (size <= 0) return false;
    auto length = static_cast<std::size_t>(size);
    bool cut = false;
    if (to_server) {
      const Mode mode = claim({buffer.data(), length});
      if (mode == Mode::before) return false;
      if (mode == Mode::after) {
        send(to, buffer.data(), length, MSG_NOSIGNAL);
        pollfd answer{to, POLLIN, 0};
        poll(&answer, 1, 5'000);
        return false;
      }
      if (bytes_left_ >= 0) {
        const auto left = bytes_left_.fetch_sub(size);
        if (left >= 0 && left < size) {
          length = static_cast<std::size_t>(left);
          cut = true;
          ++cuts_;
        }
      }
    }
    for (std::size_t sent = 0; sent < length;) {
      const auto now = send(to, buffer.data() + sent, length - sent, MSG_NOSIGNAL);
      if (now <= 0) return false;
      sent += static_cast<std::size_t>(now);
    }
    return !cut;
  };
  while (open && !stopping_) {
    std::array<pollfd, 2> ends{pollfd{client, POLLIN, 0}, pollfd{server, POLLIN, 0}};
    if (poll(ends.data(), ends.size(), 20) <= 0) continue;
    if (ends[0].revents != 0) open = pass(client, server, true);
    if (open && ends[1].revents != 0) open = pass(server, client, false);
  }
  close(client);
  close(server);
}

// --- OwnServer ---

std::string OwnServer::why_not() {
  if (environment("BB5_TEST_PGBIN").empty())
    return "BB5_TEST_PGBIN is not set: scripts/services start prints it";
  return "";
}

int OwnServer::run(const std::string& command) const {
  const std::string owner = environment("BB5_TEST_PGOWNER");
  const std::string whole =
      geteuid() == 0 && !owner.empty()
          ? fmt::format("runuser -u {} -- sh -c '{}' >/dev/null 2>&1", owner, command)
          : fmt::format("sh -c '{}' >/dev/null 2>&1", command);
  return std::system(whole.c_str());  // NOLINT(concurrency-mt-unsafe): one thread
}

OwnServer::OwnServer() {
  close(listen_somewhere(port_));
  const std::string folder = folder_.path().string();
  std::filesystem::permissions(folder_.path(), std::filesystem::perms::all);
  EXPECT_EQ(
      run(fmt::format("cd {0} && {1}/initdb -D {0}/data -U blackbox5 -A trust -E UTF8 --no-sync",
                      folder, environment("BB5_TEST_PGBIN"))),
      0);
  start();
  const auto connection = connect(with_database(url(), "postgres"));
  if (connection != nullptr) must_execute(*connection, "CREATE DATABASE memory");
}

OwnServer::~OwnServer() {
  kill();
  // The folder's contents belong to another user.
  static_cast<void>(run(fmt::format("rm -rf {}/data", folder_.path().string())));
}

std::string OwnServer::url() const {
  return fmt::format("postgresql://blackbox5@127.0.0.1:{}/memory", port_);
}

void OwnServer::start() {
  const std::string folder = folder_.path().string();
  // A server that was killed may take a moment to give its memory back.
  int result = 1;
  for (int attempt = 0; attempt < 20 && result != 0; ++attempt) {
    result = run(fmt::format(
        "cd {0} && {1}/pg_ctl -D {0}/data -w -l {0}/data/log "
        "-o \"-p {2} -k {0} -c listen_addresses=127.0.0.1 -c shared_buffers=32MB\" start",
        folder, environment("BB5_TEST_PGBIN"), port_));
    if (result != 0) std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  EXPECT_EQ(result, 0);
}

void OwnServer::kill() {
  static_cast<void>(
      run(fmt::format("kill -9 $(head -n 1 {}/data/postmaster.pid)", folder_.path().string())));
}

}  // namespace bb5::postgres
