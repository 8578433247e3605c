#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "embedders/local/vocabulary.hpp"

namespace bb5::local {

/// Text to token ids as BERT's uncased models read it: cleaned, decomposed without accents, in
/// lower case, split at white space, punctuation and ideographs, and each word into the longest
/// pieces of the vocabulary from its left. Ids equal those of Hugging Face's `tokenizers`. Safe to
/// use from several threads at once.
class WordPiece {
 public:
  /// Errors: corrupt, when the vocabulary lacks one of [PAD] [UNK] [CLS] [SEP] [MASK].
  [[nodiscard]] static Result<WordPiece> over(Vocabulary vocabulary, std::string_view name);

  /// [CLS], the text's tokens, [SEP]; at most `limit` (≥ 2) in all, what is over is left out. A
  /// special token written in the text (`[MASK]`) is that token. Ill-formed UTF-8 counts for
  /// nothing. The time depends on the text only up to the word that reaches the limit.
  [[nodiscard]] std::vector<Vocabulary::Id> encode(std::string_view text, std::size_t limit) const;

  [[nodiscard]] const Vocabulary& vocabulary() const { return vocabulary_; }

 private:
  explicit WordPiece(Vocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {}
  Vocabulary vocabulary_;
};

}  // namespace bb5::local
