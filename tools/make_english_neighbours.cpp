// Makes src/ranking/data/english_neighbours.bin: the words of the local model's vocabulary, each
// embedded alone, and which are near each other. Takes about a minute.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "embedders/local/local_embedder.hpp"
#include "ranking/english_neighbours.hpp"
#include "ranking/word_table.hpp"

namespace {

bool is_word(const std::string& piece) {
  return piece.size() > 1 &&
         std::all_of(piece.begin(), piece.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

}  // namespace

int main(int argc, char** argv) {
  using namespace bb5;
  if (argc != 3) {
    std::cerr << "usage: make_english_neighbours VOCABULARY OUTPUT\n";
    return 2;
  }
  std::ifstream in(argv[1]);
  std::vector<ranking::SurfaceWord> words;
  for (std::string line; std::getline(in, line);) {
    if (is_word(line)) words.push_back({line, 1, {}});
  }
  const auto embedder = new_local_embedder();
  if (words.empty() || !embedder) {
    std::cerr << (words.empty() ? "no vocabulary" : embedder.error().message) << '\n';
    return 1;
  }
  for (auto& word : words) {
    const std::string_view text = word.word;
    auto vectors = (*embedder)->embed({&text, 1});
    if (!vectors) {
      std::cerr << vectors.error().message << '\n';
      return 1;
    }
    word.vector = std::move(vectors->front());
  }
  const ranking::WordTable table(words, ranking::table_neighbours);
  std::ofstream out(argv[2], std::ios::binary);
  out << ranking::write_neighbours(table.terms(), table);
  return out.flush() ? 0 : 1;
}
