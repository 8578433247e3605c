#pragma once

/// What BERT's tokenizer takes a character for. The reference (Hugging Face's `tokenizers`, whose
/// ids the model was trained on) has the tables of Unicode 8; characters that came later are of no
/// kind there: part of a word. Code points; all functions are pure.
namespace bb5::local::bert {

[[nodiscard]] bool is_white_space(char32_t c);
/// Taken out of the text: control, format and private characters, U+0000, U+FFFD.
[[nodiscard]] bool is_removed(char32_t c);
/// Ideographs, each a word of its own.
[[nodiscard]] bool is_ideograph(char32_t c);
/// A word of its own too. In ASCII, symbols count ($ + < = > ^ ` | ~).
[[nodiscard]] bool is_punctuation(char32_t c);
/// Taken out of the decomposed text: accents and the like.
[[nodiscard]] bool is_mark(char32_t c);
[[nodiscard]] char32_t lower(char32_t c);

}  // namespace bb5::local::bert
