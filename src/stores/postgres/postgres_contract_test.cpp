#include "stores/postgres/test_server.hpp"
#include "tests/contract/bank_contract.hpp"

namespace bb5 {
namespace {

INSTANTIATE_TEST_SUITE_P(Postgres, BankContract,
                         testing::Values(StoreCase{
                             .name = "postgres",
                             .open_empty =
                                 [] {
                                   auto schema = std::make_shared<postgres::TestSchema>();
                                   const auto open = [options = schema->options()] {
                                     auto bank = open_postgres_bank(options);
                                     EXPECT_THAT(bank, Succeeds());
                                     return bank ? std::move(*bank) : nullptr;
                                   };
                                   return TestBank{
                                       .bank = open(), .open_again = open, .keep_alive = schema};
                                 },
                             .skip_reason = postgres::why_no_server()}),
                         case_name);

}  // namespace
}  // namespace bb5
