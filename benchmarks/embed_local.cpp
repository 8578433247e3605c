// How many texts a second does the local embedder take, beside OpenVINO on the same weights, the
// same cores, in the same run? How long does it take to load? (design §7, figure 11) OpenVINO is
// measured where benchmarks/rivals/setup-openvino has brought it.
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <random>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#ifdef BB5_OPENVINO
#include "benchmarks/rivals/openvino_mini_lm.hpp"
#endif
#include "benchmarks/support/measure.hpp"
#include "embedders/local/local_embedder.hpp"
#include "embedders/local/mapped_file.hpp"
#include "embedders/local/model_files.hpp"
#include "embedders/local/word_piece.hpp"

namespace {

using namespace bb5;
using Ids = std::vector<std::int32_t>;
using Vectors = std::vector<std::vector<float>>;

/// Texts of words that the vocabulary has as one piece each, so that their tokens can be counted.
struct Texts {
  std::vector<std::string> texts;
  std::vector<Ids> ids;
  std::size_t tokens = 0;
};

Texts make_texts(const local::WordPiece& tokenizer, std::size_t count, std::size_t about) {
  static constexpr const char* words[] = {
      "the",    "store",  "keeps",  "every",   "memory", "with",  "its",    "source", "and",
      "date",   "we",     "choose", "between", "two",    "plans", "after",  "the",    "meeting",
      "train",  "ticket", "price",  "was",     "wrong",  "again", "server", "night",  "because",
      "backup", "failed", "while",  "index",   "grew",   "large", "people", "asked",  "why"};
  std::mt19937 random(11);  // any seed will do, but always the same
  Texts made;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t spread = std::max<std::size_t>(about / 12, 1);
    const std::size_t length = about - 2 - spread + random() % (2 * spread + 1);
    std::string text;
    for (std::size_t word = 0; word < length; ++word)
      text.append(words[random() % std::size(words)]).append(" ");
    made.ids.push_back(tokenizer.encode(text, 256));
    made.tokens += made.ids.back().size();
    made.texts.push_back(std::move(text));
  }
  return made;
}

struct Contender {
  std::string name;
  std::function<Vectors(const Texts&)> embed;
};

double lowest_cosine(const Vectors& a, const Vectors& b) {
  double lowest = 1;
  for (std::size_t i = 0; i < a.size(); ++i)
    lowest = std::min(lowest, std::inner_product(a[i].begin(), a[i].end(), b[i].begin(), 0.0));
  return lowest;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"The local embedder, beside OpenVINO on the same weights."};
  int rounds = 15;
  std::size_t threads = std::max(1U, std::thread::hardware_concurrency());
  app.add_option("--rounds", rounds)->capture_default_str();
  app.add_option("--threads", threads, "of each contender")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  const auto folder = local::find_model();
  if (!folder) {
    fmt::print(stderr, "{}: {}\n", folder.error().message, folder.error().remedy);
    return 77;  // ctest: skipped
  }
  bench::Report report("Embedding texts with all-MiniLM-L6-v2", argc, argv);
  const auto open = [&] { return bench::must(new_local_embedder({*folder, threads})); };
  std::vector<double> loads;
  std::vector<double> first_vectors;
  std::unique_ptr<Embedder> embedder;
  for (int i = 0; i < 7; ++i) {
    embedder.reset();
    const bench::Stopwatch watch;
    embedder = open();
    loads.push_back(watch.wall_seconds());
    const std::string_view question = "which plan did we choose?";
    bench::must(embedder->embed({&question, 1}));
    first_vectors.push_back(watch.wall_seconds());
  }

  std::vector<Contender> contenders;
  contenders.push_back({"**ours**", [&](const Texts& of) {
                          const std::vector<std::string_view> views(of.texts.begin(),
                                                                    of.texts.end());
                          return bench::must(embedder->embed(views));
                        }});
#ifdef BB5_OPENVINO
  std::vector<std::unique_ptr<bench::OpenVinoMiniLm>> rivals;
  double rival_load = 0;
  const auto add_rival = [&](std::string name, const bench::OpenVinoMiniLm::Options& options) {
    const bench::Stopwatch watch;
    rivals.push_back(std::make_unique<bench::OpenVinoMiniLm>(options));
    if (rival_load == 0) rival_load = watch.wall_seconds();
    contenders.push_back({std::move(name), [rival = rivals.back().get()](const Texts& of) {
                            return rival->embed(of.ids);
                          }});
  };
  const auto cores = static_cast<int>(threads);
  add_rival("OpenVINO", {*folder, cores, 1, true});
  if (cores > 1)
    add_rival(fmt::format("OpenVINO, {} streams", cores), {*folder, cores, cores, true});
  add_rival("OpenVINO, its own choice of precision", {*folder, cores, 1, false});
#endif

  const auto words = bench::must(local::MappedFile::open(*folder / local::vocabulary_file));
  const auto tokenizer = bench::must(local::WordPiece::over(
      bench::must(local::Vocabulary::parse(words.bytes(), "vocab.txt")), "vocab.txt"));
  struct Load {
    std::size_t texts;
    std::size_t tokens;
  };
  report.columns({"texts at once", "tokens each", "", "ms", "texts/s", "tokens/s", "CPU ms",
                  "ours ÷ this", "lowest cosine with ours"});
  for (const Load load : {Load{32, 50}, Load{1, 50}, Load{1, 12}, Load{32, 20}, Load{8, 240}}) {
    const Texts texts = make_texts(tokenizer, load.texts, load.tokens);
    std::vector<Vectors> vectors(contenders.size());
    std::vector<std::function<void()>> runs;
    // A single text is over in milliseconds: several in a row, for a steady clock.
    const int repeats = load.texts == 1 ? 20 : 1;
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      runs.emplace_back([&, i] {
        for (int repeat = 0; repeat < repeats; ++repeat) vectors[i] = contenders[i].embed(texts);
      });
    }
    const auto timings = bench::best_of(rounds, runs);
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      const double wall = timings[i].wall / repeats;
      report.row({fmt::to_string(load.texts),
                  fmt::format("{:.0f}",
                              static_cast<double>(texts.tokens) / static_cast<double>(load.texts)),
                  contenders[i].name, fmt::format("{:.2f}", wall * 1e3),
                  fmt::format("{:.0f}", static_cast<double>(load.texts) / wall),
                  fmt::format("{:.0f}", static_cast<double>(texts.tokens) / wall),
                  fmt::format("{:.2f}", timings[i].cpu / repeats * 1e3),
                  i == 0 ? "" : fmt::format("{:.2f} ×", wall / (timings[0].wall / repeats)),
                  i == 0 ? "" : fmt::format("{:.7f}", lowest_cosine(vectors[0], vectors[i]))});
    }
  }
  report.remark(fmt::format(
      "{} threads for each contender, float32 unless said, in turn, the best of {} rounds. Ours "
      "includes reading the text "
      "into "
      "tokens, the rival is given them. Ours is loaded in {} (best of 7), and has the first vector "
      "after {}.",
      threads, rounds, bench::shown_seconds(*std::min_element(loads.begin(), loads.end())),
      bench::shown_seconds(*std::min_element(first_vectors.begin(), first_vectors.end()))));
#ifdef BB5_OPENVINO
  report.remark(fmt::format("OpenVINO is loaded in {}.", bench::shown_seconds(rival_load)));
#else
  report.remark("OpenVINO is not here: benchmarks/rivals/setup-openvino brings it.");
#endif
  report.print();
}
