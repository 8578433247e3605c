#include "ranking/terms.hpp"

#include <algorithm>
#include <memory>
#include <new>
#include <unordered_map>
#include <unordered_set>

#include <libstemmer.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>

#include "base/letters.hpp"
#include "ranking/code_points.hpp"
#include "ranking/english_words.hpp"

namespace bb5::ranking {
namespace {

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_ascii_word(char c) {
  return is_upper(c) || is_lower(c) || (c >= '0' && c <= '9');
}
char lower(char c) {
  return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
}

/// The parts of an identifier: `getUserName`, `HTTPServer`. None when it has fewer than two, or one
/// is a single character.
std::vector<std::string> humps_of(std::string_view run) {
  std::vector<std::string> humps;
  for (std::size_t i = 0; i < run.size(); ++i) {
    const bool begins =
        i == 0 || (is_upper(run[i]) &&
                   (!is_upper(run[i - 1]) || (i + 1 < run.size() && is_lower(run[i + 1]))));
    if (begins) humps.emplace_back();
    humps.back() += lower(run[i]);
  }
  const bool are_words =
      humps.size() > 1 &&
      std::all_of(humps.begin(), humps.end(), [](auto& hump) { return hump.size() > 1; });
  return are_words ? humps : std::vector<std::string>();
}

bool is_ascii_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/// Calls `take` with each run of ASCII letters and digits.
template <class Take>
void for_each_ascii_run(std::string_view text, Take take) {
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && is_ascii_word(text[end])) ++end;
    if (end > at) take(text.substr(at, end - at));
    at = std::max(end, at + 1);
  }
}

/// A word that could be an identifier's costs a second look.
bool may_have_humps(std::string_view run) {
  return std::any_of(run.begin() + 1, run.end(), is_upper);
}

std::vector<std::string> ascii_words(std::string_view text) {
  std::vector<std::string> words;
  for_each_ascii_run(text, [&](std::string_view run) {
    std::string& word = words.emplace_back(run);
    std::transform(word.begin(), word.end(), word.begin(), lower);
    if (!may_have_humps(run)) return;
    for (std::string& hump : humps_of(run)) words.push_back(std::move(hump));
  });
  return words;
}

constexpr UScriptCode unspaced_scripts[] = {USCRIPT_HIRAGANA, USCRIPT_KATAKANA, USCRIPT_HANGUL,
                                            USCRIPT_THAI,     USCRIPT_LAO,      USCRIPT_KHMER,
                                            USCRIPT_MYANMAR};

enum class Kind { none, letter, ideograph, unspaced };

/// By the scripts that use it: ー, which kana share, has none of its own.
bool is_unspaced(UChar32 c) {
  return std::any_of(std::begin(unspaced_scripts), std::end(unspaced_scripts),
                     [c](UScriptCode script) { return uscript_hasScript(c, script) != 0; });
}

Kind kind_of(char32_t character) {
  const auto c = static_cast<UChar32>(character);
  if (c < 0x80) return is_ascii_letter_or_digit(static_cast<char>(c)) ? Kind::letter : Kind::none;
  // Marks are parts of words: in Indic scripts they are the vowels.
  if (!u_isalnum(c) && (U_GET_GC_MASK(c) & U_GC_M_MASK) == 0) return Kind::none;
  UErrorCode status = U_ZERO_ERROR;
  if (uscript_getScript(c, &status) == USCRIPT_HAN) return Kind::ideograph;
  return is_unspaced(c) ? Kind::unspaced : Kind::letter;
}

/// Takes a text's characters one by one and cuts it into words.
class WordCutter {
 public:
  void take(std::string_view character, Kind kind) {
    const bool unspaced = kind == Kind::ideograph || kind == Kind::unspaced;
    if (kind != Kind::letter) end_word();
    if (!unspaced) end_run();
    if (kind == Kind::letter) word_ += character;
    if (!unspaced) return;
    if (!previous_.empty()) words_.push_back(previous_ + std::string(character));
    if (kind == Kind::ideograph) words_.emplace_back(character);
    alone_ = previous_.empty() && kind == Kind::unspaced;
    previous_ = character;
  }
  std::vector<std::string> finish() {
    end_word();
    end_run();
    return std::move(words_);
  }

 private:
  void end_word() {
    if (!word_.empty()) words_.push_back(std::move(word_));
    word_.clear();
  }
  void end_run() {
    if (alone_) words_.push_back(previous_);
    alone_ = false;
    previous_.clear();
  }
  std::vector<std::string> words_;
  std::string word_;
  std::string previous_;  // of a run without spaces
  bool alone_ = false;    // previous_ is in no word yet
};

/// By the identifier in lower case.
using Humps = std::unordered_map<std::string, std::vector<std::string>>;
Humps all_humps_of(std::string_view text) {
  Humps found;
  for_each_ascii_run(text, [&](std::string_view run) {
    if (!may_have_humps(run)) return;
    std::vector<std::string> humps = humps_of(run);
    if (humps.empty()) return;
    std::string word(run);
    std::transform(word.begin(), word.end(), word.begin(), lower);
    found.emplace(std::move(word), std::move(humps));
  });
  return found;
}

std::vector<std::string> with_humps(std::vector<std::string> words, const Humps& humps) {
  if (humps.empty()) return words;
  std::vector<std::string> all;
  for (std::string& word : words) {
    const auto parts = humps.find(word);
    all.push_back(std::move(word));
    if (parts != humps.end()) all.insert(all.end(), parts->second.begin(), parts->second.end());
  }
  return all;
}

std::vector<std::string> any_words(std::string_view text) {
  const std::string plain = plain_letters(text);
  WordCutter cutter;
  for (std::size_t end = 0; end < plain.size();) {
    const std::size_t begin = end;
    const Kind kind = kind_of(next_code_point(plain, end));
    cutter.take(std::string_view(plain).substr(begin, end - begin), kind);
  }
  return with_humps(cutter.finish(), all_humps_of(text));
}

/// One a thread: a stemmer holds the word it is working on.
sb_stemmer* porter() {
  struct Delete {
    void operator()(sb_stemmer* stemmer) const { sb_stemmer_delete(stemmer); }
  };
  thread_local const std::unique_ptr<sb_stemmer, Delete> stemmer(sb_stemmer_new("porter", nullptr));
  if (stemmer == nullptr) throw std::bad_alloc();
  return stemmer.get();
}

}  // namespace

std::vector<std::string> words_of(std::string_view text) {
  const bool ascii = std::all_of(text.begin(), text.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  return ascii ? ascii_words(text) : any_words(text);
}

std::string term_of(std::string_view word) {
  if (!std::all_of(word.begin(), word.end(), is_ascii_letter_or_digit)) return std::string(word);
  const std::string_view base = base_form(word);
  sb_stemmer* stemmer = porter();
  const sb_symbol* stem = sb_stemmer_stem(stemmer, reinterpret_cast<const sb_symbol*>(base.data()),
                                          static_cast<int>(base.size()));
  if (stem == nullptr) throw std::bad_alloc();
  return {reinterpret_cast<const char*>(stem),
          static_cast<std::size_t>(sb_stemmer_length(stemmer))};
}

std::vector<std::string> terms_of(std::string_view text) {
  std::vector<std::string> terms;
  for (const std::string& word : words_of(text)) {
    if (!is_stop_word(word)) terms.push_back(term_of(word));
  }
  return terms;
}

std::vector<std::string> distinct_terms_of(std::string_view text) {
  std::vector<std::string> terms;
  std::unordered_set<std::string> seen;
  for (std::string& term : terms_of(text)) {
    if (seen.insert(term).second) terms.push_back(std::move(term));
  }
  return terms;
}

}  // namespace bb5::ranking
