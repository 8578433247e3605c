#include "extractors/llm/passages.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/time.hpp"

namespace bb5::llm {
namespace {

/// What a slice costs in a transcript besides its text: position, author, time.
constexpr std::size_t line_head_bytes = 48;

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

/// The end of the last `mark` that ends in [least, text.size()], or 0.
std::size_t last_end_of(std::string_view mark, std::string_view text, std::size_t least) {
  const auto at = text.rfind(mark);
  const std::size_t end = at == std::string_view::npos ? 0 : at + mark.size();
  return end >= least ? end : 0;
}

/// How much of `text` makes a piece of at most `limit` bytes: up to the best border in its second
/// half.
std::size_t piece_of(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text.size();
  const std::string_view head = text.substr(0, limit);
  for (const std::string_view paragraph : {"\n\n", "\n"}) {
    if (const auto end = last_end_of(paragraph, head, limit / 2); end != 0) return end;
  }
  std::size_t sentence = 0;
  for (const std::string_view mark : {". ", "! ", "? ", "。", "！", "？"})
    sentence = std::max(sentence, last_end_of(mark, head, limit / 2));
  if (sentence != 0) return sentence;
  if (const auto word = last_end_of(" ", head, limit / 2); word != 0) return word;
  std::size_t end = limit;  // Not within a code point.
  while (end > limit - 4 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return end;
}

/// The slices in pieces of at most `limit` bytes.
std::vector<Slice> pieces_of(const Passage& passage, std::size_t limit) {
  std::vector<Slice> pieces;
  for (const Slice& slice : passage.slices) {
    std::string_view rest = slice.text;
    while (!rest.empty()) {
      const std::size_t size = piece_of(rest, limit);
      pieces.push_back({.turn = slice.turn, .text = rest.substr(0, size)});
      rest.remove_prefix(size);
    }
  }
  return pieces;
}

/// Pieces that follow each other in one turn become one slice.
Passage joined(std::span<const Slice> pieces) {
  Passage passage;
  for (const Slice& piece : pieces) {
    auto& slices = passage.slices;
    if (!slices.empty() && slices.back().turn == piece.turn) {
      const char* begin = slices.back().text.data();
      slices.back().text = {begin, slices.back().text.size() + piece.text.size()};
    } else {
      slices.push_back(piece);
    }
  }
  return passage;
}

/// The piece after the last that fits in with `first`.
std::size_t filled(std::span<const Slice> pieces, std::size_t first, std::size_t limit,
                   std::size_t head) {
  std::size_t end = first;
  for (std::size_t bytes = 0; end < pieces.size(); ++end) {
    bytes += pieces[end].text.size() + head;
    if (bytes > limit && end > first) break;
  }
  return end;
}

/// Back from `end` over what fits into the overlap, but behind `first`.
std::size_t stepped_back(std::span<const Slice> pieces, std::size_t first, std::size_t end,
                         std::size_t overlap, std::size_t head) {
  std::size_t begin = end;
  for (std::size_t bytes = 0; begin > first + 1; --begin) {
    bytes += pieces[begin - 1].text.size() + head;
    if (bytes > overlap) break;
  }
  return begin;
}

std::string line_head(const Turn& turn) {
  std::string head = turn.author.value_or("");
  std::replace_if(
      head.begin(), head.end(), [](char c) { return c >= 0 && c < ' '; }, ' ');
  if (turn.said_at) head += (head.empty() ? "(" : " (") + to_rfc3339(*turn.said_at) + ")";
  return head.empty() ? head : head + ": ";
}

std::string rendered(const Passage& passage, bool numbered) {
  if (!is_conversation(passage))
    return passage.slices.empty() ? std::string{} : std::string(passage.slices[0].text);
  std::string text;
  for (const Slice& slice : passage.slices) {
    if (!text.empty() && !text.ends_with('\n')) text += '\n';
    if (numbered) text += fmt::format("[{}] ", slice.turn->position);
    text += line_head(*slice.turn);
    text += slice.text;
  }
  return text;
}

}  // namespace

Passage whole(const Document& document) {
  Passage passage;
  for (const Turn& turn : document.turns) {
    if (!is_blank(turn.text)) passage.slices.push_back({.turn = &turn, .text = turn.text});
  }
  return passage;
}

bool is_conversation(const Passage& passage) {
  return passage.slices.size() > 1 ||
         (!passage.slices.empty() && passage.slices[0].turn->author.has_value());
}

std::size_t size_of(const Passage& passage) {
  const std::size_t head = is_conversation(passage) ? line_head_bytes : 0;
  std::size_t bytes = 0;
  for (const Slice& slice : passage.slices) bytes += slice.text.size() + head;
  return bytes;
}

std::vector<Passage> cut(const Passage& passage, std::size_t limit_bytes,
                         std::size_t overlap_bytes) {
  if (passage.slices.empty()) return {};
  if (size_of(passage) <= limit_bytes) return {passage};
  const std::size_t head = is_conversation(passage) ? line_head_bytes : 0;
  const auto pieces = pieces_of(passage, std::max<std::size_t>(overlap_bytes / 2, 16));
  std::vector<Passage> passages;
  for (std::size_t first = 0, end = 0; end < pieces.size();) {
    const std::size_t before = end;
    end = std::max(filled(pieces, first, limit_bytes, head), before + 1);
    passages.push_back(joined(std::span(pieces).subspan(first, end - first)));
    first = stepped_back(pieces, first, end, overlap_bytes, head);
  }
  return passages;
}

std::string plain_text(const Passage& passage) {
  return rendered(passage, false);
}

std::string numbered_text(const Passage& passage) {
  return rendered(passage, true);
}

}  // namespace bb5::llm
