#include "stores/neo4j/neo4j_errors.hpp"

#include <initializer_list>
#include <string>

namespace bb5::neo4j {
namespace {

bool any_of(std::string_view code, std::initializer_list<std::string_view> codes) {
  for (const auto each : codes)
    if (code == each) return true;
  return false;
}

std::string_view remedy_of(Errc code) {
  switch (code) {
    case Errc::refused:
      return "check the user in the graph URL and NEO4J_PASSWORD, and the user's rights";
    case Errc::not_found:
      return "name an existing database at the end of the graph URL "
             "(neo4j+http://user@host:7474/DATABASE)";
    case Errc::unavailable:
      return "see whether Neo4j runs and has memory and time enough; the work can be repeated";
    case Errc::invalid_argument:
    case Errc::conflict:
    case Errc::locked:
    case Errc::unsupported:
    case Errc::corrupt:
    case Errc::out_of_space:
    case Errc::cancelled:
    case Errc::internal:
      return "";
  }
  return "";
}

}  // namespace

bool is_transient(std::string_view code) noexcept {
  return code.starts_with("Neo.TransientError.") ||
         any_of(code, {// As the official drivers do.
                       "Neo.ClientError.Security.AuthorizationExpired",
                       // An open transaction that idled away: it was rolled back.
                       "Neo.ClientError.Transaction.TransactionNotFound"});
}

bool is_already_there(std::string_view code) noexcept {
  return any_of(code, {"Neo.ClientError.Schema.EquivalentSchemaRuleAlreadyExists",
                       "Neo.ClientError.Schema.ConstraintAlreadyExists",
                       "Neo.ClientError.Schema.IndexAlreadyExists"});
}

Errc errc_of(std::string_view code) noexcept {
  if (is_transient(code) ||
      // Time was up already: to try again at once would only take as long again.
      any_of(code, {"Neo.ClientError.Transaction.TransactionTimedOut",
                    "Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration",
                    "Neo.ClientError.Transaction.LockClientStopped",
                    "Neo.ClientError.Cluster.NotALeader"}))
    return Errc::unavailable;
  if (code.starts_with("Neo.ClientError.Security.") ||
      any_of(code, {"Neo.ClientError.General.ForbiddenOnReadOnlyDatabase",
                    "Neo.ClientError.General.WriteOnReadOnlyAccessDatabase",
                    "Neo.ClientError.Statement.AccessMode"}))
    return Errc::refused;
  if (code == "Neo.ClientError.Database.DatabaseNotFound") return Errc::not_found;
  if (code.starts_with("Neo.DatabaseError.Database.") ||
      any_of(code, {"Neo.DatabaseError.Transaction.TransactionStartFailed",
                    "Neo.DatabaseError.General.DatabaseUnavailable"}))
    return Errc::unavailable;
  if (code == "Neo.ClientError.Schema.ConstraintValidationFailed") return Errc::conflict;
  if (any_of(
          code,
          {"Neo.ClientError.Statement.TypeError", "Neo.ClientError.Statement.ArgumentError",
           "Neo.ClientError.Statement.ArithmeticError",
           "Neo.ClientError.Statement.PropertyNotFound", "Neo.ClientError.Schema.TokenLengthError",
           "Neo.ClientError.Request.InvalidFormat", "Neo.ClientError.Request.Invalid"}))
    return Errc::invalid_argument;
  if (any_of(code, {"Neo.ClientError.Statement.SyntaxError",
                    "Neo.ClientError.Statement.NotSystemDatabaseError",
                    "Neo.ClientError.Statement.UnsupportedAdministrationCommand",
                    "Neo.ClientError.Statement.UnsupportedOperationError",
                    "Neo.ClientError.Procedure.ProcedureNotFound"}))
    return Errc::unsupported;
  return Errc::internal;
}

Error error_from(const ServerError& error) {
  const Errc code = errc_of(error.code);
  return Error{.code = code,
               .message = "Neo4j: " + (error.message.empty() ? error.code : error.message),
               .remedy = std::string(remedy_of(code)),
               .detail = error.code + ": " + error.message};
}

}  // namespace bb5::neo4j
