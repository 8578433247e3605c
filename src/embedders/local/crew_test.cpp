#include "embedders/local/crew.hpp"

#include <numeric>
#include <vector>

namespace bb5::local {
namespace {

TEST(Crew, CallsEachPartOnceOnItsOwnThread) {
  Crew crew(3);
  for (const std::size_t parts : {1U, 2U, 3U, 1U, 2U, 3U}) {
    std::vector<std::thread::id> threads(parts);
    std::vector<int> calls(parts);
    ASSERT_TRUE(crew.try_run(parts, [&](std::size_t part) {
      threads[part] = std::this_thread::get_id();
      ++calls[part];
    }));
    EXPECT_EQ(threads[0], std::this_thread::get_id());
    EXPECT_EQ(std::accumulate(calls.begin(), calls.end(), 0), static_cast<int>(parts));
    for (std::size_t part = 1; part < parts; ++part) EXPECT_NE(threads[part], threads[0]);
  }
}

TEST(Crew, HelpsOneCallerAtATime) {
  Crew crew(2);
  bool second = true;
  ASSERT_TRUE(crew.try_run(2, [&](std::size_t part) {
    if (part != 0) return;
    std::thread([&] { second = crew.try_run(1, [](std::size_t) {}); }).join();
  }));
  EXPECT_FALSE(second);
  EXPECT_TRUE(crew.try_run(2, [](std::size_t) {}));
}

TEST(Crew, MayNeverBeAskedForHelp) {
  const Crew crew(8);
  EXPECT_EQ(crew.size(), 8U);
}

TEST(Meeting, LetsNobodyGoBeforeAllHaveCome) {
  constexpr std::size_t parts = 3;
  Crew crew(parts);
  Meeting meeting(parts);
  std::vector<int> written(parts);
  std::vector<int> wrong(parts);
  ASSERT_TRUE(crew.try_run(parts, [&](std::size_t part) {
    for (int round = 1; round <= 500; ++round) {
      written[part] = round;
      meeting.wait();
      for (const int seen : written) wrong[part] += seen != round;
      meeting.wait();
    }
  }));
  for (const int count : wrong) EXPECT_EQ(count, 0);
}

}  // namespace
}  // namespace bb5::local
