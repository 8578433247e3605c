#include "stores/embedded/embedded_bank.hpp"
#include "tests/contract/bank_contract.hpp"
#include "tests/support/temporary_folder.hpp"

namespace bb5 {
namespace {

std::unique_ptr<Bank> open(const std::filesystem::path& file) {
  auto bank = open_embedded_bank({.file = file, .create = true});
  EXPECT_THAT(bank, Succeeds());
  return bank ? std::move(*bank) : nullptr;
}

INSTANTIATE_TEST_SUITE_P(Embedded, BankContract,
                         testing::Values(StoreCase{
                             .name = "embedded",
                             .open_empty =
                                 [] {
                                   const auto folder = std::make_shared<TemporaryFolder>();
                                   const auto file = *folder / "bank.db";
                                   return TestBank{.bank = open(file),
                                                   .open_again = [file] { return open(file); },
                                                   .keep_alive = folder};
                                 },
                             .skip_reason = {}}),
                         case_name);

}  // namespace
}  // namespace bb5
