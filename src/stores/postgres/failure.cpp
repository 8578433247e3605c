#include "stores/postgres/failure.hpp"

#include <fmt/format.h>

namespace bb5::postgres {
namespace {

struct Meaning {
  Errc code;
  std::string_view what;
  std::string_view remedy;
};

Meaning meaning_of(const Failure& failure) {
  const std::string_view state = failure.sqlstate;
  const auto in_class = [&](std::string_view name) { return state.substr(0, 2) == name; };
  if (failure.deadline_passed) {
    return {Errc::unavailable, "the server did not answer in time",
            "try again, or raise the deadline"};
  }
  if (state.empty())
    return {Errc::unavailable, "the connection failed", "is the server running, and reachable?"};

  if (state == "28P01")
    return {Errc::refused, "the password is wrong", "set PGPASSWORD, or mend ~/.pgpass"};
  if (in_class("28"))
    return {Errc::refused, "the server refused the login",
            "check the role and the server's pg_hba.conf"};
  if (state == "42501")
    return {Errc::refused, "the role lacks a right",
            "grant it; the store's README lists what is needed"};
  if (state == "3D000")
    return {Errc::not_found, "there is no such database", "create it, or mend the URL"};
  if (state == "3F000" || state == "42P01" || state == "42703") {
    return {Errc::corrupt, "a table of the bank is missing or altered",
            "run doctor, or restore a backup"};
  }
  if (state == "25006") {
    return {Errc::unavailable, "the server accepts no writes",
            "connect to the primary, not to a standby"};
  }
  if (state == "53100")
    return {Errc::out_of_space, "the server's disk is full",
            "free space on the server; nothing was written"};
  if (in_class("53"))
    return {Errc::unavailable, "the server is short of memory or connections",
            "try again, or raise its limits"};
  if (state == "57P04") return {Errc::not_found, "the database was dropped", ""};
  if (state == "57014")
    return {Errc::unavailable, "the server cancelled the statement",
            "try again, or raise the deadline"};
  if (state == "55P03") return {Errc::locked, "another session holds the lock", "try again later"};
  if (in_class("57") || in_class("08"))
    return {Errc::unavailable, "the connection was lost", "try again"};
  if (in_class("40")) return {Errc::unavailable, "another transaction was in the way", "try again"};
  if (in_class("23")) return {Errc::conflict, "a constraint of the bank forbids it", ""};
  if (in_class("22") || in_class("54"))
    return {Errc::invalid_argument, "the server cannot hold this value", ""};
  if (state == "0A000" || state == "58P01" || state == "42704" || state == "42883") {
    return {Errc::unsupported, "the server cannot do this",
            "check the versions of PostgreSQL and pgvector"};
  }
  if (in_class("42") && (state == "42P06" || state == "42P07" || state == "42710")) {
    return {Errc::conflict, "something else of this name is there already", ""};
  }
  if (state == "XX001" || state == "XX002") {
    return {Errc::corrupt, "the server found damaged data", "look at its log; restore a backup"};
  }
  if (in_class("58"))
    return {Errc::unavailable, "the server had trouble with its files", "look at its log"};
  return {Errc::internal, "the server reported an error", ""};
}

}  // namespace

Error to_error(const Failure& failure, std::string_view doing) {
  const Meaning meaning = meaning_of(failure);
  std::string detail = failure.sqlstate.empty()
                           ? failure.message
                           : fmt::format("{}: {}", failure.sqlstate, failure.message);
  if (!failure.detail.empty()) detail += fmt::format(" ({})", failure.detail);
  return {meaning.code, fmt::format("{}: {}", doing, meaning.what), std::string(meaning.remedy),
          std::move(detail)};
}

bool is_stale_statement(const Failure& failure) {
  // 0A000 stands for much, but we send nothing that is unsupported twice.
  return failure.is("26000") || failure.is("42P05") || failure.is("0A000");
}

bool is_lost_race(const Failure& failure) {
  return failure.is("40001") || failure.is("40P01");
}

}  // namespace bb5::postgres
