#include "extractors/rules/rules_extractor.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

#include "base/utf8.hpp"
#include "extractors/rules/entities.hpp"
#include "extractors/rules/relationships.hpp"
#include "extractors/rules/statements.hpp"
#include "extractors/rules/turns.hpp"
#include "extractors/rules/wording.hpp"
#include "extractors/rules/words.hpp"

namespace bb5 {
namespace {

using namespace rules;

constexpr std::size_t kept_as_it_stands = 2000;  ///< Characters of a text that no rule fits.
constexpr std::size_t most_tied = 6;    ///< Entities in a memory above which none counts as tied.
constexpr std::size_t ties_needed = 4;  ///< Memories that name both.

bool is_transcript(const Document& document) {
  return document.turns.size() > 1 || document.source_type == "transcript";
}

/// The text with nothing in it that a store cannot hold.
std::string readable(const std::string& text) {
  return is_storable_utf8(text) ? text : to_storable_utf8(text);
}

/// What the rules make of one document.
class Reading {
 public:
  explicit Reading(const Document& document) : document_(document) {}

  Extraction run() {
    take_statements();
    read_entities();
    for (std::size_t i = 0; i < statements_.size(); ++i) add_memory(i);
    add_ties();
    finish_graph();
    keep_text_if_nothing_was_found();
    return std::move(made_);
  }

 private:
  void take_statements() {
    turns_ = document_.turns;
    for (Turn& turn : turns_) turn.text = readable(turn.text);
    if (is_transcript(document_)) {
      statements_ = statements_of_turns(turns_);
      return;
    }
    for (const Turn& turn : turns_) {
      Statements taken = statements_of(turn.text);
      for (Statement& statement : taken.statements) statement.author = turn.author;
      statements_ = std::move(taken.statements);
      for (const std::string& term : taken.terms) finder_.read_term(term);
      for (const std::string& title : taken.titles) finder_.read_title(title);
    }
  }

  void read_entities() {
    words_.reserve(statements_.size());
    for (const Statement& statement : statements_) {
      words_.emplace_back(statement.content);
      finder_.read(words_.back());
      if (statement.author) finder_.read_author(*statement.author);
    }
    finder_.settle();
    mentions_.reserve(statements_.size());
    for (std::size_t i = 0; i < words_.size(); ++i)
      mentions_.push_back(finder_.mentions_in(words_[i], statements_[i].body));
    // who speaks is an entity too, though the words do not name them
    for (const Statement& statement : statements_) {
      if (!statement.author) continue;
      if (const auto author = finder_.author(*statement.author))
        authors_.emplace(*statement.author, *author);
    }
    for (auto& mentions : mentions_)
      std::erase_if(mentions,
                    [&](const Mention& mention) { return !finder_.is_believed(mention.entity); });
  }

  void add_memory(std::size_t i) {
    Statement& statement = statements_[i];
    const Judgement judgement = judge(words_[i], statement.body, statement.topic, statement.task);
    ExtractedMemory memory;
    memory.content = statement.content;
    memory.network = judgement.network;
    memory.confidence = statement.confidence.value_or(judgement.confidence);
    memory.category = judgement.category;
    memory.section = statement.section;
    memory.author = statement.author;
    memory.happened_at = statement.happened_at;
    memory.position = statement.position;
    const std::vector<std::size_t> named = entities_in(mentions_[i]);
    for (const std::size_t entity : named)
      memory.entities.push_back(finder_.entities()[entity].name);
    made_.memories.push_back(std::move(memory));
    add_relationships(i);
    std::vector<Mention> in_body = mentions_[i];
    std::erase_if(in_body, [&](const Mention& mention) {
      return words_[i][mention.first].begin < statement.body;
    });
    count_ties(entities_in(in_body));
  }

  /// Each once, in order of first mention.
  static std::vector<std::size_t> entities_in(const std::vector<Mention>& mentions) {
    std::vector<std::size_t> entities;
    for (const Mention& mention : mentions)
      if (std::find(entities.begin(), entities.end(), mention.entity) == entities.end())
        entities.push_back(mention.entity);
    return entities;
  }

  void add_relationships(std::size_t i) {
    std::vector<Mention> mentions = mentions_[i];
    const Words& words = words_[i];
    const auto author =
        statements_[i].author ? authors_.find(*statements_[i].author) : authors_.end();
    if (author != authors_.end()) {  // `I` is who speaks
      for (std::size_t token = 0; token < words.size(); ++token)
        if (words.is(token, "i")) mentions.push_back({author->second, token, token + 1});
      std::sort(mentions.begin(), mentions.end(),
                [](const Mention& left, const Mention& right) { return left.first < right.first; });
    }
    for (const StatedRelationship& stated : relationships_in(words, mentions)) {
      const auto key = std::tuple(stated.subject, std::string(stated.predicate), stated.object);
      const auto [place, added] = relationship_places_.try_emplace(key, relationships_.size());
      if (added) relationships_.push_back(stated);
      double& confidence = relationships_[place->second].confidence;
      confidence = std::max(confidence, stated.confidence);
    }
  }

  void count_ties(const std::vector<std::size_t>& entities) {
    if (appearances_.size() < finder_.entities().size())
      appearances_.resize(finder_.entities().size());
    for (const std::size_t entity : entities) ++appearances_[entity];
    if (entities.size() > most_tied) return;
    for (const std::size_t left : entities)
      for (const std::size_t right : entities)
        if (left < right) ++ties_[static_cast<std::uint64_t>(left) << 32 | right];
  }

  /// Two that are named together in four memories or more, and in two thirds of those that name the
  /// rarer.
  void add_ties() {
    std::vector<std::pair<std::uint64_t, std::size_t>> strong;
    for (const auto& [pair, count] : ties_) {
      const std::size_t left = pair >> 32;
      const std::size_t right = pair & 0xFFFFFFFF;
      const std::size_t rarer = std::min(appearances_[left], appearances_[right]);
      if (count >= ties_needed && count * 3 >= rarer * 2) strong.emplace_back(pair, count);
    }
    std::sort(strong.begin(), strong.end());
    std::unordered_map<std::uint64_t, bool> stated;
    for (const StatedRelationship& relationship : relationships_) {
      const auto [left, right] = std::minmax(relationship.subject, relationship.object);
      stated[static_cast<std::uint64_t>(left) << 32 | right] = true;
    }
    for (const auto& [pair, count] : strong) {
      if (stated.contains(pair)) continue;
      relationships_.push_back({pair >> 32, "relates_to", pair & 0xFFFFFFFF, 0.5});
    }
  }

  void finish_graph() {
    const auto& entities = finder_.entities();
    std::vector<bool> needed(entities.size());
    for (const auto& mentions : mentions_)
      for (const Mention& mention : mentions) needed[mention.entity] = true;
    for (const auto& [name, entity] : authors_) needed[entity] = true;
    for (std::size_t i = 0; i < entities.size(); ++i) {
      if (!needed[i]) continue;
      made_.entities.push_back(entities[i]);
      made_.entities.back().mentions = std::max<std::int64_t>(entities[i].mentions, 1);
    }
    for (const StatedRelationship& stated : relationships_)
      made_.relationships.push_back({entities[stated.subject].name, std::string(stated.predicate),
                                     entities[stated.object].name,
                                     // in hundredths
                                     static_cast<int>(stated.confidence * 100 + 0.5) / 100.0});
  }

  void keep_text_if_nothing_was_found() {
    if (!made_.memories.empty()) return;
    std::string text;
    const Turn* first = nullptr;
    for (const Turn& turn : turns_) {
      if (trimmed(turn.text).empty()) continue;
      if (first == nullptr) first = &turn;
      if (!text.empty()) text += '\n';
      text += trimmed(turn.text);
      if (count_characters(text) > kept_as_it_stands) break;
    }
    if (first == nullptr) return;
    ExtractedMemory memory;
    memory.content = shortened(text, kept_as_it_stands);
    memory.network = "observation";
    memory.confidence = 0.5;
    memory.author = first->author;
    memory.position = std::max<std::int64_t>(first->position, 0);
    made_.memories.push_back(std::move(memory));
    made_.warnings.push_back(
        "No statement was found in it: its text (the first 2,000 characters) is kept as one "
        "observation.");
  }

  const Document& document_;
  std::vector<Turn> turns_;
  std::vector<Statement> statements_;
  EntityFinder finder_;
  std::vector<Words> words_;
  std::vector<std::vector<Mention>> mentions_;
  std::map<std::string, std::size_t> authors_;
  std::vector<StatedRelationship> relationships_;
  std::map<std::tuple<std::size_t, std::string, std::size_t>, std::size_t> relationship_places_;
  std::vector<std::size_t> appearances_;
  std::unordered_map<std::uint64_t, std::size_t> ties_;
  Extraction made_;
};

class RulesExtractor final : public Extractor {
 public:
  [[nodiscard]] std::string name() const override { return "rules/1"; }
  [[nodiscard]] Result<Extraction> extract(const Document& document) const override {
    return Reading(document).run();
  }
};

}  // namespace

std::unique_ptr<Extractor> new_rules_extractor() {
  return std::make_unique<RulesExtractor>();
}

}  // namespace bb5
