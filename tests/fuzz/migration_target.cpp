// Any bytes taken over into a bank: the sums add up, the proof holds, a second run finds everything
// identical, and an export of it is taken over as the same memories.
#include <set>

#include "operations/migrate/migration.hpp"
#include "operations/migrate/verification.hpp"
#include "operations/transfer/export.hpp"
#include "sources/blackbox5/blackbox5_source.hpp"
#include "stores/in_memory/in_memory_bank.hpp"
#include "tests/fuzz/targets.hpp"

namespace bb5::fuzz {
namespace {

const MigrationOptions options{.source_model = "fuzz", .batch_records = 3};

MigrationReport run(const MemorySource& source, Bank& bank) {
  auto report = run_migration(source, "fuzz", bank, options);
  require(report.has_value(), report ? "" : report.error().message);
  require(report->outcome == MigrationOutcome::loaded, "a run without conflicts ends");
  for (const auto& [part, counts] : report->parts)
    require(counts.adds_up(), "read = loaded + identical + rejected + quarantined");
  return std::move(*report);
}

void require_verified(const MemorySource& source, Bank& bank) {
  const auto verified = verify_migration(source, "fuzz", bank, options.source_model, {});
  require(verified.has_value(), verified ? "" : verified.error().message);
  for (const Difference& difference : verified->differences)
    require(false, difference.id + " " + difference.field + ": " + difference.source + " / " +
                       difference.target);
  require(verified->verified(), "what was loaded is verified");
  require(bank.set_run_state(verified->run, RunState::verified, now()).has_value(),
          "a run can be marked as verified");
}

std::string exported(const Bank& bank) {
  std::string bytes;
  const auto count = export_legacy(bank, [&](std::string_view piece) {
    bytes += piece;
    return ok();
  });
  require(count.has_value(), "a bank can be exported");
  return bytes;
}

}  // namespace

void migration(Input input) {
  const MemoryFile file(text_of(input));
  const auto source = open_blackbox5_source(file.path());
  require(source.has_value(), "the file can be opened");
  const auto bank = new_in_memory_bank();
  if (const auto plan = plan_migration(**source, "fuzz", nullptr, options); !plan) {
    require(plan.error().code == Errc::corrupt, "only a file that holds no array is refused");
    const auto refused = run_migration(**source, "fuzz", *bank, options);
    require(!refused && refused.error().code == Errc::corrupt, "plan and run agree");
    return;
  } else {
    const MigrationReport first = run(**source, *bank);
    for (const auto& [part, counts] : first.parts) {
      const PartCounts& planned = plan->parts.at(part);
      require(planned.read == counts.read && planned.loaded == counts.loaded &&
                  planned.identical == counts.identical &&
                  planned.quarantined == counts.quarantined,
              "plan and run agree");
    }
  }
  require_verified(**source, *bank);
  const MigrationReport again = run(**source, *bank);
  for (const auto& [part, counts] : again.parts)
    require(counts.loaded == 0 && counts.rejected == 0, "a second run changes nothing");

  const std::string once = exported(*bank);
  const MemoryFile copy(once);
  const auto copied = open_blackbox5_source(copy.path());
  const auto second_bank = new_in_memory_bank();
  const MigrationReport report = run(**copied, *second_bank);
  for (const auto& [part, counts] : report.parts)
    require(counts.quarantined == 0, "an export holds only what can be read");
  require(exported(*second_bank) == once, "an export is exported as the same bytes");
}

}  // namespace bb5::fuzz
