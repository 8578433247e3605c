#include "stores/neo4j/neo4j_errors.hpp"

#include "tests/support/result_matchers.hpp"

namespace bb5::neo4j {
namespace {

struct Case {
  std::string code;
  Errc errc;
  bool transient = false;
};

TEST(Neo4jErrors, TheCodeAloneDecides) {
  const std::vector<Case> cases = {
      {"Neo.TransientError.Transaction.DeadlockDetected", Errc::unavailable, true},
      {"Neo.TransientError.Transaction.Outdated", Errc::unavailable, true},
      {"Neo.TransientError.Transaction.LockAcquisitionTimeout", Errc::unavailable, true},
      {"Neo.TransientError.General.DatabaseUnavailable", Errc::unavailable, true},
      {"Neo.TransientError.General.MemoryPoolOutOfMemoryError", Errc::unavailable, true},
      {"Neo.TransientError.SomethingNew.OfTomorrow", Errc::unavailable, true},
      {"Neo.ClientError.Transaction.TransactionNotFound", Errc::unavailable, true},
      {"Neo.ClientError.Security.AuthorizationExpired", Errc::unavailable, true},
      {"Neo.ClientError.Transaction.TransactionTimedOut", Errc::unavailable},
      {"Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration", Errc::unavailable},
      {"Neo.ClientError.Transaction.LockClientStopped", Errc::unavailable},
      {"Neo.ClientError.Cluster.NotALeader", Errc::unavailable},
      {"Neo.ClientError.Security.Unauthorized", Errc::refused},
      {"Neo.ClientError.Security.AuthenticationRateLimit", Errc::refused},
      {"Neo.ClientError.Security.Forbidden", Errc::refused},
      {"Neo.ClientError.Security.CredentialsExpired", Errc::refused},
      {"Neo.ClientError.General.ForbiddenOnReadOnlyDatabase", Errc::refused},
      {"Neo.ClientError.Statement.AccessMode", Errc::refused},
      {"Neo.ClientError.Database.DatabaseNotFound", Errc::not_found},
      {"Neo.ClientError.Schema.ConstraintValidationFailed", Errc::conflict},
      {"Neo.ClientError.Statement.TypeError", Errc::invalid_argument},
      {"Neo.ClientError.Statement.ArgumentError", Errc::invalid_argument},
      {"Neo.ClientError.Request.InvalidFormat", Errc::invalid_argument},
      {"Neo.ClientError.Statement.SyntaxError", Errc::unsupported},
      {"Neo.DatabaseError.Statement.ExecutionFailed", Errc::internal},
      {"Neo.DatabaseError.General.UnknownError", Errc::internal},
      {"", Errc::internal},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(errc_of(each.code), each.errc) << each.code;
    EXPECT_EQ(is_transient(each.code), each.transient) << each.code;
  }
}

TEST(Neo4jErrors, TheServersWordsAreDetailAndTheRemedyIsOurs) {
  const Error error = error_from({"Neo.ClientError.Security.Unauthorized", "Invalid credential."});
  EXPECT_EQ(error.code, Errc::refused);
  EXPECT_EQ(error.message, "Neo4j: Invalid credential.");
  EXPECT_THAT(error.remedy, testing::HasSubstr("NEO4J_PASSWORD"));
  EXPECT_EQ(error.detail, "Neo.ClientError.Security.Unauthorized: Invalid credential.");
  EXPECT_EQ(error_from({"Neo.DatabaseError.General.UnknownError", ""}).message,
            "Neo4j: Neo.DatabaseError.General.UnknownError");
}

TEST(Neo4jErrors, WhatASchemaStatementFindsInPlaceIsNoFailure) {
  EXPECT_TRUE(is_already_there("Neo.ClientError.Schema.EquivalentSchemaRuleAlreadyExists"));
  EXPECT_TRUE(is_already_there("Neo.ClientError.Schema.IndexAlreadyExists"));
  EXPECT_FALSE(is_already_there("Neo.ClientError.Schema.ConstraintCreationFailed"));
}

}  // namespace
}  // namespace bb5::neo4j
