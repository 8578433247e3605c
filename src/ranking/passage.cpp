#include "ranking/passage.hpp"

#include <set>

namespace bb5::ranking {

std::vector<std::string> authors_of(std::span<const Passage> passages) {
  std::set<std::string_view> authors;
  for (const Passage& passage : passages) {
    if (!passage.author.empty()) authors.insert(passage.author);
  }
  return {authors.begin(), authors.end()};
}

}  // namespace bb5::ranking
