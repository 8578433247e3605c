#include "stores/in_memory/in_memory_bank.hpp"

#include "tests/contract/bank_contract.hpp"

namespace bb5 {
namespace {

INSTANTIATE_TEST_SUITE_P(InMemory, BankContract,
                         testing::Values(StoreCase{
                             .name = "memory",
                             .open_empty = [] { return TestBank{.bank = new_in_memory_bank()}; }}),
                         case_name);

}  // namespace
}  // namespace bb5
