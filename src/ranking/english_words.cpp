#include "ranking/english_words.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace bb5::ranking {
namespace {

// Both tables are sorted: they are searched by halves.
constexpr auto stop_words = std::to_array<std::string_view>(
    {"a",     "about", "am",   "an",    "and",  "are",  "as",    "at",    "be",   "been",
     "but",   "by",    "can",  "could", "did",  "do",   "does",  "for",   "from", "had",
     "has",   "have",  "he",   "her",   "him",  "his",  "how",   "i",     "if",   "in",
     "is",    "it",    "its",  "me",    "my",   "of",   "on",    "or",    "our",  "s",
     "she",   "so",    "t",    "than",  "that", "the",  "their", "them",  "then", "there",
     "they",  "this",  "to",   "us",    "was",  "we",   "were",  "what",  "when", "where",
     "which", "who",   "whom", "whose", "why",  "will", "with",  "would", "you",  "your"});
static_assert(stop_words.size() == 70);
static_assert(std::is_sorted(stop_words.begin(), stop_words.end()));

using Form = std::pair<std::string_view, std::string_view>;
constexpr auto forms = std::to_array<Form>({{"ate", "eat"},
                                            {"became", "become"},
                                            {"began", "begin"},
                                            {"begun", "begin"},
                                            {"best", "good"},
                                            {"better", "good"},
                                            {"bicycle", "bike"},
                                            {"bought", "buy"},
                                            {"broke", "break"},
                                            {"broken", "break"},
                                            {"brought", "bring"},
                                            {"built", "build"},
                                            {"came", "come"},
                                            {"caught", "catch"},
                                            {"children", "child"},
                                            {"chose", "choose"},
                                            {"chosen", "choose"},
                                            {"dealt", "deal"},
                                            {"drank", "drink"},
                                            {"drawn", "draw"},
                                            {"drew", "draw"},
                                            {"driven", "drive"},
                                            {"drove", "drive"},
                                            {"eaten", "eat"},
                                            {"fallen", "fall"},
                                            {"fed", "feed"},
                                            {"feet", "foot"},
                                            {"fell", "fall"},
                                            {"felt", "feel"},
                                            {"film", "movie"},
                                            {"flew", "fly"},
                                            {"flown", "fly"},
                                            {"forgot", "forget"},
                                            {"forgotten", "forget"},
                                            {"fought", "fight"},
                                            {"found", "find"},
                                            {"gave", "give"},
                                            {"given", "give"},
                                            {"goes", "go"},
                                            {"gone", "go"},
                                            {"got", "get"},
                                            {"gotten", "get"},
                                            {"grew", "grow"},
                                            {"grown", "grow"},
                                            {"heard", "hear"},
                                            {"held", "hold"},
                                            {"hung", "hang"},
                                            {"kept", "keep"},
                                            {"kid", "child"},
                                            {"kids", "child"},
                                            {"knew", "know"},
                                            {"known", "know"},
                                            {"learnt", "learn"},
                                            {"led", "lead"},
                                            {"left", "leave"},
                                            {"lost", "lose"},
                                            {"made", "make"},
                                            {"meant", "mean"},
                                            {"men", "man"},
                                            {"met", "meet"},
                                            {"mom", "mum"},
                                            {"mother", "mum"},
                                            {"paid", "pay"},
                                            {"people", "person"},
                                            {"photo", "picture"},
                                            {"photos", "picture"},
                                            {"pic", "picture"},
                                            {"pics", "picture"},
                                            {"ran", "run"},
                                            {"ridden", "ride"},
                                            {"rode", "ride"},
                                            {"said", "say"},
                                            {"sang", "sing"},
                                            {"sat", "sit"},
                                            {"saw", "see"},
                                            {"seen", "see"},
                                            {"sent", "send"},
                                            {"slept", "sleep"},
                                            {"sold", "sell"},
                                            {"spent", "spend"},
                                            {"spoke", "speak"},
                                            {"spoken", "speak"},
                                            {"stood", "stand"},
                                            {"stuck", "stick"},
                                            {"sung", "sing"},
                                            {"swam", "swim"},
                                            {"taken", "take"},
                                            {"taught", "teach"},
                                            {"teeth", "tooth"},
                                            {"thought", "think"},
                                            {"threw", "throw"},
                                            {"thrown", "throw"},
                                            {"told", "tell"},
                                            {"took", "take"},
                                            {"understood", "understand"},
                                            {"went", "go"},
                                            {"woke", "wake"},
                                            {"women", "woman"},
                                            {"won", "win"},
                                            {"wore", "wear"},
                                            {"worn", "wear"},
                                            {"worse", "bad"},
                                            {"worst", "bad"},
                                            {"written", "write"},
                                            {"wrote", "write"}});
static_assert(std::is_sorted(forms.begin(), forms.end()));

}  // namespace

bool is_stop_word(std::string_view word) {
  return std::binary_search(stop_words.begin(), stop_words.end(), word);
}

std::string_view base_form(std::string_view word) {
  const auto found = std::lower_bound(forms.begin(), forms.end(), Form{word, {}});
  return found != forms.end() && found->first == word ? found->second : word;
}

std::vector<std::string_view> spellings_of(std::string_view word) {
  const std::string_view base = base_form(word);
  std::vector<std::string_view> spellings = {word};
  if (base != word) spellings.push_back(base);
  for (const auto& [form, its_base] : forms) {
    if (its_base == base && form != word) spellings.push_back(form);
  }
  return spellings;
}

}  // namespace bb5::ranking
