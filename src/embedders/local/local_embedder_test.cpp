#include "embedders/local/local_embedder.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <numeric>
#include <optional>
#include <random>
#include <thread>

#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "embedders/local/mapped_file.hpp"
#include "embedders/local/mini_lm.hpp"
#include "embedders/local/model_files.hpp"
#include "embedders/local/word_piece.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_folder.hpp"

namespace bb5 {
namespace {

using testing::Ge;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Vectors = std::vector<std::vector<float>>;

struct Golden {
  std::string text;
  std::vector<std::int32_t> ids;
  std::vector<float> vector;
};

/// tests/data/minilm-golden, whose README tells how it was made.
const std::vector<Golden>& golden() {
  static const std::vector<Golden> all = [] {
    const auto file =
        read_file(std::filesystem::path(BB5_SOURCE_DIR) / "tests/data/minilm-golden/golden.json");
    std::vector<Golden> found;
    for (const auto& entry : nlohmann::json::parse(file))
      found.push_back({entry.at("text"), entry.at("ids"), entry.at("vector")});
    return found;
  }();
  return all;
}

std::vector<std::string_view> golden_texts() {
  std::vector<std::string_view> texts;
  for (const Golden& entry : golden()) texts.emplace_back(entry.text);
  return texts;
}

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  const double dot = std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
  const double aa = std::inner_product(a.begin(), a.end(), a.begin(), 0.0);
  const double bb = std::inner_product(b.begin(), b.end(), b.begin(), 0.0);
  return dot / std::sqrt(aa * bb);
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  double largest = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    largest = std::max(largest, std::abs(double{a[i]} - double{b[i]}));
  return largest;
}

std::filesystem::path model_folder() {
  const auto found = local::find_model();
  return found ? *found : std::filesystem::path();
}

/// Tests that need the model; scripts/setup brings it.
class LocalEmbedderTest : public testing::Test {
 protected:
  void SetUp() override {
    if (model_folder().empty()) GTEST_SKIP() << "no model: run scripts/setup";
    embedder_ = open();
  }
  static std::unique_ptr<Embedder> open(std::size_t threads = 2) {
    auto made = new_local_embedder({.folder = {}, .threads = threads});
    EXPECT_THAT(made, Succeeds());
    return std::move(*made);
  }
  Vectors embed(std::span<const std::string_view> texts) {
    auto vectors = embedder_->embed(texts);
    EXPECT_THAT(vectors, Succeeds());
    return *vectors;
  }
  std::vector<float> embed_one(std::string_view text) { return embed({&text, 1}).front(); }

  std::unique_ptr<Embedder> embedder_;
};

TEST_F(LocalEmbedderTest, NamesModelAndDimension) {
  EXPECT_EQ(embedder_->info(), (EmbedderInfo{"local/all-MiniLM-L6-v2", 384}));
}

TEST_F(LocalEmbedderTest, TokenIdsAreThoseOfTheReference) {
  ASSERT_THAT(golden(), SizeIs(199));
  const auto words = *local::MappedFile::open(model_folder() / "vocab.txt");
  const auto tokenizer =
      *local::WordPiece::over(*local::Vocabulary::parse(words.bytes(), "vocab.txt"), "vocab.txt");
  for (const Golden& entry : golden())
    EXPECT_EQ(tokenizer.encode(entry.text, 256), entry.ids) << entry.text.substr(0, 200);
}

TEST_F(LocalEmbedderTest, VectorsAreThoseOfTheReference) {
  const auto texts = golden_texts();
  const Vectors together = embed(texts);
  ASSERT_THAT(together, SizeIs(golden().size()));
  double lowest = 1;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_GE(cosine(together[i], golden()[i].vector), 0.999999) << texts[i].substr(0, 200);
    lowest = std::min(lowest, cosine(together[i], golden()[i].vector));
    const double length = std::sqrt(
        std::inner_product(together[i].begin(), together[i].end(), together[i].begin(), 0.0));
    EXPECT_NEAR(length, 1, 1e-6);
  }
  RecordProperty("lowest_cosine", std::to_string(lowest));
}

TEST_F(LocalEmbedderTest, ATextsVectorDoesNotDependOnItsNeighbours) {
  auto texts = golden_texts();
  const Vectors together = embed(texts);
  for (std::size_t i = 0; i < texts.size(); ++i)
    EXPECT_LE(largest_difference(embed_one(texts[i]), together[i]), 1e-6) << i;

  std::vector<std::size_t> order(texts.size());
  std::iota(order.begin(), order.end(), 0U);
  std::shuffle(order.begin(), order.end(), std::mt19937_64(test_seed()));
  std::vector<std::string_view> shuffled;
  shuffled.reserve(order.size());
  for (const std::size_t place : order) shuffled.push_back(texts[place]);
  const Vectors again = embed(shuffled);
  for (std::size_t i = 0; i < order.size(); ++i)
    EXPECT_LE(largest_difference(again[i], together[order[i]]), 1e-6) << i;
}

TEST_F(LocalEmbedderTest, NorOnTheNumberOfThreads) {
  auto some = golden_texts();
  some.resize(40);
  const Vectors two = embed(some);
  for (const std::size_t threads : {1U, 3U, 4U, 7U}) {
    const auto other = open(threads);
    const Vectors vectors = *other->embed(some);
    for (std::size_t i = 0; i < some.size(); ++i)
      EXPECT_LE(largest_difference(vectors[i], two[i]), 1e-6) << threads << ' ' << i;
    const Vectors single = *other->embed({&some[5], 1});
    EXPECT_LE(largest_difference(single[0], two[5]), 1e-6) << threads;
  }
}

TEST_F(LocalEmbedderTest, NorOnTheInstructionSet) {
  const auto weights = *local::MappedFile::open(model_folder() / "model.safetensors");
  const auto tensors = *local::SafeTensors::parse(weights.bytes(), "weights");
  local::PackedTexts texts;
  for (const std::size_t i : {0U, 7U, 30U, 100U}) texts.add(golden()[i].ids);
  for (const local::Kernels& kernels : local::available_kernels()) {
    const auto model = *local::MiniLm::over(tensors, kernels);
    local::Workspace workspace;
    workspace.reserve(texts.tokens());
    local::Workspace* const only = &workspace;
    local::Meeting meeting(1);
    std::vector<float> vectors(texts.size() * local::dimension);
    model.encode(texts, {&only, 1}, meeting, 0, vectors.data());
    std::size_t at = 0;
    for (const std::size_t i : {0U, 7U, 30U, 100U}) {
      const std::vector<float> vector(vectors.begin() + static_cast<std::ptrdiff_t>(at),
                                      vectors.begin() + static_cast<std::ptrdiff_t>(at + 384));
      EXPECT_GE(cosine(vector, golden()[i].vector), 0.999999) << kernels.name << ' ' << i;
      at += 384;
    }
  }
}

TEST_F(LocalEmbedderTest, NoTextsGiveNoVectors) {
  EXPECT_THAT(embed({}), IsEmpty());
}

TEST_F(LocalEmbedderTest, AnyBytesHaveAVector) {
  const std::string huge(3'000'000, 'a');
  const std::string ideographs = [] {
    std::string text;
    for (int i = 0; i < 100'000; ++i) text += "中";
    return text;
  }();
  for (const std::string_view text : {std::string_view(""), std::string_view("\xFF\xFE\x00", 3),
                                      std::string_view(huge), std::string_view(ideographs)}) {
    const auto vector = embed_one(text);
    EXPECT_THAT(vector, SizeIs(384));
    EXPECT_NEAR(std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0), 1, 1e-5);
  }
}

TEST_F(LocalEmbedderTest, ManyThreadsAtOnceGetTheirOwnVectors) {
  const auto texts = golden_texts();
  const std::span<const std::string_view> some(texts.data(), 24);
  const Vectors expected = embed(some);
  std::vector<std::thread> callers;
  std::vector<double> largest(8);
  for (std::size_t caller = 0; caller < largest.size(); ++caller) {
    callers.emplace_back([&, caller] {
      for (std::size_t round = 0; round < 6; ++round) {
        const std::size_t from = (caller + round) % 20;
        const std::size_t count = 1 + (caller * 5 + round) % 4;
        const auto vectors = embedder_->embed(some.subspan(from, count));
        if (!vectors || vectors->size() != count) {
          largest[caller] = 9;
          return;
        }
        for (std::size_t i = 0; i < count; ++i)
          largest[caller] =
              std::max(largest[caller], largest_difference((*vectors)[i], expected[from + i]));
      }
    });
  }
  for (auto& caller : callers) caller.join();
  for (const double difference : largest) EXPECT_LE(difference, 1e-6);
}

/// What the kernel says of this process' pages of a file, in KiB, by name of the field.
std::map<std::string, long> pages_of(const std::string& file) {
  std::map<std::string, long> sums;
  std::ifstream maps("/proc/self/smaps");
  bool of_file = false;
  for (std::string line; std::getline(maps, line);) {
    const auto colon = line.find(": ");
    if (line.find('-') < line.find(' '))
      of_file = line.ends_with(file);
    else if (of_file && colon != std::string::npos)
      sums[line.substr(0, line.find(':'))] += std::strtol(line.c_str() + colon + 1, nullptr, 10);
  }
  return sums;
}

TEST_F(LocalEmbedderTest, ProcessesShareTheWeights) {
  embed_one("any text goes through all layers");
  std::array<int, 2> done{};
  ASSERT_EQ(pipe(done.data()), 0);
  const pid_t other = fork();
  if (other == 0) {  // this one maps and reads them for itself, and stays until it is looked at
    const auto own = new_local_embedder({.folder = {}, .threads = 1});
    const std::string_view text = "a text";
    const bool embedded = own && (*own)->embed({&text, 1});
    _exit(write(done[1], embedded ? "y" : "n", 1) == 1 && pause() == 0 ? 0 : 1);
  }
  ASSERT_GT(other, 0);
  char answer = 0;
  ASSERT_EQ(read(done[0], &answer, 1), 1);
  auto pages = pages_of("/model.safetensors");
  kill(other, SIGKILL);
  waitpid(other, nullptr, 0);
  close(done[0]);
  close(done[1]);
  ASSERT_EQ(answer, 'y');
  EXPECT_GE(pages["Rss"], 40 * 1024);  // the layers' weights, at least
  EXPECT_EQ(pages["Private_Dirty"], 0);
  EXPECT_EQ(pages["Shared_Dirty"], 0);
  EXPECT_GE(pages["Shared_Clean"], 40 * 1024);
  EXPECT_LE(pages["Pss"], pages["Rss"] * 3 / 4);
}

/// A model that can be damaged.
class DamagedModel : public LocalEmbedderTest {
 protected:
  void SetUp() override {
    LocalEmbedderTest::SetUp();
    if (IsSkipped()) return;
    std::filesystem::copy(model_folder() / "vocab.txt", folder_ / "vocab.txt");
    std::filesystem::copy(model_folder() / "model.safetensors", folder_ / "model.safetensors");
  }
  [[nodiscard]] Error failure() const {
    const auto made = new_local_embedder({.folder = folder_.path(), .threads = 1});
    if (made) return {};
    EXPECT_EQ(made.error().remedy, local::model_remedy);
    EXPECT_THAT(made.error().message, HasSubstr(folder_.path().string()));
    return made.error();
  }
  void overwrite(const char* file, std::streamoff at, std::string_view bytes) const {
    std::fstream out(folder_ / file, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(at);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    ASSERT_TRUE(out.good());
  }
  TemporaryFolder folder_;
};

TEST_F(DamagedModel, UndamagedOpensAndIsVerified) {
  EXPECT_THAT(new_local_embedder({.folder = folder_.path()}), Succeeds());
  EXPECT_THAT(local::verify_model(folder_.path()), Succeeds());
}

TEST_F(DamagedModel, MissingFilesAreNamed) {
  std::filesystem::remove(folder_ / "model.safetensors");
  EXPECT_EQ(failure().code, Errc::not_found);
  EXPECT_THAT(failure().message, HasSubstr("model.safetensors"));
  EXPECT_THAT(local::verify_model(folder_.path()), FailsWith(Errc::not_found));
  std::filesystem::remove(folder_ / "vocab.txt");
  EXPECT_THAT(failure().message, HasSubstr("vocab.txt"));
}

TEST_F(DamagedModel, AFolderInAFilesPlaceIsNamed) {
  std::filesystem::remove(folder_ / "model.safetensors");
  std::filesystem::create_directory(folder_ / "model.safetensors");
  EXPECT_EQ(failure().code, Errc::unavailable);
  EXPECT_THAT(failure().message, HasSubstr("Is a directory"));
}

TEST_F(DamagedModel, ADownloadThatWasCutOffIsSeen) {
  for (const std::uintmax_t size : {90'868'375U, 40'000'000U, 11'415U, 100U, 7U, 0U}) {
    std::filesystem::resize_file(folder_ / "model.safetensors", size);
    EXPECT_EQ(failure().code, Errc::corrupt) << size;
  }
}

TEST_F(DamagedModel, AnotherModelIsSeen) {
  overwrite("model.safetensors", 8, R"({"embeddings.position_idx":)");
  EXPECT_EQ(failure().code, Errc::corrupt);
}

TEST_F(DamagedModel, OneLetterOfTheVocabularyIsSeen) {
  overwrite("vocab.txt", 100'000, "#");
  EXPECT_EQ(failure().code, Errc::corrupt);
  EXPECT_THAT(failure().message, HasSubstr("SHA-256"));
}

TEST_F(DamagedModel, OneBitOfTheWeightsIsSeenByVerify) {
  overwrite("model.safetensors", 70'000'000, "\x01");
  EXPECT_EQ(failure().message, "");  // opening does not read the weights: see model_files.hpp
  const auto verified = local::verify_model(folder_.path());
  ASSERT_THAT(verified, FailsWith(Errc::corrupt));
  EXPECT_THAT(verified.error().message, HasSubstr("model.safetensors"));
  EXPECT_EQ(verified.error().remedy, local::model_remedy);
}

TEST_F(DamagedModel, WeightsThatAreNoNumbersGiveAnErrorAndNoVector) {
  overwrite("model.safetensors", 60'000'000, std::string(4096, '\xFF'));
  const auto made = new_local_embedder({.folder = folder_.path()});
  ASSERT_THAT(made, Succeeds());
  const std::string_view text = "a text";
  const auto vectors = (*made)->embed({&text, 1});
  ASSERT_THAT(vectors, FailsWith(Errc::corrupt));
  EXPECT_EQ(vectors.error().remedy, local::model_remedy);
}

/// Sets an environment variable for one test; no other thread runs then.
// NOLINTBEGIN(concurrency-mt-unsafe)
class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    setenv(name, value.c_str(), 1);
  }
  ~Environment() {
    if (before_)
      setenv(name_, before_->c_str(), 1);
    else
      unsetenv(name_);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  Environment(Environment&&) = delete;
  Environment& operator=(Environment&&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

// NOLINTEND(concurrency-mt-unsafe)

TEST(ModelFiles, TheEnvironmentNamesTheOnlyFolder) {
  const TemporaryFolder empty;
  const Environment named("BB5_MODEL_DIR", empty.path().string());
  EXPECT_THAT(local::model_folders(), testing::ElementsAre(empty.path()));
  const auto made = new_local_embedder();
  ASSERT_THAT(made, FailsWith(Errc::not_found));
  EXPECT_THAT(made.error().message, HasSubstr(empty.path().string()));
  EXPECT_EQ(made.error().remedy, local::model_remedy);
}

TEST(ModelFiles, ElseItIsLookedForBesideTheProgramAndInTheUsersFolder) {
  const Environment none("BB5_MODEL_DIR", "");
  const Environment data("XDG_DATA_HOME", "/data");
  const auto folders = local::model_folders();
  ASSERT_THAT(folders, SizeIs(3));
  EXPECT_THAT(folders[0].string(), testing::EndsWith("/share/bb5-memory/models/all-MiniLM-L6-v2"));
  EXPECT_THAT(folders[1].string(), testing::EndsWith("/third_party/minilm"));
  EXPECT_EQ(folders[2], "/data/bb5-memory/models/all-MiniLM-L6-v2");
  const Environment no_data("XDG_DATA_HOME", "");
  const Environment home("HOME", "/home/me");
  EXPECT_EQ(local::model_folders().back(),
            "/home/me/.local/share/bb5-memory/models/all-MiniLM-L6-v2");
}

TEST(ModelFiles, SetupPinsTheSameDigests) {
  const auto lock = read_file(std::filesystem::path(BB5_SOURCE_DIR) / "scripts/lock/minilm.sha256");
  EXPECT_EQ(lock, std::string(local::weights_sha256) + "  model.safetensors\n" +
                      std::string(local::vocabulary_sha256) + "  vocab.txt\n");
}

}  // namespace
}  // namespace bb5
