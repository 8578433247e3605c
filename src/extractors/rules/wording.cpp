#include "extractors/rules/wording.hpp"

#include <algorithm>
#include <unordered_set>

#include "extractors/rules/vocabulary.hpp"

namespace bb5::rules {
namespace {

using WordSet = std::unordered_set<std::string_view>;

bool one_of(const WordSet& words, std::string_view low) {
  return words.contains(low);
}

const WordSet hedges = {"might",      "maybe",   "perhaps",    "probably", "possibly", "seems",
                        "seem",       "appears", "apparently", "likely",   "unclear",  "unsure",
                        "guess",      "suspect", "presumably", "roughly",  "assume",   "assumed",
                        "supposedly", "could",   "tentative",  "untested"};
const WordSet proofs = {"measured",   "verified",   "confirmed", "proved", "proven",
                        "always",     "never",      "must",      "tested", "benchmarked",
                        "guaranteed", "definitely", "certainly", "exactly"};
const WordSet judging_verbs = {"think",     "believe", "feel",    "guess", "suspect",   "doubt",
                               "prefer",    "like",    "love",    "hate",  "recommend", "suggest",
                               "enjoy",     "hope",    "dislike", "favor", "favour",    "loved",
                               "preferred", "liked",   "hated"};
const WordSet preferring = {"prefer", "prefers", "like",  "likes",    "love",   "loves",
                            "hate",   "hates",   "enjoy", "dislikes", "dislike"};
const WordSet comparing = {"better",  "worse",    "easier",     "simpler", "nicer",   "best",
                           "worst",   "overkill", "preferable", "ugly",    "elegant", "awful",
                           "amazing", "awesome",  "wonderful",  "terrible"};
const WordSet deciding = {"chose",  "chosen", "choose", "decided",
                          "decide", "opted",  "picked", "agreed"};
const WordSet generalising = {"lesson",  "lessons", "takeaway",   "insight",
                              "pattern", "overall", "conclusion", "generally",
                              "tends",   "tend",    "usually"};
const WordSet pointing_back = {
    "this",  "it",   "its",  "they",      "that",    "these", "those",     "he",
    "she",   "also", "and",  "but",       "however", "then",  "therefore", "so",
    "which", "both", "same", "otherwise", "instead", "their", "hence",     "thus",
    "here",  "her",  "his",  "there",     "or",      "such",  "because",   "them"};
const WordSet adverbs = {"just",    "also",  "then",   "finally",  "first",  "only",
                         "already", "even",  "really", "recently", "never",  "quickly",
                         "have",    "had",   "once",   "both",     "almost", "actually",
                         "simply",  "still", "now",    "later",    "all"};

bool first_person(std::string_view low) {
  return low == "i" || low == "we";
}

struct Signs {
  bool judging = false;
  bool preferring = false;
  bool deciding = false;
  bool generalising = false;
  bool learned = false;
  bool own_deed = false;
  bool task_word = false;
  bool question = false;
  int hedges = 0;
  bool proof = false;
};

/// `we` or `I` at i: what the verb behind it tells.
void read_first_person(const Words& words, std::size_t i, Signs& signs) {
  std::size_t verb = i + 1;
  while (verb < i + 4 && one_of(adverbs, words.low(verb))) ++verb;
  const std::string_view low = words.low(verb);
  if (one_of(judging_verbs, low)) {
    signs.judging = true;
    signs.preferring |= one_of(preferring, low);
  } else if (low == "should" || low == "ought") {
    signs.judging = true;
  } else if (one_of(deciding, low)) {
    signs.deciding = true;
  } else if (low == "learned" || low == "learnt" || low == "realized" || low == "realised") {
    signs.learned = true;
  } else if (is_past_verb(low) && low != "need" && low != "used") {
    signs.own_deed = true;
  } else if (low == "used") {
    signs.own_deed = true;
  }
}

Signs read_signs(const Words& words, std::size_t body) {
  Signs signs;
  std::size_t first = 0;
  while (first < words.size() && words[first].begin < body) ++first;
  for (std::size_t i = first; i < words.size(); ++i) {
    const Token& token = words[i];
    if (token.kind == Token::Kind::symbol) {
      if (words.low(i) == "?") signs.question = i + 2 >= words.size();
      continue;
    }
    if (token.kind != Token::Kind::word) continue;
    const std::string_view low = words.low(i);
    if (first_person(low)) {
      read_first_person(words, i, signs);
    } else if (low == "i've" || low == "we've") {
      signs.own_deed = true;
    } else if (one_of(hedges, low)) {
      ++signs.hedges;
    } else if (one_of(proofs, low)) {
      signs.proof = true;
    } else if (one_of(comparing, low)) {
      // `better than` judges, `better` alone may count
      signs.judging |= words.is(i + 1, "than") || low == "overkill" || low == "preferable" ||
                       words.is(i + 1, "choice") || words.is(i + 1, "way") ||
                       words.is(i + 1, "option");
    } else if (low == "should") {
      signs.judging = true;
    } else if (low == "imo" || low == "imho" || (low == "my" && words.is(i + 1, "opinion")) ||
               (low == "my" && words.is(i + 1, "favorite")) ||
               (low == "my" && words.is(i + 1, "favourite"))) {
      signs.judging = true;
    } else if (low == "prefers" || low == "likes" || low == "loves" || low == "dislikes" ||
               low == "hates") {
      signs.judging = signs.preferring = true;
    } else if (one_of(generalising, low)) {
      signs.generalising = true;
    } else if ((low == "root" && words.is(i + 1, "cause")) ||
               ((low == "turned" || low == "turns") && words.is(i + 1, "out")) ||
               ((low == "suggests" || low == "shows" || low == "indicates") &&
                words.is(i + 1, "that"))) {
      signs.generalising = true;
    } else if (i == first && (low == "todo" || low == "fixme")) {
      signs.task_word = true;
    } else if (i == first && low.size() > 4 && low.ends_with("ed") && is_past_verb(low) &&
               words.size() > i + 2 && !words.is(i + 1, "by") && !words.is(i + 1, ":")) {
      (one_of(deciding, low) ? signs.deciding : signs.own_deed) = true;  // `Migrated the store …`
    }
  }
  return signs;
}

double base_confidence(std::string_view network, Topic topic, Block::Task task) {
  if (task == Block::Task::done) return 0.85;
  if (task == Block::Task::open || topic == Topic::next_step) return 0.65;
  if (topic == Topic::question) return 0.5;
  if (topic == Topic::decision || topic == Topic::choice || topic == Topic::success_criterion ||
      topic == Topic::objective)
    return 0.85;
  if (topic == Topic::result || network == "experience") return 0.8;
  return network == "opinion" ? 0.7 : 0.75;
}

std::string network_of(const Signs& signs, Topic topic, Block::Task task) {
  switch (topic) {
    case Topic::decision:
    case Topic::choice:
    case Topic::preference:
      return "opinion";
    case Topic::learning:
    case Topic::summary:
      return signs.own_deed && topic == Topic::summary ? "experience" : "observation";
    case Topic::objective:
    case Topic::success_criterion:
    case Topic::question:
    case Topic::about:
    case Topic::about_date:
      return "world";
    case Topic::next_step:
      return task == Block::Task::done ? "experience" : "world";
    case Topic::none:
    case Topic::result:
    case Topic::problem:
    case Topic::approach:
    case Topic::context:
    case Topic::rationale:
    case Topic::alternatives:
    case Topic::consequences:
      break;
  }
  if (signs.judging || signs.deciding) return "opinion";
  if (signs.generalising || signs.learned) return "observation";
  if (signs.own_deed || task == Block::Task::done) return "experience";
  return "world";
}

}  // namespace

Judgement judge(const Words& words, std::size_t body, Topic topic, Block::Task task) {
  const Signs signs = read_signs(words, body);
  Judgement judgement;
  if (topic == Topic::none && task == Block::Task::none) {
    if (signs.deciding)
      topic = Topic::decision;
    else if (signs.learned)
      topic = Topic::learning;
    else if (signs.preferring)
      topic = Topic::preference;
    else if (signs.task_word)
      topic = Topic::next_step;
  }
  judgement.category = category_of(topic);
  if (topic == Topic::none && task != Block::Task::none)
    judgement.category = task == Block::Task::open ? "next_step" : "result";
  judgement.network = network_of(signs, topic, task);
  double confidence = base_confidence(judgement.network, topic, task);
  if (signs.question && topic == Topic::none) confidence = 0.5;
  confidence -= 0.1 * std::min(signs.hedges, 3);
  const bool wish = task == Block::Task::open || is_part_of_decision(topic);
  if (signs.proof && !wish) confidence += 0.1;
  // in hundredths, so that 0.85 is 0.85 however it was added up
  judgement.confidence = std::clamp(static_cast<int>(confidence * 100 + 0.5), 50, 95) / 100.0;
  return judgement;
}

bool needs_a_lead(const Words& words) {
  std::size_t count = 0;
  bool verb = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].kind == Token::Kind::symbol) continue;
    ++count;
    verb = verb || is_finite_verb(words.low(i)) || first_person(words.low(i));
    const std::string_view low = words.low(i);
    if (count == 1 && one_of(pointing_back, low)) return true;
    if (count == 2 && (low == "she" || low == "he" || low == "they")) return true;
    if (count >= 12 && verb) return false;
  }
  return count < 5 || (!verb && count < 12);
}

}  // namespace bb5::rules
