#include "operations/recall/rank_hits.hpp"

#include <unordered_set>

#include "ranking/english_neighbours.hpp"
#include "ranking/rank.hpp"
#include "ranking/word_scores.hpp"

namespace bb5 {
namespace {

std::vector<MemoryId> ids_of(std::span<const Hit> hits) {
  std::vector<MemoryId> ids;
  ids.reserve(hits.size());
  for (const Hit& hit : hits) ids.push_back(hit.id);
  return ids;
}

ranking::Passage passage_of(const RankedRow& row, bool candidate) {
  return {.seq = row.seq,
          .content = row.content,
          .author = row.author,
          .thread = row.thread,
          .position = row.position,
          .created_at = row.created_at,
          .cosine = row.cosine,
          .candidate = candidate};
}

std::vector<SignalScore> signals_of(const ranking::RankedPassage& passage,
                                    const ranking::Weights& weights) {
  std::vector<SignalScore> scores;
  for (std::size_t s = 0; s < ranking::signals; ++s) {
    if (weights[s] == 0 || (!passage.raw[s] && passage.calibrated[s] == 0)) continue;
    scores.push_back({.signal = ranking::signal_names[s],
                      .raw = passage.raw[s],
                      .share = weights[s] * passage.calibrated[s]});
  }
  return scores;
}

}  // namespace

Result<RankedHits> rank_hits(const RankingSource& bank, const Found& found,
                             const MemoryFilter& filter) {
  const auto& neighbours = ranking::english_neighbours();
  auto selection = ranking::select_candidates(ids_of(found.words), ids_of(found.meaning), bank);
  if (!selection) return std::move(selection).error();
  std::vector<MemoryId> all = selection->candidates;
  all.insert(all.end(), selection->context.begin(), selection->context.end());

  const ranking::AskedWords& asked = found.asked;
  auto material =
      bank.ranking_material(all, found.vector, filter, ranking::wanted_terms(asked, neighbours));
  if (!material) return std::move(material).error();

  const std::unordered_set<MemoryId> candidates(selection->candidates.begin(),
                                                selection->candidates.end());
  std::vector<ranking::Passage> passages;
  RankedHits ranked;
  for (const RankedRow& row : material->rows) {
    const bool candidate = row.passes && candidates.contains(row.id) &&
                           ranking::meets_conditions(asked, row.content + '\n' + row.author);
    passages.push_back(passage_of(row, candidate));
    ++(candidate ? ranked.candidates : ranked.context);
  }
  const auto ranking = ranking::rank(found.question, passages, material->corpus, neighbours);
  for (const ranking::RankedPassage& one : ranking.order) {
    const RankedRow& row = material->rows[one.passage];
    ranked.order.push_back({.hit = {.id = row.id, .seq = row.seq, .score = one.score},
                            .strategy_scores = {},
                            .signals = signals_of(one, ranking.weights)});
  }
  return ranked;
}

}  // namespace bb5
