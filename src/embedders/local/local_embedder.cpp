#include "embedders/local/local_embedder.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "embedders/local/crew.hpp"
#include "embedders/local/mapped_file.hpp"
#include "embedders/local/mini_lm.hpp"
#include "embedders/local/model_files.hpp"
#include "embedders/local/word_piece.hpp"

namespace bb5 {
namespace {

using local::dimension;

/// Tokens encoded together: enough that reading all weights once for them takes no time beside the
/// arithmetic, few enough that what lies between two layers stays in a core's cache.
constexpr std::size_t tokens_together = 256;

using Ids = std::vector<local::Vocabulary::Id>;

/// Texts to encode together, and where each one's vector belongs.
struct Batch {
  local::PackedTexts texts;
  std::vector<std::size_t> places;
};

/// Longest first: what is started last is short, so the workers end together.
std::vector<Batch> batches_of(const std::vector<Ids>& texts, std::size_t workers) {
  std::vector<std::size_t> order(texts.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return texts[a].size() > texts[b].size(); });
  const std::size_t tokens =
      std::accumulate(texts.begin(), texts.end(), std::size_t{0},
                      [](std::size_t sum, const Ids& text) { return sum + text.size(); });
  // As many batches for each worker as for the others.
  const std::size_t together = tokens_together * workers;
  const std::size_t rounds = (tokens + together - 1) / together;
  const std::size_t enough =
      tokens <= tokens_together ? tokens : (tokens + rounds * workers - 1) / (rounds * workers);
  std::vector<Batch> batches;
  for (const std::size_t place : order) {
    const std::size_t length = texts[place].size();
    if (batches.empty() || batches.back().texts.tokens() + length / 2 > enough)
      batches.emplace_back();
    batches.back().texts.add(texts[place]);
    batches.back().places.push_back(place);
  }
  return batches;
}

/// Workspaces between two calls.
class Workspaces {
 public:
  std::vector<std::unique_ptr<local::Workspace>> take(std::size_t count, std::size_t tokens) {
    std::vector<std::unique_ptr<local::Workspace>> taken;
    {
      const std::lock_guard lock(mutex_);
      while (taken.size() < count && !idle_.empty()) {
        taken.push_back(std::move(idle_.back()));
        idle_.pop_back();
      }
    }
    while (taken.size() < count) taken.push_back(std::make_unique<local::Workspace>());
    for (const auto& workspace : taken) workspace->reserve(tokens);
    return taken;
  }
  void give_back(std::vector<std::unique_ptr<local::Workspace>> taken, std::size_t most) {
    const std::lock_guard lock(mutex_);
    while (!taken.empty() && idle_.size() < most) {
      idle_.push_back(std::move(taken.back()));
      taken.pop_back();
    }
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<local::Workspace>> idle_;  // guarded by mutex_
};

class LocalEmbedder : public Embedder {
 public:
  LocalEmbedder(local::MappedFile weights, local::WordPiece tokenizer, local::MiniLm model,
                std::size_t threads)
      : weights_(std::move(weights)),
        tokenizer_(std::move(tokenizer)),
        model_(std::move(model)),
        crew_(threads) {}

  [[nodiscard]] EmbedderInfo info() const override {
    return {.model = "local/all-MiniLM-L6-v2", .dimension = dimension};
  }

  Result<std::vector<std::vector<float>>> embed(std::span<const std::string_view> texts) override {
    std::vector<Ids> ids;
    ids.reserve(texts.size());
    for (const std::string_view text : texts)
      ids.push_back(tokenizer_.encode(text, local::longest_text));
    std::vector<std::vector<float>> vectors(texts.size());
    encode(batches_of(ids, crew_.size()), vectors);
    for (const auto& vector : vectors) {
      if (!std::all_of(vector.begin(), vector.end(), [](float x) { return std::isfinite(x); })) {
        return Error{.code = Errc::corrupt,
                     .message =
                         "the weights of all-MiniLM-L6-v2 are damaged: a text's vector is no "
                         "vector of numbers",
                     .remedy = std::string(local::model_remedy)};
      }
    }
    return vectors;
  }

 private:
  void encode(const std::vector<Batch>& batches, std::vector<std::vector<float>>& vectors) {
    if (batches.empty()) return;
    std::size_t most_tokens = 0;
    for (const Batch& batch : batches) most_tokens = std::max(most_tokens, batch.texts.tokens());
    // A single batch is divided by heads, several are dealt out.
    const std::size_t workers =
        batches.size() > 1 ? std::min(crew_.size(), batches.size()) : parts_for_one();
    auto workspaces = workspaces_.take(workers, most_tokens);
    std::vector<local::Workspace*> parts;
    parts.reserve(workspaces.size());
    for (const auto& workspace : workspaces) parts.push_back(workspace.get());

    std::vector<std::vector<float>> results;
    results.reserve(batches.size());
    for (const Batch& batch : batches) results.emplace_back(batch.texts.size() * dimension);
    const bool shared = batches.size() > 1 ? deal_out(batches, parts, results)
                                           : divide(batches[0], parts, results[0]);
    if (!shared) {  // the helpers are with another call
      for (std::size_t i = 0; i < batches.size(); ++i)
        encode_alone(batches[i], *parts[0], results[i]);
    }
    workspaces_.give_back(std::move(workspaces), crew_.size());
    for (std::size_t i = 0; i < batches.size(); ++i) {
      auto from = results[i].begin();
      for (const std::size_t place : batches[i].places) {
        vectors[place].assign(from, from + dimension);
        from += dimension;
      }
    }
  }

  [[nodiscard]] std::size_t parts_for_one() const {
    std::size_t parts = 1;
    while (2 * parts <= std::min(crew_.size(), local::MiniLm::most_parts)) parts *= 2;
    return parts;
  }

  bool deal_out(const std::vector<Batch>& batches, const std::vector<local::Workspace*>& parts,
                std::vector<std::vector<float>>& results) {
    std::atomic<std::size_t> next = 0;
    return crew_.try_run(parts.size(), [&](std::size_t part) {
      for (std::size_t i = next++; i < batches.size(); i = next++)
        encode_alone(batches[i], *parts[part], results[i]);
    });
  }

  bool divide(const Batch& batch, const std::vector<local::Workspace*>& parts,
              std::vector<float>& result) {
    local::Meeting meeting(parts.size());
    return crew_.try_run(parts.size(), [&](std::size_t part) {
      model_.encode(batch.texts, parts, meeting, part, result.data());
    });
  }

  void encode_alone(const Batch& batch, local::Workspace& workspace,
                    std::vector<float>& result) const {
    local::Meeting meeting(1);
    local::Workspace* const only = &workspace;
    model_.encode(batch.texts, {&only, 1}, meeting, 0, result.data());
  }

  local::MappedFile weights_;
  local::WordPiece tokenizer_;
  local::MiniLm model_;  // refers to weights_
  local::Crew crew_;
  Workspaces workspaces_;
};

Error with_remedy(Error error) {
  if (error.remedy.empty()) error.remedy = local::model_remedy;
  return error;
}

}  // namespace

Result<std::unique_ptr<Embedder>> new_local_embedder(const LocalEmbedderOptions& options) {
  std::filesystem::path folder = options.folder;
  if (folder.empty()) {
    auto found = local::find_model();
    if (!found) return found.error();
    folder = *found;
  }
  const auto words_path = folder / local::vocabulary_file;
  const auto words = local::MappedFile::open(words_path);
  if (!words) return with_remedy(words.error());
  BB5_TRY(local::verify_digest(words->bytes(), words_path, local::vocabulary_sha256));
  auto vocabulary = local::Vocabulary::parse(words->bytes(), words_path.string());
  if (!vocabulary) return with_remedy(vocabulary.error());
  auto tokenizer = local::WordPiece::over(std::move(*vocabulary), words_path.string());
  if (!tokenizer) return with_remedy(tokenizer.error());

  const auto weights_path = folder / local::weights_file;
  auto weights = local::MappedFile::open(weights_path);
  if (!weights) return with_remedy(weights.error());
  const auto tensors = local::SafeTensors::parse(weights->bytes(), weights_path.string());
  if (!tensors) return with_remedy(tensors.error());
  auto model = local::MiniLm::over(*tensors, local::available_kernels().front());
  if (!model) return with_remedy(model.error());
  if (model->vocabulary_size() != tokenizer->vocabulary().size()) {
    return Error{.code = Errc::corrupt,
                 .message = fmt::format("{} has {} words, {} has {}", weights_path.string(),
                                        model->vocabulary_size(), words_path.string(),
                                        tokenizer->vocabulary().size()),
                 .remedy = std::string(local::model_remedy)};
  }
  const std::size_t threads = options.threads > 0
                                  ? options.threads
                                  : std::max<std::size_t>(1, std::thread::hardware_concurrency());
  return std::unique_ptr<Embedder>(std::make_unique<LocalEmbedder>(
      std::move(*weights), std::move(*tokenizer), std::move(*model), threads));
}

}  // namespace bb5
