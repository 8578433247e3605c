#include "stores/postgres/websearch.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace bb5::postgres {

std::vector<std::string> websearch_terms(std::span<const ranking::AskedTerm> terms) {
  std::vector<std::string> texts;
  for (const ranking::AskedTerm& term : terms)
    texts.push_back(fmt::format("{}", fmt::join(term.words, " or ")));
  return texts;
}

std::vector<std::string> websearch_phrases(std::span<const ranking::Phrase> phrases) {
  std::vector<std::string> texts;
  for (const ranking::Phrase& words : phrases)
    texts.push_back(fmt::format("\"{}\"", fmt::join(words, " ")));
  return texts;
}

}  // namespace bb5::postgres
