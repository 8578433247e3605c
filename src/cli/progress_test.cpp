#include "cli/progress.hpp"

#include "tests/support/result_matchers.hpp"

namespace bb5::cli {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

TEST(Pace, SaysNothingBeforeThereIsSomethingToTellItFrom) {
  const Pace::Clock::time_point start{};
  Pace pace;
  pace.start({.phase = "load", .done = 0, .total = 1000}, start);
  const MigrationProgress early{.phase = "load", .records = 4, .done = 40, .total = 1000};
  EXPECT_EQ(pace.seconds_left(early, start + milliseconds(200)), std::nullopt);
  EXPECT_EQ(pace.rate(early, start + milliseconds(200)), std::nullopt);
  const MigrationProgress little{.phase = "load", .records = 1, .done = 9, .total = 1000};
  EXPECT_EQ(pace.seconds_left(little, start + milliseconds(5000)), std::nullopt);
  const MigrationProgress unknown{.phase = "graph", .records = 4};
  EXPECT_EQ(pace.seconds_left(unknown, start + milliseconds(5000)), std::nullopt);
}

TEST(Pace, GoesByWhatWasDoneSinceThePhaseBegan) {
  const Pace::Clock::time_point start{};
  Pace pace;
  // A resumed run: 900 of 1,000 were done before.
  pace.start({.phase = "load", .records = 90, .done = 900, .total = 1000}, start);
  const MigrationProgress half{.phase = "load", .records = 95, .done = 950, .total = 1000};
  EXPECT_EQ(pace.seconds_left(half, start + milliseconds(10'000)), 10.0);
  EXPECT_EQ(pace.rate(half, start + milliseconds(10'000)), 0.5);
}

TEST(ProgressText, ShowsWhatIsKnownAndNothingElse) {
  const MigrationProgress verify{.phase = "verify", .records = 10, .done = 50, .total = 100};
  const std::string text = progress_text(verify, std::nullopt, std::nullopt);
  EXPECT_THAT(text, HasSubstr("██████████··········  50 %"));
  EXPECT_THAT(text, HasSubstr("10 records"));
  for (const char* word : {"left", "/s", "rejected", "quarantined"})
    EXPECT_THAT(text, Not(HasSubstr(word)));
  EXPECT_THAT(progress_text({.phase = "graph"}, std::nullopt, std::nullopt), Not(HasSubstr("·")));
  const MigrationProgress load{
      .phase = "load", .records = 10, .done = 50, .total = 100, .rejected = 0, .quarantined = 2};
  EXPECT_THAT(progress_text(load, 5.0, 3.0), HasSubstr("5/s  3 s left  rejected 0  quarantined 2"));
}

}  // namespace
}  // namespace bb5::cli
