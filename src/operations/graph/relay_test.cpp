#include "operations/graph/relay.hpp"

#include <thread>

#include "operations/graph/compare.hpp"
#include "operations/graph/graph_test_tools.hpp"
#include "stores/in_memory/in_memory_bank.hpp"
#include "tests/support/temporary_folder.hpp"

namespace bb5 {
namespace {

using namespace std::chrono_literals;
using testing::Each;
using testing::ElementsAre;
using testing::Ge;
using testing::IsEmpty;
using testing::SizeIs;

Error error(Errc code) {
  return Error{.code = code, .message = "scripted"};
}

bool has_key(std::span<const GraphChange> changes, const std::string& key) {
  return std::any_of(changes.begin(), changes.end(),
                     [&key](const GraphChange& change) { return key_of(change) == key; });
}

class Relay : public testing::Test {
 protected:
  Relay() {
    options_.batch = 20;
    options_.seed = 5;
    options_.clock = [this] { return std::chrono::steady_clock::time_point(now_); };
    options_.sleep = [this](std::chrono::milliseconds pause) {
      now_ += pause;
      pauses_.push_back(pause);
    };
  }
  void fill(int size = 60) { fill_bank(*bank_, size, 3); }
  std::int64_t pending() { return bank_->stats()->outbox_pending; }
  void expect_equal() { expect_equal(*bank_, projection_); }
  static void expect_equal(const EntityGraph& left, const EntityGraph& right) {
    const auto compared = compare_graphs(left, right);
    ASSERT_THAT(compared, Succeeds());
    EXPECT_EQ(compared->found, 0);
    EXPECT_GT(compared->left.entities, 0);
    for (const auto& each : compared->differences)
      ADD_FAILURE() << each.key << ' ' << each.field << ' ' << each.left << '|' << each.right;
  }

  std::unique_ptr<Bank> bank_ = new_in_memory_bank();
  ScriptedProjection projection_;
  RelayOptions options_;
  std::chrono::milliseconds now_{0};
  std::vector<std::chrono::milliseconds> pauses_;
};

TEST_F(Relay, DrainsTheOutboxInBatches) {
  fill();
  const auto waiting = pending();
  std::vector<std::int64_t> told;
  options_.progress = [&told](const RelayProgress& progress) {
    told.push_back(progress.applied);
    return true;
  };
  const auto report = drain_outbox(*bank_, projection_, options_);
  ASSERT_THAT(report, Succeeds());
  EXPECT_EQ(report->applied, waiting);
  EXPECT_EQ(report->batches, (waiting + 19) / 20);
  EXPECT_EQ(report->stopped_by, std::nullopt);
  EXPECT_EQ(pending(), 0);
  EXPECT_EQ(told.back(), waiting);
  expect_equal();
  projection_.calls.clear();
  EXPECT_EQ(drain_outbox(*bank_, projection_, options_)->applied, 0);
  EXPECT_THAT(projection_.calls, IsEmpty());
}

TEST_F(Relay, RemovalsFollow) {
  fill();
  ASSERT_THAT(drain_outbox(*bank_, projection_, options_), Succeeds());
  erase_some(*bank_, 4);
  EXPECT_GT(pending(), 0);
  ASSERT_THAT(drain_outbox(*bank_, projection_, options_), Succeeds());
  expect_equal();
}

TEST_F(Relay, ANewNetworkOfAMemoryIsProjected) {
  Memory memory = with_metadata(make_memory("m"), R"({"entities":["Redis"]})");
  const auto put = [&] {
    const std::vector<Memory> batch = {memory};
    ASSERT_THAT(bank_->write({.memories = batch, .on_conflict = OnConflict::replace}), Succeeds());
    ASSERT_THAT(drain_outbox(*bank_, projection_, options_), Succeeds());
  };
  put();
  EXPECT_EQ(projection_.network_of(memory.id), "observation");
  memory.network = "opinion";
  put();
  EXPECT_EQ(projection_.network_of(memory.id), "opinion");
  expect_equal();
}

TEST_F(Relay, OneRelayABank) {
  fill();
  {
    const auto lock = bank_->lock_relay();
    ASSERT_THAT(lock, Succeeds());
    EXPECT_THAT(drain_outbox(*bank_, projection_, options_), FailsWith(Errc::locked));
    EXPECT_THAT(rebuild_projection(*bank_, projection_, options_), FailsWith(Errc::locked));
    EXPECT_THAT(repair_projection(*bank_, projection_, options_), FailsWith(Errc::locked));
  }
  EXPECT_THAT(projection_.calls, IsEmpty());
  EXPECT_THAT(drain_outbox(*bank_, projection_, options_), Succeeds());
}

TEST_F(Relay, WaitsForAProjectionThatIsAway) {
  fill();
  int calls = 0;
  projection_.before = [&calls](auto) -> Result<> {
    ++calls;
    if (calls >= 3 && calls < 8) return error(Errc::unavailable);
    return ok();
  };
  const auto report = drain_outbox(*bank_, projection_, options_);
  ASSERT_THAT(report, Succeeds());
  EXPECT_EQ(report->attempts_failed, 5);
  EXPECT_EQ(report->stopped_by, std::nullopt);
  ASSERT_THAT(pauses_, SizeIs(5));
  EXPECT_LE(pauses_[0], 100ms);
  EXPECT_GE(pauses_[4], 800ms);
  expect_equal();
}

TEST_F(Relay, GivesUpInTimeAndLeavesTheBacklog) {
  fill();
  const auto waiting = pending();
  projection_.before = [](auto) -> Result<> { return error(Errc::unavailable); };
  const auto report = drain_outbox(*bank_, projection_, options_);
  ASSERT_THAT(report, Succeeds());
  ASSERT_TRUE(report->stopped_by);
  EXPECT_EQ(report->stopped_by->code, Errc::unavailable);
  EXPECT_EQ(report->applied, 0);
  EXPECT_EQ(pending(), waiting);
  EXPECT_LE(now_, 30s);
  EXPECT_GE(now_, 10s);

  options_.give_up_after = 0ms;
  projection_.calls.clear();
  EXPECT_TRUE(drain_outbox(*bank_, projection_, options_)->stopped_by);
  EXPECT_THAT(projection_.calls, SizeIs(1));

  projection_.before = {};
  EXPECT_THAT(drain_outbox(*bank_, projection_, options_), Succeeds());
  EXPECT_EQ(pending(), 0);
  expect_equal();
}

TEST_F(Relay, ABatchTooLargeForTheServerGoesInPieces) {
  fill();
  projection_.before = [](auto changes) -> Result<> {
    if (changes.size() > 6) return error(Errc::unavailable);
    return ok();
  };
  const auto report = drain_outbox(*bank_, projection_, options_);
  ASSERT_THAT(report, Succeeds());
  EXPECT_EQ(report->stopped_by, std::nullopt);
  expect_equal();
}

TEST_F(Relay, ARowThatIsRefusedIsFoundReportedAndPassedOver) {
  fill();
  const auto waiting = pending();
  const std::string poison = "technology:entity 20";
  for (const Errc code : {Errc::invalid_argument, Errc::internal, Errc::conflict, Errc::corrupt}) {
    ASSERT_THAT(bank_->requeue_all(), Succeeds());
    projection_.before = [&](auto changes) -> Result<> {
      if (has_key(changes, poison)) return error(code);
      return ok();
    };
    const auto report = drain_outbox(*bank_, projection_, options_);
    ASSERT_THAT(report, Succeeds());
    EXPECT_EQ(report->stopped_by, std::nullopt);
    ASSERT_THAT(report->poison, SizeIs(1));
    EXPECT_EQ(report->poison[0].key, poison);
    EXPECT_EQ(report->poison[0].error.code, code);
    EXPECT_EQ(report->applied, waiting - 1);
    EXPECT_EQ(pending(), 1);
  }
  // The next run tries it again.
  projection_.before = {};
  const auto report = drain_outbox(*bank_, projection_, options_);
  EXPECT_EQ(report->applied, 1);
  EXPECT_EQ(pending(), 0);
  expect_equal();
}

TEST_F(Relay, MuchPoisonBeforeTheGoodRowsDoesNotHideThem) {
  fill();
  projection_.before = [](auto changes) -> Result<> {
    const bool bad = std::any_of(changes.begin(), changes.end(), [](const GraphChange& change) {
      return change.kind == GraphChange::Kind::entity;
    });
    if (bad) return error(Errc::invalid_argument);
    return ok();
  };
  const auto entities = bank_->graph_counts()->entities;
  const auto report = drain_outbox(*bank_, projection_, options_);
  ASSERT_THAT(report, Succeeds());
  EXPECT_EQ(report->stopped_by, std::nullopt);
  EXPECT_THAT(report->poison, SizeIs(static_cast<std::size_t>(entities)));
  EXPECT_EQ(pending(), entities);
}

TEST_F(Relay, WhenEveryRowIsRefusedTheFaultIsNotInTheRows) {
  fill();
  options_.poison_allowed = 5;
  projection_.before = [](auto) -> Result<> { return error(Errc::internal); };
  const auto report = drain_outbox(*bank_, projection_, options_);
  ASSERT_THAT(report, Succeeds());
  ASSERT_TRUE(report->stopped_by);
  EXPECT_EQ(report->stopped_by->code, Errc::internal);
  EXPECT_THAT(report->poison, SizeIs(6));
  EXPECT_EQ(report->applied, 0);
}

TEST_F(Relay, AWrongPasswordEndsTheRunAtOnce) {
  fill();
  for (const Errc code : {Errc::refused, Errc::not_found, Errc::unsupported, Errc::out_of_space}) {
    projection_.calls.clear();
    projection_.before = [code](auto) -> Result<> { return error(code); };
    const auto report = drain_outbox(*bank_, projection_, options_);
    ASSERT_THAT(report, Succeeds());
    EXPECT_EQ(report->stopped_by->code, code);
    EXPECT_THAT(projection_.calls, SizeIs(1));
    EXPECT_THAT(pauses_, IsEmpty());
  }
}

TEST_F(Relay, StopsWhenToldTo) {
  fill();
  options_.progress = [](const RelayProgress& progress) { return progress.applied < 40; };
  const auto report = drain_outbox(*bank_, projection_, options_);
  ASSERT_THAT(report, Succeeds());
  EXPECT_EQ(report->stopped_by->code, Errc::cancelled);
  EXPECT_EQ(report->applied, 40);
  options_.progress = {};
  EXPECT_THAT(drain_outbox(*bank_, projection_, options_), Succeeds());
  expect_equal();
}

TEST_F(Relay, WhatIsWrittenMeanwhileIsDrainedToo) {
  fill();
  int writes = 0;
  projection_.before = [&](auto) -> Result<> {
    // The row that is on its way right now changes in the record.
    if (++writes <= 5) fill_bank(*bank_, 30, static_cast<std::uint64_t>(writes));
    if (writes == 3) erase_some(*bank_, 1);
    return ok();
  };
  ASSERT_THAT(drain_outbox(*bank_, projection_, options_), Succeeds());
  EXPECT_EQ(pending(), 0);
  expect_equal();
}

TEST_F(Relay, AFailureAtAnyStepIsMadeGoodByTheNextRun) {
  for (const bool after : {false, true}) {
    bool finished = false;
    for (int n = 1; !finished; ++n) {
      const auto bank = new_in_memory_bank();
      ScriptedProjection projection;
      fill_bank(*bank, 25, 9);
      ASSERT_THAT(drain_outbox(*bank, projection, options_), Succeeds());
      erase_some(*bank, 9);
      fill_bank(*bank, 10, 10);

      FailingRecord record(*bank);
      record.fail_at = n;
      record.after = after;
      const auto report = drain_outbox(record, projection, options_);
      finished = record.steps < n;
      EXPECT_EQ(report.has_value(), finished);
      ASSERT_THAT(drain_outbox(*bank, projection, options_), Succeeds());
      EXPECT_EQ(bank->stats()->outbox_pending, 0);
      expect_equal(*bank, projection);
    }
  }
}

TEST_F(Relay, ALostAnswerAtAnyCallIsMadeGoodByItself) {
  fill(25);
  const auto count = [&] {
    ASSERT_THAT(bank_->requeue_all(), Succeeds());
    projection_.calls.clear();
    ASSERT_THAT(drain_outbox(*bank_, projection_, options_), Succeeds());
  };
  count();
  const auto calls = projection_.calls.size();
  for (std::size_t n = 1; n <= calls; ++n) {
    ASSERT_THAT(projection_.clear(), Succeeds());
    ASSERT_THAT(bank_->requeue_all(), Succeeds());
    std::size_t call = 0;
    projection_.after = [&](auto) -> Result<> {
      return ++call == n ? Result<>(error(Errc::unavailable)) : ok();
    };
    const auto report = drain_outbox(*bank_, projection_, options_);
    projection_.after = {};
    ASSERT_THAT(report, Succeeds());
    EXPECT_EQ(report->attempts_failed, 1);
    expect_equal();
  }
}

TEST_F(Relay, ARebuildFillsAnEmptyProjection) {
  fill();
  ASSERT_THAT(drain_outbox(*bank_, projection_, options_), Succeeds());
  GraphChange stale{.kind = GraphChange::Kind::entity, .rev = 1'000'000};
  stale.entity = {.key = "technology:entity 20", .name = "stale", .rev = 1'000'000};
  ASSERT_THAT(projection_.apply(std::vector{stale}), Succeeds());
  const auto report = rebuild_projection(*bank_, projection_, options_);
  ASSERT_THAT(report, Succeeds());
  EXPECT_EQ(pending(), 0);
  expect_equal();
}

TEST_F(Relay, ARebuildThatBreaksOffAtAnyStepIsCompletedByTheNextDrain) {
  for (const bool after : {false, true}) {
    bool finished = false;
    for (int n = 1; !finished; ++n) {
      const auto bank = new_in_memory_bank();
      ScriptedProjection projection;
      fill_bank(*bank, 25, 9);
      ASSERT_THAT(drain_outbox(*bank, projection, options_), Succeeds());
      FailingRecord record(*bank);
      record.fail_at = n;
      record.after = after;
      const auto report = rebuild_projection(record, projection, options_);
      finished = record.steps < n;
      ASSERT_THAT(drain_outbox(*bank, projection, options_), Succeeds());
      expect_equal(*bank, projection);
    }
  }
  // While it clears, everything is in the outbox already.
  fill();
  ASSERT_THAT(drain_outbox(*bank_, projection_, options_), Succeeds());
  projection_.before_clear = []() -> Result<> { return error(Errc::unavailable); };
  EXPECT_THAT(rebuild_projection(*bank_, projection_, options_), FailsWith(Errc::unavailable));
  EXPECT_GT(pending(), 0);
}

TEST_F(Relay, ARepairRemovesWhatIsTooMuchAndBringsWhatIsMissing) {
  fill();
  ASSERT_THAT(drain_outbox(*bank_, projection_, options_), Succeeds());
  auto report = repair_projection(*bank_, projection_, options_);
  ASSERT_THAT(report, Succeeds());
  EXPECT_EQ(report->differences, 0);
  EXPECT_EQ(report->relay.applied, 0);

  GraphChange extra{.kind = GraphChange::Kind::entity, .rev = 3};
  extra.entity = {.key = "extra:row", .name = "extra", .rev = 3};
  GraphChange edge{.kind = GraphChange::Kind::relationship, .rev = 3};
  edge.relationship = {
      .subject_key = "extra:row", .predicate = "uses", .object_key = "concept:a", .rev = 3};
  ASSERT_THAT(projection_.apply(std::vector{extra, edge}), Succeeds());
  // Edited by hand: the revision stays.
  const auto edited = *bank_->entity_named("entity 20");
  ASSERT_TRUE(edited);
  GraphChange hand{.kind = GraphChange::Kind::entity, .rev = edited->rev};
  hand.entity = *edited;
  hand.entity.name = "by hand";
  ASSERT_THAT(projection_.apply(std::vector{hand}), Succeeds());
  fill_bank(*bank_, 5, 77);  // And something is still on its way.

  report = repair_projection(*bank_, projection_, options_);
  ASSERT_THAT(report, Succeeds());
  EXPECT_EQ(report->differences, 3);
  EXPECT_EQ(report->removed, 2);
  EXPECT_EQ(report->remaining, 0);
  expect_equal();
}

TEST_F(Relay, ARepairSaysWhatOnlyARebuildMends) {
  fill();
  ASSERT_THAT(drain_outbox(*bank_, projection_, options_), Succeeds());
  // As after a restored backup: the projection is ahead of the record.
  auto ahead = bank_->entities("", 1)->front();
  GraphChange change{.kind = GraphChange::Kind::entity, .rev = 1'000'000};
  change.entity = ahead;
  change.entity.rev = 1'000'000;
  ASSERT_THAT(projection_.apply(std::vector{change}), Succeeds());
  const auto report = repair_projection(*bank_, projection_, options_);
  ASSERT_THAT(report, Succeeds());
  EXPECT_EQ(report->remaining, 1);
  ASSERT_THAT(rebuild_projection(*bank_, projection_, options_), Succeeds());
  expect_equal();
}

}  // namespace
}  // namespace bb5
