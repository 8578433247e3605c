#include "benchmarks/support/haystack.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "benchmarks/support/measure.hpp"
#include "model/cosine.hpp"
#include "model/memory.hpp"
#include "ranking/authors.hpp"
#include "ranking/english_words.hpp"
#include "ranking/sentences.hpp"
#include "ranking/terms.hpp"
#include "ranking/word_scores.hpp"

namespace bb5::bench {
namespace {

std::vector<Hit> best(std::vector<Hit> hits) {
  std::sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) {
    return a.score != b.score ? a.score > b.score : a.seq < b.seq;
  });
  if (hits.size() > ranking::hits_per_arm) hits.resize(ranking::hits_per_arm);
  return hits;
}

std::vector<MemoryId> ids_of(const std::vector<Hit>& hits) {
  std::vector<MemoryId> ids;
  for (const Hit& hit : hits) ids.push_back(hit.id);
  return ids;
}

}  // namespace

class Haystack::Neighbours final : public ranking::ThreadNeighbours {
 public:
  Neighbours(const Haystack& in, bool known) : in_(in), known_(known) {}
  Result<std::vector<ranking::Neighbour>> near(
      std::span<const ranking::Reach> memories) const override {
    std::vector<ranking::Neighbour> found;
    if (!known_) return found;
    for (const ranking::Reach& memory : memories) {
      const auto place = static_cast<std::int64_t>(in_.places_.at(memory.id.uuid));
      for (std::int64_t other = place - memory.positions; other <= place + memory.positions;
           ++other) {
        if (other == place || other < 0 || other >= static_cast<std::int64_t>(in_.size())) continue;
        const auto i = static_cast<std::size_t>(other);
        if (in_.turns_[i]->thread == in_.turns_[static_cast<std::size_t>(place)]->thread)
          found.push_back({memory.id, in_.ids_[i], std::abs(other - place)});
      }
    }
    return found;
  }

 private:
  const Haystack& in_;
  bool known_;
};

/// The bank's table, and the vectors of questions' words that the bank lacks; remembers answers.
class Haystack::Words final : public ranking::WordNeighbours {
 public:
  Words(std::span<const ranking::SurfaceWord> words,
        std::unordered_map<std::string, std::vector<float>> unseen)
      : table_(words), unseen_(std::move(unseen)) {}
  std::vector<ranking::WordNeighbour> nearest(const std::string& term) const override {
    const auto [place, fresh] = known_.try_emplace(term);
    if (fresh) {
      const auto vector = unseen_.find(term);
      place->second =
          vector != unseen_.end() ? table_.nearest_to(vector->second, term) : table_.nearest(term);
    }
    return place->second;
  }

 private:
  ranking::WordTable table_;
  std::unordered_map<std::string, std::vector<float>> unseen_;
  mutable std::unordered_map<std::string, std::vector<ranking::WordNeighbour>> known_;
};

Haystack::Haystack(std::span<const Conversation> conversations, VectorCache& vectors)
    : vectors_(&vectors) {
  for (const Conversation& conversation : conversations) {
    const std::size_t first = turns_.size();
    for (const Turn& turn : conversation.turns) {
      ids_.push_back(memory_id_of(fmt::format("\"{} {}\"", turn.thread, turn.position)));
      places_.emplace(ids_.back().uuid, turns_.size());
      turns_.push_back(&turn);
    }
    for (AskedQuestion question : conversation.questions) {
      for (std::size_t& turn : question.evidence) turn += first;
      questions_.push_back(std::move(question));
      conversations_.push_back(conversation.name);
    }
  }
  count();
  embed();
  for (const AskedQuestion& question : questions_) search(question);
}

const std::string& Haystack::conversation_of(const AskedQuestion& question) const {
  return conversations_[place_of(question)];
}

void Haystack::count() {
  for (std::size_t i = 0; i < turns_.size(); ++i) {
    const Turn& turn = *turns_[i];
    const auto terms = ranking::terms_of(turn.content);
    for (const auto& term : std::set(terms.begin(), terms.end())) ++statistics_.holding[term];
    plain_.push_back({.seq = static_cast<std::int64_t>(i), .content = turn.content});
  }
  statistics_.memories = static_cast<std::int64_t>(turns_.size());
}

void Haystack::embed() {
  std::vector<std::string> texts;
  std::map<std::string, std::int64_t> words;
  std::set<std::string> asked;
  for (const Turn* turn : turns_) {
    texts.push_back(turn->content);
    sentences_.push_back(ranking::sentence_texts(turn->content));
    texts.insert(texts.end(), sentences_.back().begin(), sentences_.back().end());
    for (const auto& word : ranking::words_of(turn->content)) ++words[word];
  }
  for (const AskedQuestion& question : questions_) {
    texts.push_back(question.text);
    for (const auto& word : ranking::words_of(question.text)) asked.insert(word);
  }
  for (const auto& [word, times] : words) texts.push_back(word);
  texts.insert(texts.end(), asked.begin(), asked.end());
  vectors_->prepare(texts);

  std::vector<ranking::SurfaceWord> surface;
  for (const auto& [word, times] : words) surface.push_back({word, times, vectors_->of(word)});
  std::unordered_map<std::string, std::vector<float>> unseen;
  for (const auto& word : asked) {
    const std::string term = ranking::term_of(word);
    if (!statistics_.holding.contains(term)) unseen.emplace(term, vectors_->of(word));
  }
  words_ = std::make_shared<const Words>(surface, std::move(unseen));
}

void Haystack::search(const AskedQuestion& question) {
  const auto scores = ranking::score_words(question.text, plain_, ranking::Threads(plain_),
                                           statistics_, ranking::NoWordNeighbours());
  std::vector<Hit> by_words;
  std::vector<Hit> by_meaning;
  for (std::size_t i = 0; i < turns_.size(); ++i) {
    const auto seq = static_cast<std::int64_t>(i);
    if (scores.own[i] > 0) by_words.push_back({ids_[i], seq, scores.own[i]});
    by_meaning.push_back(
        {ids_[i], seq, cosine(vectors_->of(question.text), vectors_->of(turns_[i]->content))});
  }
  by_words_.push_back(best(std::move(by_words)));
  by_meaning_.push_back(best(std::move(by_meaning)));
}

ranking::Passage Haystack::passage(std::size_t turn, const AskedQuestion& question,
                                   const Knowledge& knowledge) const {
  const Turn& from = *turns_[turn];
  const auto& asked = vectors_->of(question.text);
  ranking::Passage made{.seq = static_cast<std::int64_t>(turn),
                        .content = from.content,
                        .cosine = cosine(asked, vectors_->of(from.content))};
  if (knowledge.threads) {
    made.author = from.author;
    made.thread = from.thread;
    made.position = from.position;
    made.created_at = from.created_at;
    return made;
  }
  for (const auto& sentence : sentences_[turn]) {
    const double near = cosine(asked, vectors_->of(sentence));
    made.sentence_cosine = std::max(made.sentence_cosine.value_or(near), near);
  }
  return made;
}

ranking::Selection Haystack::select(const AskedQuestion& question,
                                    const Knowledge& knowledge) const {
  return must(ranking::select_candidates(ids_of(hits_by_words(question)),
                                         ids_of(hits_by_meaning(question)),
                                         Neighbours(*this, knowledge.threads)));
}

RankedTurns Haystack::rank(const AskedQuestion& question, const Knowledge& knowledge) const {
  const auto selection = select(question, knowledge);
  RankedTurns ranked;
  std::vector<ranking::Passage> passages;
  for (const auto* group : {&selection.candidates, &selection.context}) {
    for (const MemoryId& id : *group) {
      ranked.turns.push_back(places_.at(id.uuid));
      passages.push_back(passage(ranked.turns.back(), question, knowledge));
      passages.back().candidate = group == &selection.candidates;
    }
  }
  const ranking::NoWordNeighbours none;
  const ranking::WordNeighbours& words = *words_;
  const Stopwatch watch;
  ranked.ranking =
      ranking::rank(question.text, passages, statistics_, knowledge.words ? words : none);
  ranked.seconds = watch.cpu_seconds();
  return ranked;
}

}  // namespace bb5::bench
