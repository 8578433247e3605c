#include "operations/migrate/name_choices.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace bb5 {

void NameChoices::add(const std::string& file, const SourceRecord& record) {
  Use use{.file = file, .ordinal = record.ordinal, .byte_from = record.byte_from};
  const auto ends = [&](const RelationshipFact& fact, const std::string& where) {
    if (name_key_of(fact.subject).empty() || name_key_of(fact.object).empty()) return;  // no edge
    use.pointer = where + "/subject";
    note(fact.subject, use);
    use.pointer = where + "/object";
    note(fact.object, use);
  };
  if (const auto* fact = std::get_if<RelationshipFact>(&record.item)) ends(*fact, "");
  if (const auto* memory = std::get_if<Memory>(&record.item)) {
    if (const auto facts = facts_of(*memory); facts.relationship)
      ends(*facts.relationship, "/metadata");
  }
}

void NameChoices::note(std::string name, Use use) {
  use.name = std::move(name);
  first_.try_emplace(name_key_of(use.name), std::move(use));
}

LedgerIssue NameChoices::remark(const Use& use, std::string code, std::string message) {
  return {.kind = LedgerIssue::Kind::warning,
          .ordinal = use.ordinal,
          .byte_from = use.byte_from,
          .pointer = use.pointer,
          .code = std::move(code),
          .message = std::move(message)};
}

Result<std::map<std::string, std::vector<LedgerIssue>>> NameChoices::remarks(
    const EntityGraph& graph) const {
  std::map<std::string, std::vector<LedgerIssue>> found;
  if (first_.empty()) return found;
  constexpr std::size_t page = 5000;
  std::map<std::string, std::vector<std::string>> bearers;  // keys of entities, by name_key_of()
  std::string after;
  while (true) {
    auto entities = graph.entities(after, page);
    if (!entities) return std::move(entities).error();
    if (entities->empty()) break;
    after = entities->back().key;
    for (const Entity& entity : *entities) {
      const auto use = first_.find(name_key_of(entity.name));
      if (use == first_.end()) continue;
      if (entity.placeholder) {
        found[use->second.file].push_back(
            remark(use->second, placeholder_code,
                   fmt::format("no entity is called `{}`: a node of type {} stands in for it",
                               use->second.name, placeholder_type)));
      } else {
        bearers[use->first].push_back(entity.key);
      }
    }
  }
  for (const auto& [name, keys] : bearers) {
    if (keys.size() < 2) continue;
    const Use& use = first_.at(name);
    auto meant = graph.entity_named(use.name);
    if (!meant) return std::move(meant).error();
    if (!*meant) continue;
    found[use.file].push_back(
        remark(use, ambiguous_code,
               fmt::format("`{}` may be {}: taken as {}, which is mentioned most", use.name,
                           fmt::join(keys, " or "), (*meant)->key)));
  }
  for (auto& [file, issues] : found) {
    std::stable_sort(issues.begin(), issues.end(), [](const LedgerIssue& a, const LedgerIssue& b) {
      return a.ordinal < b.ordinal;
    });
  }
  return found;
}

}  // namespace bb5
