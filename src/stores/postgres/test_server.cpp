#include "stores/postgres/test_server.hpp"

#include <cstdlib>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "stores/postgres/schema.hpp"

namespace bb5::postgres {

std::string why_no_server() {
  return std::getenv("BB5_TEST_POSTGRES") != nullptr
             ? ""
             : "BB5_TEST_POSTGRES is not set: scripts/services start prints it";
}

std::string server_url() {
  const char* url = std::getenv("BB5_TEST_POSTGRES");
  return url == nullptr ? "" : url;
}

TestSchema::TestSchema() {
  std::string random = Uuid::random().to_string();
  std::erase(random, '-');
  bank_ = "t_" + random;
}

TestSchema::~TestSchema() {
  auto connection = Connection::open({.url = server_url()});
  if (!connection) return;
  (*connection)
      ->execute(fmt::format(
          "SET client_min_messages = warning; DROP SCHEMA IF EXISTS bb5_{} CASCADE", bank_));
}

PostgresOptions TestSchema::options() const {
  return {.url = server_url(), .bank = bank_, .create = true};
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

std::unique_ptr<Database> open_database(const PostgresOptions& options) {
  auto names = Names::of_bank(options.bank);
  auto pool = std::make_unique<Pool>(ConnectOptions{.url = options.url}, 4, std::chrono::seconds(5),
                                     nullptr);
  auto database = std::make_unique<Database>(std::move(*names), std::move(pool));
  const auto opened = open_schema(*database, {.create = true});
  if (!opened) ADD_FAILURE() << opened.error().message << " " << opened.error().detail;
  return database;
}

}  // namespace bb5::postgres
