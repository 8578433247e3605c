#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// The form in which names are compared. Making one is cheap, so that all names of a bank can be
/// looked at: buffers are kept from one name to the next.
namespace bb5 {

/// What a type tells about the names of its entities.
enum class TypeSort : std::uint8_t {
  vague,
  person,
  organization,
  technology,
  location,
  file,
  project,
  concept_,
  other
};
[[nodiscard]] TypeSort sort_of_type(std::string_view type);

/// Some of a name's words in a row: from `begin` on, before `end`.
struct WordRange {
  std::size_t begin = 0;
  std::size_t end = 0;
  [[nodiscard]] std::size_t size() const { return end - begin; }
  bool operator==(const WordRange&) const = default;
};

/// Words and numbers of a plain text (base/letters.hpp) in order, in one English. `C++`, `C#`,
/// `.NET` and `&` keep what makes them others; `v16` is 16 behind a word.
class NameWords {
 public:
  void read(std::string_view plain);

  [[nodiscard]] std::size_t size() const { return words_.size(); }
  [[nodiscard]] bool empty() const { return words_.empty(); }
  [[nodiscard]] WordRange all() const { return {0, words_.size()}; }
  [[nodiscard]] std::string_view operator[](std::size_t word) const {
    return std::string_view(letters_).substr(words_[word].begin, words_[word].size);
  }
  [[nodiscard]] bool is_number(std::size_t word) const { return words_[word].number; }

 private:
  struct Word {
    std::size_t begin;
    std::size_t size;
    bool number;
  };
  void finish();

  std::string letters_;  // of all words, one after the other
  std::vector<Word> words_;
  std::size_t begin_ = 0;  // of the word that is read
};

/// A name in one plain spelling, as an entity of such a type bears it.
class NameForm {
 public:
  void read(std::string_view plain, TypeSort sort);
  /// The same words as an entity of another type bears them; not to or from `file` or `person`.
  void strip_as(TypeSort sort);

  std::string plain;    ///< Without quotes; a person's first name first; a file's without `./`.
  std::string acronym;  ///< The short form that the name gives itself: `Long Name (LN)`.
  NameWords words;      ///< None for files.
  WordRange core;       ///< Words without legal form, titles, words for the type, a leading `the`.
  std::string_view legal_form;  ///< That was taken off, in its one spelling.

 private:
  void part_acronym();
};

/// Appends words that are run together, and numbers that are not: `node js` and `nodejs` are
/// `nodejs`, 1.2 is `1 2`.
void append_runs(const NameWords& words, WordRange range, std::string& text);
/// The same, with the short names that everybody uses of technologies: `postgresql` is `postgres`.
void append_short_runs(const NameWords& words, WordRange range, std::string& text);

/// First letters of all words but small ones; empty when a number is among them.
[[nodiscard]] std::string initials_of(const NameWords& words);
/// `and`, `of`, …
[[nodiscard]] bool is_small_word(std::string_view word);
/// The singular of an English plural; the word itself where it is none.
[[nodiscard]] std::string singular(std::string_view word);

}  // namespace bb5
