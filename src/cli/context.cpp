#include "cli/context.hpp"

#include "cli/output.hpp"

namespace bb5::cli {

std::unique_ptr<Bank> Context::open(OpenMode mode, int& code) const {
  auto bank = open_bank(addresses, mode);
  if (bank) return std::move(*bank);
  Error error = std::move(bank).error();
  if (error.code == Errc::not_found && error.remedy.empty())
    error.remedy = "bb5-memory init, or migrate run, makes one";
  print_error(error, json);
  code = exit_code(error, true);
  return nullptr;
}

}  // namespace bb5::cli
