#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/entity_resolution.hpp"

namespace bb5 {

/// Two names, and whether a person says that they certainly name one thing.
struct EntityPair {
  bool held_out = false;  ///< It had no say in the rules and thresholds.
  bool same = false;
  NamedEntity a;
  NamedEntity b;
};

/// Of a file like tests/data/entity_pairs.tsv: dev or held, same or apart, name, type, name, type;
/// lines that begin with # are remarks. Errors: not_found; corrupt, naming the line.
inline Result<std::vector<EntityPair>> read_entity_pairs(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) return Error{Errc::not_found, "cannot read " + file.string()};
  std::vector<EntityPair> pairs;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    if (line.empty() || line.front() == '#') continue;
    std::vector<std::string> cells;
    std::istringstream cut(line);
    for (std::string cell; std::getline(cut, cell, '\t');) cells.push_back(cell);
    if (cells.size() != 6 || (cells[0] != "dev" && cells[0] != "held") ||
        (cells[1] != "same" && cells[1] != "apart")) {
      return Error{Errc::corrupt,
                   file.string() + ", line " + std::to_string(number) + ": not a pair",
                   "six cells between tabs: dev or held, same or apart, name, type, name, type"};
    }
    pairs.push_back(
        {cells[0] == "held", cells[1] == "same", {cells[2], cells[3]}, {cells[4], cells[5]}});
  }
  return pairs;
}

}  // namespace bb5
