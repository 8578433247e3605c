#include "operations/retain/recalled_text.hpp"

#include <algorithm>

namespace bb5 {
namespace {

struct Marks {
  std::string_view begin;
  std::string_view end;
};
constexpr Marks marks[] = {{recalled_begin, recalled_end},
                           {"<relevant-memories>", "</relevant-memories>"}};

constexpr std::string_view old_heading = "## Relevant Memories";

/// Takes the first line, with its end, off the text.
std::string_view next_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::size_t length = end == std::string_view::npos ? text.size() : end + 1;
  const std::string_view line = text.substr(0, length);
  text.remove_prefix(length);
  return line;
}

std::string_view trimmed(std::string_view line) {
  while (!line.empty() && std::string_view(" \t\n").find(line.back()) != std::string_view::npos)
    line.remove_suffix(1);
  return line;
}

/// How long the old system's block is that begins here.
std::size_t old_block(std::string_view text) {
  std::string_view rest = text;
  next_line(rest);
  while (!rest.empty()) {
    std::string_view after = rest;
    const std::string_view line = trimmed(next_line(after));
    if (line.starts_with("## ") || line.starts_with("# ")) break;
    rest = after;
    if ((line.starts_with("*Recalled ") && line.ends_with(" total*")) ||
        line == "*No relevant memories found.*")
      break;
  }
  return text.size() - rest.size();
}

/// How long the recalled block is that begins here; 0: none does.
std::size_t block_at(std::string_view text, bool begins_line) {
  for (const Marks& mark : marks) {
    if (!text.starts_with(mark.begin)) continue;
    const std::size_t end = text.find(mark.end, mark.begin.size());
    return end == std::string_view::npos ? text.size() : end + mark.end.size();
  }
  if (begins_line && text.starts_with(old_heading)) {
    std::string_view rest = text;
    if (trimmed(next_line(rest)) == old_heading) return old_block(text);
  }
  return 0;
}

}  // namespace

OwnText without_recalled(std::string_view text) {
  OwnText own;
  std::size_t kept = 0;
  for (std::size_t at = text.find_first_of("<#"); at != std::string_view::npos;) {
    const std::size_t length = block_at(text.substr(at), at == 0 || text[at - 1] == '\n');
    if (length > 0) {
      own.text.append(text.substr(kept, at - kept));
      kept = at + length;
      ++own.blocks;
    }
    at = text.find_first_of("<#", at + std::max<std::size_t>(1, length));
  }
  own.text.append(text.substr(std::min(kept, text.size())));
  return own;
}

}  // namespace bb5
