#include "operations/recall/question_vector.hpp"

#include <fmt/format.h>

#include "base/digest.hpp"

namespace bb5 {
namespace {

/// Where the vectors of questions are looked up and kept.
class Cached {
 public:
  Cached(const Bank& bank, const EmbedderInfo& embedder, const RecallQuery& query,
         const RecallModels& models)
      : bank_(bank), embedder_(embedder), models_(models), text_md5_(to_hex(md5(query.text))) {}

  Result<std::vector<float>> find() const {
    auto cached = bank_.cached_embedding(embedder_.model, text_md5_);
    if (!cached) return std::move(cached).error();
    // The old system kept some that say nothing.
    if (!*cached || (*cached)->size() != embedder_.dimension || !has_direction(**cached))
      return std::vector<float>();
    // A cache that cannot be written to is no reason not to answer.
    if (models_.cache != nullptr)
      static_cast<void>(models_.cache->note_use(embedder_.model, text_md5_, now()));
    return std::move(**cached);
  }
  void keep(const std::vector<float>& numbers) const {
    if (models_.cache == nullptr) return;
    const EmbeddingCache::Entry entry{text_md5_, embedder_.model, numbers};
    static_cast<void>(
        models_.cache->keep_computed(std::span(&entry, 1), now(), question_cache_bytes));
  }

 private:
  const Bank& bank_;
  const EmbedderInfo& embedder_;
  const RecallModels& models_;
  const std::string text_md5_;
};

}  // namespace

Result<QuestionVector> question_vector(const Bank& bank, const EmbedderInfo& bank_embedder,
                                       const RecallQuery& query, const RecallModels& models) {
  if (!query.embedding.empty()) return QuestionVector{query.embedding, {}};
  if (bank_embedder.dimension == 0)
    return QuestionVector{{}, "no memory of this bank has a vector"};
  const Cached cached(bank, bank_embedder, query, models);
  auto found = cached.find();
  if (!found) return std::move(found).error();
  if (!found->empty()) return QuestionVector{std::move(*found), {}};
  if (models.embedder == nullptr || models.embedder->info() != bank_embedder) {
    return QuestionVector{
        {},
        !models.why_none.empty()
            ? models.why_none
            : fmt::format("no embedder for {}, and the question's vector is not cached",
                          bank_embedder.model)};
  }
  const std::string_view text = query.text;
  auto embedded = models.embedder->embed({&text, 1});
  if (!embedded) return QuestionVector{{}, embedded.error().message};
  cached.keep(embedded->front());
  return QuestionVector{std::move(embedded->front()), {}};
}

}  // namespace bb5
