#include "embedders/local/word_piece.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <unicode/unorm2.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

#include "base/utf8.hpp"
#include "embedders/local/bert_characters.hpp"

namespace bb5::local {
namespace {

constexpr std::string_view special_tokens[] = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
constexpr std::size_t longest_word = 100;  // code points; a longer one is [UNK]

/// The special token that the text starts with, or an empty view.
std::string_view special_at(std::string_view text) {
  const auto* const found = std::find_if(std::begin(special_tokens), std::end(special_tokens),
                                         [&](auto token) { return text.starts_with(token); });
  return found == std::end(special_tokens) ? std::string_view() : *found;
}

/// One text on its way to ids.
class Reader {
 public:
  Reader(const Vocabulary& vocabulary, std::size_t limit)
      : vocabulary_(vocabulary), unknown_(vocabulary.start("[UNK]")), limit_(limit) {}

  std::vector<Vocabulary::Id> read(std::string_view text) {
    // ICU counts in 32 bits; no more than that is ever looked at.
    text = text.substr(0, std::numeric_limits<std::int32_t>::max());
    ids_.push_back(vocabulary_.start("[CLS]"));
    read_words(text);
    if (full()) ids_.resize(limit_ - 1);
    ids_.push_back(vocabulary_.start("[SEP]"));
    return std::move(ids_);
  }

 private:
  /// No further token can have a place, the last one being [SEP]'s.
  [[nodiscard]] bool full() const { return ids_.size() + 1 >= limit_; }

  /// Words as far as white space, ideographs and special tokens part them. Decomposing them one by
  /// one is the same as decomposing the text: accents never move across what parts them.
  void read_words(std::string_view text) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    const auto length = static_cast<std::int32_t>(text.size());
    for (std::int32_t at = 0; at < length && !full();) {
      const std::int32_t from = at;
      UChar32 code = 0;
      U8_NEXT_OR_FFFD(bytes, at, length, code);
      const auto c = static_cast<char32_t>(code);
      if (c == '[') {
        const auto special = special_at(text.substr(static_cast<std::size_t>(from)));
        if (!special.empty()) {
          end_word();
          ids_.push_back(vocabulary_.start(special));
          at = from + static_cast<std::int32_t>(special.size());
          continue;
        }
      }
      if (bert::is_removed(c)) continue;
      if (bert::is_white_space(c)) {
        end_word();
      } else if (bert::is_ideograph(c)) {
        end_word();
        word_ += c;
        end_word();
      } else {
        word_ += c;
      }
    }
    end_word();
  }

  void end_word() {
    if (word_.empty()) return;
    if (std::any_of(word_.begin(), word_.end(), [](char32_t c) { return c >= 0x80; })) decompose();
    for (const char32_t c : word_) {
      if (bert::is_mark(c)) continue;
      const char32_t small = bert::lower(c);
      if (!bert::is_punctuation(small)) {
        add(small);
        continue;
      }
      end_run();
      add(small);
      end_run();
    }
    end_run();
    word_.clear();
  }

  void decompose() {
    UErrorCode error = U_ZERO_ERROR;
    const UNormalizer2* nfd = unorm2_getNFDInstance(&error);
    std::u16string text;
    for (const char32_t c : word_) {
      if (c < 0x10000) {
        text += static_cast<char16_t>(c);
      } else {
        text += static_cast<char16_t>(U16_LEAD(c));
        text += static_cast<char16_t>(U16_TRAIL(c));
      }
    }
    std::u16string apart(4 * text.size(), u'\0');  // a character becomes four at most
    const std::int32_t length =
        unorm2_normalize(nfd, text.data(), static_cast<std::int32_t>(text.size()), apart.data(),
                         static_cast<std::int32_t>(apart.size()), &error);
    if (U_FAILURE(error) != 0) return;
    word_.clear();
    for (std::int32_t at = 0; at < length;) {
      UChar32 code = 0;
      U16_NEXT(apart.data(), at, length, code);
      word_ += static_cast<char32_t>(code);
    }
  }

  void add(char32_t c) {
    append_utf8(run_, c);
    ends_.push_back(run_.size());
  }

  /// The run of characters as the longest pieces from its left, or [UNK] when they do not cover it.
  void end_run() {
    if (ends_.empty()) return;
    const std::size_t before = ids_.size();
    if (ends_.size() > longest_word || !add_pieces()) {
      ids_.resize(before);
      ids_.push_back(unknown_);
    }
    run_.clear();
    ends_.clear();
  }

  bool add_pieces() {
    std::size_t from = 0;  // byte and character where the next piece starts
    std::size_t first = 0;
    while (first < ends_.size()) {
      std::size_t last = ends_.size();
      Vocabulary::Id id = Vocabulary::none;
      while (last > first) {
        const auto piece = std::string_view(run_).substr(from, ends_[last - 1] - from);
        id = first == 0 ? vocabulary_.start(piece) : vocabulary_.continuation(piece);
        if (id != Vocabulary::none) break;
        --last;
      }
      if (id == Vocabulary::none) return false;
      ids_.push_back(id);
      first = last;
      from = ends_[last - 1];
    }
    return true;
  }

  const Vocabulary& vocabulary_;
  Vocabulary::Id unknown_;
  std::size_t limit_;
  std::vector<Vocabulary::Id> ids_;
  std::u32string word_;            // since the last white space
  std::string run_;                // of it, since the last punctuation, as the vocabulary has it
  std::vector<std::size_t> ends_;  // where each character of the run ends in it
};

}  // namespace

Result<WordPiece> WordPiece::over(Vocabulary vocabulary, std::string_view name) {
  for (const std::string_view token : special_tokens) {
    if (vocabulary.start(token) == Vocabulary::none) {
      return Error{.code = Errc::corrupt,
                   .message = fmt::format("{} is damaged: it lacks {}", name, token)};
    }
  }
  return WordPiece(std::move(vocabulary));
}

std::vector<Vocabulary::Id> WordPiece::encode(std::string_view text, std::size_t limit) const {
  return Reader(vocabulary_, limit).read(text);
}

}  // namespace bb5::local
