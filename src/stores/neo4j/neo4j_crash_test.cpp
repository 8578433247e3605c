// A Neo4j of its own is killed, stopped and started under a relay at work. It is not the one of the
// other tests, which run at the same time.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include <sys/wait.h>

#include "base/environment.hpp"
#include "operations/graph/compare.hpp"
#include "operations/graph/graph_test_tools.hpp"
#include "operations/graph/relay.hpp"
#include "stores/in_memory/in_memory_bank.hpp"
#include "stores/neo4j/neo4j_graph.hpp"
#include "tests/support/temporary_folder.hpp"

namespace bb5 {
namespace {

using namespace std::chrono_literals;

/// scripts/services with its own folder.
class OwnNeo4j {
 public:
  OwnNeo4j() : folder_(TemporaryFolder().path().string()) { start_ok_ = run("start --neo4j-only"); }
  ~OwnNeo4j() { run("stop"); }
  OwnNeo4j(const OwnNeo4j&) = delete;
  OwnNeo4j& operator=(const OwnNeo4j&) = delete;
  OwnNeo4j(OwnNeo4j&&) = delete;
  OwnNeo4j& operator=(OwnNeo4j&&) = delete;

  [[nodiscard]] bool started() const { return start_ok_; }
  bool run(const std::string& verb) {
    const std::string command =
        std::string(BB5_SOURCE_DIR) + "/scripts/services " + verb + " --dir '" + folder_ + "' 2>&1";
    FILE* const pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) return false;
    output_.clear();
    std::array<char, 4096> buffer{};
    while (const std::size_t got = fread(buffer.data(), 1, buffer.size(), pipe))
      output_.append(buffer.data(), got);
    const int status = pclose(pipe);
    if (verb.starts_with("start --")) printed_ = output_;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  /// The value of `export NAME=…` as `start` printed it.
  [[nodiscard]] std::string value(const std::string& name) const {
    const std::string mark = "export " + name + "=";
    const std::size_t from = printed_.find(mark);
    if (from == std::string::npos) return {};
    const std::size_t start = from + mark.size();
    return printed_.substr(start, printed_.find('\n', start) - start);
  }
  [[nodiscard]] const std::string& output() const { return output_; }

 private:
  std::string folder_;
  std::string output_;
  std::string printed_;
  bool start_ok_ = false;
};

TEST(Neo4jCrash, AServerThatDiesAndComesBackUnderTheRelayLosesNothing) {
  if (environment("BB5_TEST_NEO4J").empty())
    GTEST_SKIP() << "no Neo4j: set BB5_TEST_NEO4J and NEO4J_PASSWORD (scripts/services start)";
  OwnNeo4j server;
  ASSERT_TRUE(server.started()) << server.output();
  auto opened = open_neo4j_graph({.url = server.value("BB5_TEST_NEO4J"),
                                  .password = server.value("NEO4J_PASSWORD"),
                                  .bank = "crash",
                                  .read_timeout = 30s});
  ASSERT_THAT(opened, Succeeds());
  GraphProjection& graph = **opened;
  const auto prepared = graph.prepare();
  ASSERT_THAT(prepared, Succeeds());
  const auto bank = new_in_memory_bank();
  fill_bank(*bank, 1'500, test_seed());

  std::vector<std::string> outages = {"kill-neo4j"};
  if (soak()) outages = {"kill-neo4j", "stop-neo4j", "kill-neo4j", "stop-neo4j"};
  for (const std::string& down : outages) {
    ASSERT_THAT(bank->requeue_all(), Succeeds());
    RelayOptions options;
    options.batch = 50;
    options.give_up_after = 240s;
    std::thread outage;
    bool came_back = false;
    bool begun = false;
    options.progress = [&](const RelayProgress& progress) {
      if (progress.applied >= 500 && !begun) {
        begun = true;
        outage = std::thread([&] {
          server.run(down);
          std::this_thread::sleep_for(1s);
          came_back = server.run("start-neo4j");
        });
      }
      return true;
    };
    const auto report = drain_outbox(*bank, graph, options);
    if (outage.joinable()) outage.join();
    ASSERT_TRUE(came_back) << server.output();
    ASSERT_THAT(report, Succeeds());
    EXPECT_EQ(report->stopped_by, std::nullopt) << report->stopped_by->message;
    EXPECT_GT(report->attempts_failed, 0) << "the outage came too late";
    EXPECT_TRUE(report->poison.empty());
    EXPECT_EQ(bank->stats()->outbox_pending, 0);
    const auto compared = compare_graphs(*bank, graph);
    ASSERT_THAT(compared, Succeeds());
    EXPECT_EQ(compared->found, 0);
    erase_some(*bank, 3);
  }

  // Down for good: the writer goes on, the relay says why it stopped, the backlog waits.
  ASSERT_TRUE(server.run("stop-neo4j")) << server.output();
  fill_bank(*bank, 30, 99);
  RelayOptions options;
  options.give_up_after = 500ms;
  const auto report = drain_outbox(*bank, graph, options);
  ASSERT_THAT(report, Succeeds());
  ASSERT_TRUE(report->stopped_by);
  EXPECT_EQ(report->stopped_by->code, Errc::unavailable);
  EXPECT_GT(bank->stats()->outbox_pending, 0);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_THAT(graph.neighbours("concept:a", 5), FailsWith(Errc::unavailable));
  EXPECT_LT(std::chrono::steady_clock::now() - began, 1s);  // A search does not wait for it.
}

}  // namespace
}  // namespace bb5
