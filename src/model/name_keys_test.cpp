#include "model/name_keys.hpp"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/entity_resolution.hpp"

namespace bb5 {
namespace {

bool alike(const NamedEntity& a, const NamedEntity& b) {
  AlikeNames names;
  names.add(a.name, a.type);
  return names.may_hold(b.name, b.type);
}

/// The names of tests/data/entity_pairs.tsv.
std::vector<NamedEntity> labelled_names() {
  std::ifstream file(BB5_SOURCE_DIR "/tests/data/entity_pairs.tsv");
  std::vector<NamedEntity> names;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::vector<std::string> fields;
    std::istringstream cut(line);
    for (std::string field; std::getline(cut, field, '\t');) fields.push_back(field);
    names.push_back({fields.at(2), fields.at(3)});
    names.push_back({fields.at(4), fields.at(5)});
  }
  return names;
}

TEST(NameKeys, FindWhateverTheRulesCallTheSameAndLittleElse) {
  const std::vector<NamedEntity> all = labelled_names();
  int same = 0;
  int alike = 0;
  int compared = 0;
  for (std::size_t i = 0; i < all.size(); i += 11) {  // each with all the others
    AlikeNames names;
    names.add(all[i].name, all[i].type);
    for (const NamedEntity& other : all) {
      ++compared;
      const bool held = names.may_hold(other.name, other.type);
      if (held) ++alike;
      const NameMatch match = match_names(all[i], other);
      if (match.sameness != Sameness::same) continue;
      ++same;
      EXPECT_TRUE(held) << all[i].name << " / " << other.name << ": " << match.reason;
    }
  }
  EXPECT_GT(same, 100);
  EXPECT_LT(alike, same * 3);
  EXPECT_GT(compared, same * 100);
}

TEST(NameKeys, FindWhatOneRuleAloneCallsTheSame) {
  const std::pair<NamedEntity, NamedEntity> pairs[] = {
      {{"Node.js", "technology"}, {"node js", "unknown"}},
      {{"A B Inc.", "organization"}, {"AB", "organization"}},
      {{"Acme GmbH", "unknown"}, {"ACME", "company"}},
      {{"The Hitchhikers", "organization"}, {"Hitchhikers", "organization"}},
      {{"Dr. Wu", "person"}, {"Wu", "person"}},
      {{"Lovelace, Ada", "person"}, {"Ada Lovelace", "unknown"}},
      {{"golang", "technology"}, {"Go", "technology"}},
      {{"VS Code", "technology"}, {"Visual Studio Code", "technology"}},
      {{"Redis database", "unknown"}, {"Redis", "technology"}},
      {{"Apollo project", "project"}, {"Project Apollo", "project"}},
      {{"k8s", "technology"}, {"Kubernetes", "technology"}},
      {{"Model Context Protocol (MCP)", "technology"}, {"MCP", "technology"}},
      {{"Retrieval Augmented Text Generation", "concept"}, {"RATG", "concept"}},
      {{"boxes", "concept"}, {"box", "concept"}},
      {{"cities", "concept"}, {"city", "unknown"}},
      {{"Organisations", "concept"}, {"organization", "concept"}},
      {{"Kubbernetes", "technology"}, {"Kubernetes", "technology"}},
      {{"Ppostgresql", "technology"}, {"PostgreSQL", "technology"}},
      {{"Psotgresql", "technology"}, {"PostgreSQL", "technology"}},
      {{"./src/main.cpp", "file"}, {"src/main.cpp", "unknown"}},
      {{"Z\u00FCrich", "location"}, {"Zuerich", "location"}},
      {{"\u041C\u043E\u0441\u043A\u0432\u0430", "city"}, {"Moskva", "location"}},
  };
  for (const auto& [a, b] : pairs) {
    EXPECT_EQ(match_names(a, b).sameness, Sameness::same) << a.name << " / " << b.name;
    EXPECT_TRUE(alike(a, b)) << a.name << " / " << b.name;
    EXPECT_TRUE(alike(b, a)) << b.name << " / " << a.name;
  }
}

TEST(NameKeys, TellApartWhatOnlyBeginsAlike) {
  EXPECT_FALSE(alike({"PostgreSQL", "technology"}, {"PostgREST", "technology"}));
  EXPECT_FALSE(alike({"GPT-4", "technology"}, {"GPT-4o", "technology"}));
  EXPECT_FALSE(alike({"Kubernetes", "technology"}, {"Karpenters", "technology"}))
      << "two long words of one length are no short form of each other";
}

TEST(NameKeys, OfAnyText) {
  NameKeys keys(NameKeys::Reach::perhaps);
  for (const char* name : {"", " ", "()", "(a)", "\xFF", "'", ".", "v", "v 1", "\"", "1", "\u00E4"})
    for (const char* type : {"", "file", "person", "unknown", "feature"})
      EXPECT_LT(keys.of(name, type).size(), 40U) << name;
}

}  // namespace
}  // namespace bb5
