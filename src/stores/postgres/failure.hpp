#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace bb5::postgres {

/// What the server or libpq said when something did not work.
struct Failure {
  std::string sqlstate;  ///< Five characters; empty when libpq itself gave up.
  std::string message;   ///< The server's words, in its language.
  std::string detail;
  std::string constraint;  ///< The one that was violated, else empty.
  bool connection_lost = false;
  bool deadline_passed = false;

  [[nodiscard]] bool is(std::string_view state) const { return sqlstate == state; }
};

/// The one place where foreign codes become ours. `doing`: what was tried, for the message:
/// `write to bank notes`.
[[nodiscard]] Error to_error(const Failure& failure, std::string_view doing);

/// The prepared statement is gone (a pooler gave us another session, or someone said DISCARD ALL),
/// is there already though we did not know, or its table has changed since: prepare anew and
/// repeat.
[[nodiscard]] bool is_stale_statement(const Failure& failure);

/// The server undid the transaction because of another one; the same again may go.
[[nodiscard]] bool is_lost_race(const Failure& failure);

}  // namespace bb5::postgres
