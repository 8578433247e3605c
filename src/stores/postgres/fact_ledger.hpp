#pragma once

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <vector>

#include "ports/memory_store.hpp"
#include "stores/postgres/graph_rows.hpp"

namespace bb5::postgres {

/// The facts of one kind that a batch deals with: what the bank holds under their ids, and what it
/// will hold. Puts behave as if each were written on its own, in order.
template <class Fact>
class FactLedger {
 public:
  void hold(Fact fact) {
    const FactId id = fact.id;
    slots_[id] = {fact, std::nullopt, true};
  }

  WriteAction put(const Fact& fact, OnConflict on_conflict) {
    auto [place, fresh] = slots_.try_emplace(fact.id);
    Slot& slot = place->second;
    const Fact* current = slot.added               ? &*slot.added
                          : slot.kept && slot.held ? &*slot.held
                                                   : nullptr;
    if (current != nullptr) {
      Fact same = *current;
      same.seq = fact.seq;
      if (same == fact) return WriteAction::identical;
      if (on_conflict == OnConflict::keep) return WriteAction::conflict;
    }
    slot.kept = false;
    if (slot.added) order_.erase(std::find(order_.begin(), order_.end(), fact.id));
    slot.added = fact;
    order_.push_back(fact.id);
    return current == nullptr ? WriteAction::inserted : WriteAction::replaced;
  }

  /// What the memory said before goes.
  void remove_of(const MemoryId& memory) {
    for (auto& [id, slot] : slots_) {
      if (slot.held && slot.held->memory == memory) slot.kept = false;
    }
  }

  /// The fact goes, unless it belongs to a memory.
  void remove(const FactId& id) {
    const auto place = slots_.find(id);
    if (place != slots_.end() && place->second.held && !place->second.held->memory)
      place->second.kept = false;
  }

  /// The bank holds it when the batch is written.
  [[nodiscard]] bool has(const FactId& id) const {
    const auto place = slots_.find(id);
    if (place == slots_.end()) return false;
    return place->second.added.has_value() || (place->second.held && place->second.kept);
  }

  /// Those that were held and are not any more, under no content.
  [[nodiscard]] std::vector<Uuid> gone() const {
    std::vector<Uuid> ids;
    for (const auto& [id, slot] : slots_) {
      if (slot.held && !slot.kept && !slot.added) ids.push_back(id.uuid);
    }
    return ids;
  }

  [[nodiscard]] std::vector<Uuid> removed(Touched& touched) const {
    std::vector<Uuid> ids;
    for (const auto& [id, slot] : slots_) {
      if (!slot.held || slot.kept) continue;
      ids.push_back(id.uuid);
      touched.add(*slot.held);
    }
    return ids;
  }

  /// In the order of writing.
  [[nodiscard]] std::vector<const Fact*> added() const {
    std::vector<const Fact*> facts;
    for (const FactId& id : order_) facts.push_back(&*slots_.at(id).added);
    return facts;
  }

 private:
  struct Slot {
    std::optional<Fact> held;   // in the bank
    std::optional<Fact> added;  // by this batch
    bool kept = false;          // the held one stays
  };
  std::unordered_map<FactId, Slot> slots_;
  std::vector<FactId> order_;
};

}  // namespace bb5::postgres
