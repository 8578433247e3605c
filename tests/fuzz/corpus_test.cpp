// Every input that the fuzzers started from or ever failed on, once, and each of them with a few
// bytes changed: so that the targets are kept by every build, not only by the fuzzers'.
#include <algorithm>
#include <filesystem>
#include <random>

#include <gtest/gtest.h>

#include "tests/fuzz/targets.hpp"
#include "tests/support/temporary_folder.hpp"

namespace bb5::fuzz {

static void PrintTo(const NamedTarget& target, std::ostream* out) {
  *out << target.name;
}

namespace {

class FuzzCorpus : public testing::TestWithParam<NamedTarget> {
 protected:
  static std::vector<std::string> inputs() {
    const std::filesystem::path folder =
        std::filesystem::path(BB5_SOURCE_DIR) / "tests/fuzz/corpus" / GetParam().name;
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    std::vector<std::string> found;
    for (const auto& path : paths) found.push_back(read_file(path));
    return found;
  }
  static void run(const std::string& bytes) {
    GetParam().run({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  }
};

TEST_P(FuzzCorpus, BreaksNoPromise) {
  const auto corpus = inputs();
  ASSERT_FALSE(corpus.empty());
  for (const std::string& bytes : corpus) run(bytes);
}

TEST_P(FuzzCorpus, BreaksNoPromiseWithAFewBytesChanged) {
  std::mt19937_64 random(test_seed());
  const auto corpus = inputs();
  run("");
  for (int round = 0; round < 300; ++round) {
    std::string bytes = corpus[random() % corpus.size()];
    for (auto changes = 1 + random() % 4; changes > 0 && !bytes.empty(); --changes) {
      const std::size_t at = random() % bytes.size();
      switch (random() % 4) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes.erase(at, random() % 20);
          break;
        case 2:
          bytes.insert(at, bytes.substr(random() % bytes.size(), random() % 20));
          break;
        default:
          bytes.resize(at);
      }
    }
    SCOPED_TRACE(bytes);
    run(bytes);
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, FuzzCorpus,
                         testing::ValuesIn(all_targets().begin(), all_targets().end()),
                         [](const auto& target) { return std::string(target.param.name); });

}  // namespace
}  // namespace bb5::fuzz
