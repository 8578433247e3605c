// Text of any bytes under a vocabulary of letters, and a vocabulary of any bytes.
#include <algorithm>

#include "embedders/local/word_piece.hpp"
#include "tests/fuzz/targets.hpp"

namespace bb5::fuzz {
namespace {

using local::Vocabulary;
using local::WordPiece;

const WordPiece& letters() {
  static const WordPiece made = [] {
    std::string text = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n中\né\n";
    for (char c = '!'; c <= '~'; ++c)
      if (c < 'A' || c > 'Z') text.append(1, c).append("\n##").append(1, c).append("\n");
    return *WordPiece::over(*Vocabulary::parse(text, "letters"), "letters");
  }();
  return made;
}

void reads_any_text(std::string_view text) {
  const auto ids = letters().encode(text, 256);
  require(ids.size() >= 2 && ids.size() <= 256, "two ends and at most the limit");
  require(ids.front() == 2 && ids.back() == 3, "[CLS] first, [SEP] last");
  const auto words = static_cast<Vocabulary::Id>(letters().vocabulary().size());
  require(std::all_of(ids.begin(), ids.end(), [&](auto id) { return id >= 0 && id < words; }),
          "ids are the vocabulary's");
  const auto fewer = letters().encode(text, 9);
  require(fewer.size() <= 9 && std::equal(fewer.begin(), fewer.end() - 1, ids.begin()),
          "a lower limit gives the same start");
  if (ids.size() < 9) require(fewer == ids, "a text that fits is whole");
}

}  // namespace

void word_piece(Input input) {
  const std::string_view bytes = text_of(input);
  reads_any_text(bytes);
  const auto vocabulary = Vocabulary::parse(bytes, "file");
  if (!vocabulary) return;
  require(vocabulary->size() <= bytes.size(), "no more pieces than lines");
  std::string_view line = bytes.substr(0, bytes.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (!line.empty() && (!line.starts_with("##") || line.size() == 2))
    require(vocabulary->start(line) == 0, "the first line is piece 0");
}

}  // namespace bb5::fuzz
