#include "operations/recall/names_of_entities.hpp"

namespace bb5 {

Result<std::vector<std::string>> names_of_entities(const Bank& bank,
                                                   const std::vector<std::string>& names) {
  std::vector<std::string> all = names;
  for (const std::string& name : names) {
    auto entity = bank.entity_named(name);
    if (!entity) return std::move(entity).error();
    if (!*entity) continue;
    all.push_back((*entity)->name);
    all.insert(all.end(), (*entity)->names.begin(), (*entity)->names.end());
  }
  return all;
}

}  // namespace bb5
