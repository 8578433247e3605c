#include "operations/transfer/copy.hpp"

#include <algorithm>
#include <map>
#include <span>

#include <fmt/format.h>

namespace bb5 {
namespace {

constexpr std::size_t page_size = 500;
constexpr std::size_t documents_a_page = 50;  // each with all that it says
constexpr std::size_t all_issues = 10'000'000;
constexpr std::size_t shown_differences = 1000;

/// Facts that stand for themselves: those of memories come with the memories.
template <class Fact>
void drop_facts_of_memories(std::vector<Fact>& facts) {
  std::erase_if(facts, [](const Fact& fact) { return fact.memory.has_value(); });
}

Result<> require_empty(const Bank& bank) {
  auto stats = bank.stats();
  if (!stats) return std::move(stats).error();
  auto runs = bank.runs();
  if (!runs) return std::move(runs).error();
  auto documents = bank.documents({}, 1);
  if (!documents) return std::move(documents).error();
  if (stats->memories > 0 || stats->cached_embeddings > 0 || stats->entities > 0 ||
      !runs->empty() || !documents->empty()) {
    return Error{
        Errc::conflict,
        fmt::format("the bank to write to is not empty: it holds {} memories", stats->memories),
        "name a bank or store that does not exist yet"};
  }
  return ok();
}

Result<std::vector<Standing>> standings_of(const Bank& bank, std::span<const Memory> memories) {
  std::vector<MemoryId> ids;
  ids.reserve(memories.size());
  for (const Memory& memory : memories) ids.push_back(memory.id);
  return bank.standings(ids);
}

Result<std::int64_t> copy_memories(const Bank& from, Bank& to, const CopyProgress& progress) {
  std::int64_t copied = 0;
  std::int64_t after = 0;
  while (true) {
    auto page = from.page({.after_seq = after, .limit = page_size});
    if (!page) return std::move(page).error();
    if (page->empty()) return copied;
    after = page->back().seq;
    auto standings = standings_of(from, *page);
    if (!standings) return std::move(standings).error();
    for (Memory& memory : *page) memory.seq = 0;
    auto written = to.write({.memories = *page, .fold = false, .standings = *standings});
    if (!written) return std::move(written).error();
    copied += std::ssize(*page);
    if (progress && !progress(copied)) return Error{Errc::cancelled, "copying was stopped"};
  }
}

/// Those that memories came with travel with them.
Result<> copy_other_vectors(const Bank& from, Bank& to, const StoreStats& stats) {
  for (const auto& [model, count] : stats.other_vectors) {
    for (std::int64_t after = 0;;) {
      auto held = from.held_vectors(model, after, page_size);
      if (!held) return std::move(held).error();
      if (held->empty()) break;
      after = held->back().seq;
      std::vector<MadeVector> vectors;
      for (OtherVectors::Held& one : *held) vectors.push_back(std::move(one.vector));
      // Of several lengths while a service was asked for others: each goes by itself.
      std::stable_sort(vectors.begin(), vectors.end(), [](const auto& a, const auto& b) {
        return a.embedding.size() < b.embedding.size();
      });
      for (auto first = vectors.begin(); first != vectors.end();) {
        const std::size_t length = first->embedding.size();
        const auto last = std::find_if(first, vectors.end(), [&](const MadeVector& vector) {
          return vector.embedding.size() != length;
        });
        auto kept = to.hold_vectors({model, length}, std::span(first, last));
        if (!kept) return std::move(kept).error();
        first = last;
      }
    }
  }
  return ok();
}

/// Adds each model of which the banks hold other vectors beside their own.
Result<> compare_other_vectors(const Bank& left, const Bank& right,
                               std::vector<Difference>& found) {
  auto ours = left.stats();
  if (!ours) return std::move(ours).error();
  auto theirs = right.stats();
  if (!theirs) return std::move(theirs).error();
  for (const auto& [model, count] : ours->other_vectors) {
    const auto there = theirs->other_vectors.find(model);
    bool same = there != theirs->other_vectors.end() && there->second == count;
    std::int64_t after_left = 0;
    std::int64_t after_right = 0;
    while (same) {
      auto a = left.held_vectors(model, after_left, page_size);
      if (!a) return std::move(a).error();
      auto b = right.held_vectors(model, after_right, page_size);
      if (!b) return std::move(b).error();
      const auto is_same = [](const OtherVectors::Held& x, const OtherVectors::Held& y) {
        return x.vector == y.vector;
      };
      same = std::equal(a->begin(), a->end(), b->begin(), b->end(), is_same);
      if (a->empty()) break;
      after_left = a->back().seq;
      if (!b->empty()) after_right = b->back().seq;
    }
    if (!same)
      found.push_back({"vectors of other models", model, fmt::format("{}", count),
                       there == theirs->other_vectors.end() ? "none" : "others"});
  }
  for (const auto& [model, count] : theirs->other_vectors) {
    if (!ours->other_vectors.contains(model))
      found.push_back({"vectors of other models", model, "none", fmt::format("{}", count)});
  }
  return ok();
}

Result<> copy_facts(const Bank& from, Bank& to) {
  std::int64_t after = 0;
  while (true) {
    auto facts = from.entity_facts(after, page_size);
    if (!facts) return std::move(facts).error();
    if (facts->empty()) break;
    after = facts->back().seq;
    drop_facts_of_memories(*facts);
    auto written = to.write({.entity_facts = *facts, .fold = false});
    if (!written) return std::move(written).error();
  }
  after = 0;
  while (true) {
    auto facts = from.relationship_facts(after, page_size);
    if (!facts) return std::move(facts).error();
    if (facts->empty()) break;
    after = facts->back().seq;
    drop_facts_of_memories(*facts);
    auto written = to.write({.relationship_facts = *facts, .fold = false});
    if (!written) return std::move(written).error();
  }
  return ok();
}

Result<> copy_documents(const Bank& from, Bank& to) {
  std::string after;
  while (true) {
    auto documents = from.documents(after, documents_a_page);
    if (!documents) return std::move(documents).error();
    if (documents->empty()) return ok();
    for (RetainedDocument& document : *documents) {
      after = document.source;
      const DocumentChange change{.document = std::move(document), .previous_digest = {}};
      auto written = to.write({.fold = false, .documents = std::span(&change, 1)});
      if (!written) return std::move(written).error();
    }
  }
}

Result<> copy_cache(const Bank& from, Bank& to) {
  EmbeddingCache::Entry last;
  while (true) {
    auto entries = from.cached_embeddings(last.model, last.text_md5, page_size);
    if (!entries) return std::move(entries).error();
    if (entries->empty()) return ok();
    last = entries->back();
    auto written = to.cache_embeddings(*entries, nullptr);
    if (!written) return std::move(written).error();
  }
}

Result<> copy_ledger(const Bank& from, Bank& to) {
  auto runs = from.runs();
  if (!runs) return std::move(runs).error();
  for (auto run = runs->rbegin(); run != runs->rend(); ++run) {
    auto batches = from.batches(run->run);
    if (!batches) return std::move(batches).error();
    auto issues = from.issues(run->run, all_issues);
    if (!issues) return std::move(issues).error();
    std::map<std::string, std::size_t> last_of_file;
    for (std::size_t i = 0; i < batches->size(); ++i) last_of_file[(*batches)[i].file] = i;
    for (auto& [file, issue] : *issues) {
      if (const auto last = last_of_file.find(file); last != last_of_file.end())
        (*batches)[last->second].issues.push_back(std::move(issue));
    }
    BB5_TRY(to.restore_run(*run, *batches));
  }
  return ok();
}

/// Adds each document in which the banks differ.
Result<> compare_documents(const Bank& left, const Bank& right, std::vector<Difference>& found) {
  std::string after;
  while (true) {
    auto ours = left.documents(after, documents_a_page);
    if (!ours) return std::move(ours).error();
    auto theirs = right.documents(after, documents_a_page);
    if (!theirs) return std::move(theirs).error();
    const auto shown = [](const std::vector<RetainedDocument>& documents, std::size_t i) {
      if (i >= documents.size()) return std::string("absent");
      const RetainedDocument& document = documents[i];
      return fmt::format("{}, retained {}: {} memories, {} facts", document.source,
                         to_rfc3339(document.retained_at), document.memories.size(),
                         document.entity_facts.size() + document.relationship_facts.size());
    };
    for (std::size_t i = 0; i < std::max(ours->size(), theirs->size()); ++i) {
      if (i < ours->size() && i < theirs->size() && (*ours)[i] == (*theirs)[i]) continue;
      found.push_back({"documents", "document", shown(*ours, i), shown(*theirs, i)});
      if (i >= ours->size() || i >= theirs->size() || (*ours)[i].source != (*theirs)[i].source)
        return ok();  // from here on everything would differ
    }
    if (ours->empty()) return ok();
    after = ours->back().source;
  }
}

/// Adds each memory of the page that documents close in one bank and not in the other.
Result<> compare_standings(const Bank& left, const Bank& right, std::span<const Memory> page,
                           std::vector<Difference>& found) {
  auto ours = standings_of(left, page);
  if (!ours) return std::move(ours).error();
  auto theirs = standings_of(right, page);
  if (!theirs) return std::move(theirs).error();
  constexpr const char* shown[] = {"by itself", "said", "unsaid"};
  for (std::size_t i = 0; i < page.size(); ++i) {
    if ((*ours)[i] == (*theirs)[i]) continue;
    found.push_back({page[i].legacy_id, "standing", shown[static_cast<int>((*ours)[i])],
                     shown[static_cast<int>((*theirs)[i])]});
  }
  return ok();
}

}  // namespace

Result<std::int64_t> copy_bank(const Bank& from, Bank& to, const CopyProgress& progress) {
  BB5_TRY(require_empty(to));
  auto embedder = from.embedder();
  if (!embedder) return std::move(embedder).error();
  if (embedder->dimension != 0) BB5_TRY(to.set_embedder(*embedder));
  auto copied = copy_memories(from, to, progress);
  if (!copied) return copied;
  auto stats = from.stats();
  if (!stats) return std::move(stats).error();
  BB5_TRY(copy_other_vectors(from, to, *stats));
  BB5_TRY(copy_facts(from, to));
  BB5_TRY(copy_documents(from, to));
  BB5_TRY(copy_cache(from, to));
  BB5_TRY(copy_ledger(from, to));
  auto merges = from.merges();
  if (!merges) return std::move(merges).error();
  BB5_TRY(to.merge_entities(*merges));
  auto apart = from.kept_apart();
  if (!apart) return std::move(apart).error();
  BB5_TRY(to.keep_apart(*apart));
  BB5_TRY(to.fold_graph());
  BB5_TRY(to.derive([](const MemorySearch::DerivedStep&) { return true; }));
  return copied;
}

Result<std::vector<Difference>> compare_banks(const Bank& left, const Bank& right,
                                              const CopyProgress& progress) {
  std::vector<Difference> found;
  std::int64_t after_left = 0;
  std::int64_t after_right = 0;
  std::int64_t compared = 0;
  while (found.size() < shown_differences) {
    auto ours = left.page({.after_seq = after_left, .limit = page_size});
    if (!ours) return std::move(ours).error();
    auto theirs = right.page({.after_seq = after_right, .limit = page_size});
    if (!theirs) return std::move(theirs).error();
    if (ours->empty() && theirs->empty()) break;
    const std::size_t both = std::min(ours->size(), theirs->size());
    for (std::size_t i = 0; i < both; ++i) {
      const Memory& a = (*ours)[i];
      const Memory& b = (*theirs)[i];
      if (a.id != b.id) {
        found.push_back({a.legacy_id, "order", a.id.to_string(), b.id.to_string()});
        return found;  // from here on everything would differ
      }
      for (FieldDifference& field : differences(a, b))
        found.push_back(
            {a.legacy_id, std::move(field.field), std::move(field.left), std::move(field.right)});
    }
    BB5_TRY(compare_standings(left, right, std::span(*ours).first(both), found));
    for (std::size_t i = both; i < ours->size(); ++i)
      found.push_back({(*ours)[i].legacy_id, "missing", "there", "absent"});
    for (std::size_t i = both; i < theirs->size(); ++i)
      found.push_back({(*theirs)[i].legacy_id, "extra", "absent", "there"});
    if (!ours->empty()) after_left = ours->back().seq;
    if (!theirs->empty()) after_right = theirs->back().seq;
    compared += std::ssize(*ours);
    if (progress && !progress(compared)) return Error{Errc::cancelled, "comparing was stopped"};
  }
  EmbeddingCache::Entry last;
  while (true) {
    auto ours = left.cached_embeddings(last.model, last.text_md5, page_size);
    if (!ours) return std::move(ours).error();
    auto theirs = right.cached_embeddings(last.model, last.text_md5, page_size);
    if (!theirs) return std::move(theirs).error();
    if (*ours != *theirs)
      found.push_back({"embedding cache", "entries",
                       fmt::format("{} from {}", ours->size(), last.text_md5),
                       fmt::format("{}, others", theirs->size())});
    if (ours->empty()) break;
    last = ours->back();
  }
  BB5_TRY(compare_other_vectors(left, right, found));
  BB5_TRY(compare_documents(left, right, found));
  const auto left_merges = left.merges();
  const auto right_merges = right.merges();
  if (!left_merges) return left_merges.error();
  if (!right_merges) return right_merges.error();
  if (*left_merges != *right_merges) {
    found.push_back({"graph", "merges", fmt::format("{}", left_merges->size()),
                     fmt::format("{}, others", right_merges->size())});
  }
  const auto left_apart = left.kept_apart();
  const auto right_apart = right.kept_apart();
  if (!left_apart) return left_apart.error();
  if (!right_apart) return right_apart.error();
  if (*left_apart != *right_apart) {
    found.push_back({"graph", "kept apart", fmt::format("{} pairs", left_apart->size()),
                     fmt::format("{} pairs, others", right_apart->size())});
  }
  const auto left_graph = left.graph_counts();
  const auto right_graph = right.graph_counts();
  if (!left_graph) return left_graph.error();
  if (!right_graph) return right_graph.error();
  if (*left_graph != *right_graph) {
    const auto shown = [](const GraphCounts& counts) {
      return fmt::format("{} nodes, {} edges, {} mentions", counts.entities, counts.relationships,
                         counts.mentions);
    };
    found.push_back({"graph", "counts", shown(*left_graph), shown(*right_graph)});
  }
  auto tables = verify_graph_tables(right);
  if (!tables) return std::move(tables).error();
  found.insert(found.end(), tables->begin(), tables->end());
  return found;
}

}  // namespace bb5
