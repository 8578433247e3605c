#include "stores/embedded/hnsw_graph.hpp"

#include <algorithm>
#include <set>

#include "stores/embedded/float_blob.hpp"
#include "stores/embedded/hnsw_builder.hpp"
#include "stores/embedded/hnsw_file.hpp"
#include "stores/embedded/testing/sample_memories.hpp"

namespace bb5::embedded {
namespace {

constexpr std::size_t dimension = 32;
constexpr std::size_t no_bound = 1'000'000;

/// A file of codes over random vectors.
class HnswTest : public testing::Test {
 protected:
  void make_codes(std::size_t rows) {
    for (std::size_t i = 0; i < rows; ++i) vectors_.push_back(random_vector(random_, dimension));
    write_codes();
  }
  void write_codes() {
    const auto written = codes_file_.rebuild(
        dimension,
        [&](const std::function<void(const VectorRow&)>& take) {
          for (std::size_t i = 0; i < vectors_.size(); ++i)
            take({.vec_id = static_cast<std::int64_t>(i) + 1,
                  .label = static_cast<std::int64_t>(i % 4),
                  .stamp = 7,
                  .embedding = bytes_of(vectors_[i])});
          return ok();
        },
        std::ssize(vectors_));
    ASSERT_THAT(written, HasValue(true));
    codes_ = codes_file_.view(dimension);
    ASSERT_TRUE(codes_ && codes_file_.verify(*codes_));
  }

  HnswBuilder built(std::size_t threads) const {
    HnswBuilder builder(*codes_, HnswShape{}, threads);
    while (builder.rows() < codes_->count()) builder.add_block();
    return builder;
  }

  /// As the kernels take it, finely enough for an order.
  static std::vector<std::int16_t> coded(const std::vector<float>& query) {
    std::vector<std::int16_t> numbers(padded_dimension(dimension), 0);
    for (std::size_t i = 0; i < query.size(); ++i)
      numbers[i] = static_cast<std::int16_t>(std::lround(query[i] * 1000));
    return numbers;
  }

  std::vector<std::uint32_t> truth(const std::vector<float>& query, std::size_t k,
                                   const HnswWalk::Sieve& sieve = {}) const {
    std::vector<HnswFound> all;
    for (std::uint32_t row = 0; row < codes_->count(); ++row) {
      std::int32_t sum = 0;
      dot_kernel()(codes_->codes(row), 1, codes_->layout().width, coded(query).data(), &sum);
      if (!sieve || sieve(row)) all.push_back({codes_->factor(row) * static_cast<float>(sum), row});
    }
    std::sort(all.begin(), all.end(), nearer);
    std::vector<std::uint32_t> rows;
    for (std::size_t i = 0; i < std::min(k, all.size()); ++i) rows.push_back(all[i].node);
    return rows;
  }

  /// How much of the ten nearest a walk finds; checks what it lets through.
  double recall(const HnswGraph& graph, std::size_t ef, const HnswWalk::Sieve& sieve = {}) {
    HnswWalk walk(*codes_, nullptr);
    double found = 0;
    constexpr int queries = 60;
    for (int i = 0; i < queries; ++i) {
      const auto query = random_vector(random_, dimension);
      EXPECT_EQ(walk.nearest(graph, coded(query).data(), ef, sieve, no_bound),
                HnswWalk::End::arrived);
      EXPECT_EQ(walk.found().size(), ef);
      std::set<std::uint32_t> rows;
      for (const HnswFound& one : walk.found()) {
        rows.insert(one.node);
        EXPECT_TRUE(!sieve || sieve(one.node));
      }
      EXPECT_EQ(rows.size(), ef) << "each once";
      EXPECT_TRUE(std::is_sorted(walk.found().begin(), walk.found().end(), nearer));
      for (const std::uint32_t row : truth(query, 10, sieve)) found += rows.contains(row) ? 0.1 : 0;
    }
    return found / queries;
  }

  std::mt19937_64 random_{test_seed()};
  TemporaryFolder folder_;
  CodesFile codes_file_{folder_ / "codes"};
  std::vector<std::vector<float>> vectors_;
  std::optional<CodesView> codes_;
};

std::vector<std::uint32_t> words_of(const HnswGraph& graph) {
  std::vector<std::uint32_t> words;
  for (const HnswLevel& level : graph.levels) {
    words.push_back(level.nodes);
    words.insert(words.end(), level.words, level.words + level.nodes * level.layout.stride);
  }
  return words;
}

TEST_F(HnswTest, AWalkFindsNearlyAllOfTheNearest) {
  make_codes(5000);
  auto builder = built(2);
  EXPECT_GT(builder.graph().levels.size(), 2U);
  // Random directions, and as many numbers as there are directions of none: the hard case.
  EXPECT_GE(recall(builder.graph(), 64), 0.95);
  EXPECT_GE(recall(builder.graph(), 300), 0.995);
}

TEST_F(HnswTest, AWalkFindsOnlyWhatIsLetThroughAndAllThatItIsAskedFor) {
  make_codes(5000);
  auto builder = built(2);
  const HnswGraph graph = builder.graph();
  EXPECT_GE(recall(graph, 64, [](std::uint32_t row) { return row % 5 == 0; }), 0.95);
}

TEST_F(HnswTest, TheGraphDependsNeitherOnThreadsNorOnWhereABuildWasBrokenOff) {
  make_codes(3000);
  auto alone = built(1);
  const auto expected = words_of(alone.graph());
  auto together = built(3);
  EXPECT_EQ(words_of(together.graph()), expected);
  HnswBuilder first(*codes_, HnswShape{}, 2);
  for (int i = 0; i < 5; ++i) first.add_block();
  ASSERT_EQ(first.rows(), 5 * CodesLayout::rows_per_block);
  HnswBuilder second(*codes_, first.graph(), 1);
  while (second.rows() < codes_->count()) second.add_block();
  EXPECT_EQ(words_of(second.graph()), expected);
}

TEST_F(HnswTest, EqualVectorsDoNotCutEachOtherOff) {
  make_codes(3000);
  for (std::size_t i = 0; i < vectors_.size(); i += 4) vectors_[i] = vectors_[0];
  write_codes();
  auto builder = built(2);
  const HnswGraph graph = builder.graph();
  EXPECT_GE(recall(graph, 64), 0.95);
  HnswWalk walk(*codes_, nullptr);
  ASSERT_EQ(walk.nearest(graph, coded(vectors_[0]).data(), 64, {}, no_bound),
            HnswWalk::End::arrived);
  for (const HnswFound& found : walk.found()) EXPECT_EQ(found.node % 4, 0U);
}

TEST_F(HnswTest, AWalkGivesUpWhenItLooksAtTooMuch) {
  make_codes(3000);
  auto builder = built(2);
  HnswWalk walk(*codes_, nullptr);
  const auto query = coded(vectors_[5]);
  EXPECT_EQ(walk.nearest(builder.graph(), query.data(), 500, {}, 400), HnswWalk::End::too_far);
  EXPECT_EQ(walk.nearest(builder.graph(), query.data(), 10, {}, no_bound), HnswWalk::End::arrived);
  EXPECT_EQ(walk.found().front().node, 5U);
}

TEST_F(HnswTest, AFileGivesBackTheGraphToItsOwnCodesAlone) {
  make_codes(2000);
  auto builder = built(2);
  HnswFile file(folder_ / "index");
  EXPECT_FALSE(file.view(*codes_)) << "none yet";
  ASSERT_TRUE(file.write(builder.graph(), *codes_));
  const auto view = file.view(*codes_);
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->verify());
  EXPECT_EQ(view->graph().shape, HnswShape{});
  EXPECT_EQ(words_of(view->graph()), words_of(builder.graph()));
  EXPECT_EQ(view->bytes(), std::filesystem::file_size(folder_ / "index"));

  write_codes();  // the same rows in another file: they might be others
  EXPECT_FALSE(file.view(*codes_));
  EXPECT_TRUE(view->verify()) << "who has it mapped goes on";
}

TEST_F(HnswTest, DamageIsNoticedBeforeItIsFollowed) {
  make_codes(2000);
  auto builder = built(2);
  const auto path = folder_ / "index";
  ASSERT_TRUE(HnswFile(path).write(builder.graph(), *codes_));
  const std::string whole = read_file(path);
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{4095},
                                  std::size_t{4096}, whole.size() / 2, whole.size() - 1}) {
    write_file(path, whole.substr(0, bytes));
    EXPECT_FALSE(HnswFile(path).view(*codes_)) << bytes << " bytes";
  }
  constexpr std::size_t header = 160;  // the bytes of it that mean something
  for (int round = 0; round < 300; ++round) {
    std::string bytes = whole;
    const bool in_header = round % 3 == 0;
    const std::size_t at =
        in_header ? random_() % header : 4096 + random_() % (whole.size() - 4096);
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << (random_() % 8)));
    write_file(path, bytes);
    const auto view = HnswFile(path).view(*codes_);
    if (in_header && at < 88) {
      EXPECT_FALSE(view) << "byte " << at;
    }
    if (!view) continue;
    if (at >= 4096) {
      EXPECT_FALSE(view->verify()) << "byte " << at;
    }
    HnswWalk walk(*codes_, &view->checks());
    const auto end = walk.nearest(view->graph(), coded(random_vector(random_, dimension)).data(),
                                  1000, {}, no_bound);
    if (end == HnswWalk::End::arrived) {
      for (const HnswFound& found : walk.found()) EXPECT_LT(found.node, codes_->count());
    }
  }
}

TEST_F(HnswTest, DamagedCodesEndAWalk) {
  make_codes(2000);
  auto builder = built(2);
  HnswFile file(folder_ / "index");
  ASSERT_TRUE(file.write(builder.graph(), *codes_));
  std::string bytes = read_file(codes_file_.path());
  // Each block's codes.
  for (std::size_t block = 0; block + 1 < codes_->blocks(); ++block)
    bytes[CodesLayout::header_bytes + block * codes_->layout().block_bytes +
          codes_->layout().codes_at + 5] ^= 1;
  const auto other = folder_ / "damaged";
  write_file(other, bytes);
  CodesFile damaged(other);
  const auto codes = damaged.view(dimension);
  ASSERT_TRUE(codes);
  EXPECT_FALSE(damaged.verify(*codes));
  const auto view = file.view(*codes);
  ASSERT_TRUE(view);
  HnswWalk walk(*codes, &view->checks());
  EXPECT_EQ(walk.nearest(view->graph(), coded(vectors_[0]).data(), 1999, {}, no_bound),
            HnswWalk::End::damaged);
}

}  // namespace
}  // namespace bb5::embedded
