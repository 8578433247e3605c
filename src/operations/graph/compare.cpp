#include "operations/graph/compare.hpp"

#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/time.hpp"
#include "base/utf8.hpp"
#include "model/graph.hpp"

namespace bb5 {
namespace {

// ---- What is shown
// --------------------------------------------------------------------------------

std::string shown(std::string_view text) {
  constexpr std::size_t longest = 200;
  const std::string storable = to_storable_utf8(text);
  return std::string(first_code_points(storable, longest));
}
std::string shown(std::int64_t number) {
  return std::to_string(number);
}
std::string shown(bool flag) {
  return flag ? "true" : "false";
}
std::string shown(const std::optional<double>& number) {
  return number ? fmt::format("{}", *number) : "none";
}
std::string shown(const std::optional<Timestamp>& time) {
  return time ? to_rfc3339(*time) : "none";
}
std::string shown(const std::vector<std::string>& texts) {
  std::string list = "[";
  for (const auto& text : texts) {
    if (list.size() > 1) list += ", ";
    list += text;
  }
  return shown(list + "]");
}

// ---- The three kinds of rows
// ----------------------------------------------------------------------

using Add =
    std::function<void(const char* field, const std::string& left, const std::string& right)>;

template <class Row>
struct Kind;

template <>
struct Kind<Entity> {
  static constexpr auto kind = GraphChange::Kind::entity;
  using Key = std::string;
  static Key key(const Entity& row) { return row.key; }
  static std::string text(const Key& key) { return key; }
  static Result<std::vector<Entity>> page(const EntityGraph& graph, const Key& after,
                                          std::size_t limit) {
    return graph.entities(after, limit);
  }
  static GraphChange removal(const Entity& row) {
    GraphChange change{.kind = kind, .rev = row.rev, .removed = true};
    change.entity.key = row.key;
    return change;
  }
  static void compare(const Entity& left, const Entity& right, const Add& add) {
    if (left.name != right.name) add("name", shown(left.name), shown(right.name));
    if (left.type != right.type) add("type", shown(left.type), shown(right.type));
    if (left.mention_count != right.mention_count)
      add("mention_count", shown(left.mention_count), shown(right.mention_count));
    if (left.first_seen != right.first_seen)
      add("first_seen", shown(left.first_seen), shown(right.first_seen));
    if (left.last_seen != right.last_seen)
      add("last_seen", shown(left.last_seen), shown(right.last_seen));
    if (left.aliases != right.aliases) add("aliases", shown(left.aliases), shown(right.aliases));
    if (left.names != right.names) add("names", shown(left.names), shown(right.names));
    if (left.placeholder != right.placeholder)
      add("placeholder", shown(left.placeholder), shown(right.placeholder));
  }
};

template <>
struct Kind<Relationship> {
  static constexpr auto kind = GraphChange::Kind::relationship;
  using Key = std::string;
  static Key key(const Relationship& row) { return relationship_key(row); }
  static std::string text(const Key& key) { return key; }
  static Result<std::vector<Relationship>> page(const EntityGraph& graph, const Key& after,
                                                std::size_t limit) {
    return graph.relationships(after, limit);
  }
  static GraphChange removal(const Relationship& row) {
    GraphChange change{.kind = kind, .rev = row.rev, .removed = true};
    change.relationship = row;
    return change;
  }
  static void compare(const Relationship& left, const Relationship& right, const Add& add) {
    if (left.confidence != right.confidence)
      add("confidence", shown(left.confidence), shown(right.confidence));
    if (left.observation_count != right.observation_count)
      add("observation_count", shown(left.observation_count), shown(right.observation_count));
    if (left.first_observed != right.first_observed)
      add("first_observed", shown(left.first_observed), shown(right.first_observed));
    if (left.last_observed != right.last_observed)
      add("last_observed", shown(left.last_observed), shown(right.last_observed));
  }
};

template <>
struct Kind<Mention> {
  static constexpr auto kind = GraphChange::Kind::mention;
  using Key = std::pair<MemoryId, std::string>;
  static Key key(const Mention& row) { return {row.memory, row.entity_key}; }
  static std::string text(const Key& key) { return key.first.to_string() + "\u241F" + key.second; }
  static Result<std::vector<Mention>> page(const EntityGraph& graph, const Key& after,
                                           std::size_t limit) {
    return graph.mentions({.memory = after.first, .entity_key = after.second}, limit);
  }
  static GraphChange removal(const Mention& row) {
    GraphChange change{.kind = kind, .rev = row.rev, .removed = true};
    change.mention = row;
    return change;
  }
  static void compare(const Mention&, const Mention&, const Add&) {}
};

// ---- Reading in order
// -----------------------------------------------------------------------------

/// One side's rows, a page at a time.
template <class Row>
class Stream {
 public:
  using Key = typename Kind<Row>::Key;

  Stream(const EntityGraph& graph, const char* side, std::size_t page)
      : graph_(graph), side_(side), page_(page) {}

  /// The next row, or null at the end.
  Result<const Row*> peek() {
    if (at_ == rows_.size() && !ended_) {
      auto rows = Kind<Row>::page(graph_, last_, page_);
      if (!rows) return std::move(rows).error();
      rows_ = *std::move(rows);
      at_ = 0;
      ended_ = rows_.empty();
    }
    if (at_ == rows_.size()) return static_cast<const Row*>(nullptr);
    if (Kind<Row>::key(rows_[at_]) < last_)
      return Error{.code = Errc::corrupt,
                   .message = fmt::format(
                       "the graph on the {} gives {} keys out of order: {} after {}", side_,
                       name_of(Kind<Row>::kind), shown(Kind<Row>::text(Kind<Row>::key(rows_[at_]))),
                       shown(Kind<Row>::text(last_)))};
    return &rows_[at_];
  }

  void pop() {
    last_ = Kind<Row>::key(rows_[at_++]);
    ++count_;
  }

  [[nodiscard]] bool starts_page() const { return at_ == 0; }
  [[nodiscard]] bool repeats_last(const Key& key) const { return count_ > 0 && key == last_; }
  [[nodiscard]] std::int64_t count() const { return count_; }

  /// The row of this key as it is now, read again from the last row before it.
  Result<std::optional<Row>> reread(const Key& key) const {
    Key after = last_;
    while (true) {
      auto rows = Kind<Row>::page(graph_, after, few);
      if (!rows) return std::move(rows).error();
      for (auto& row : *rows) {
        Key found = Kind<Row>::key(row);
        if (found == key) return std::optional<Row>(std::move(row));
        if (key < found || found < after) return std::optional<Row>{};
        after = std::move(found);
      }
      if (rows->empty()) return std::optional<Row>{};
    }
  }

 private:
  static constexpr std::size_t few = 16;
  const EntityGraph& graph_;
  const char* side_;
  std::size_t page_;
  std::vector<Row> rows_;
  std::size_t at_ = 0;
  bool ended_ = false;
  Key last_{};
  std::int64_t count_ = 0;
};

class Comparer {
 public:
  Comparer(const EntityGraph& left, const EntityGraph& right, const CompareOptions& options)
      : left_(left), right_(right), options_(options) {}

  Result<GraphComparison> run() {
    BB5_TRY(join<Entity>(&GraphCounts::entities));
    BB5_TRY(join<Relationship>(&GraphCounts::relationships));
    BB5_TRY(join<Mention>(&GraphCounts::mentions));
    return std::move(comparison_);
  }

 private:
  template <class Row>
  Result<> join(std::int64_t GraphCounts::*count) {
    const std::size_t page = options_.page == 0 ? 1 : options_.page;
    Stream<Row> left(left_, "left", page);
    Stream<Row> right(right_, "right", page);
    while (true) {
      auto on_left = left.peek();
      if (!on_left) return std::move(on_left).error();
      auto on_right = right.peek();
      if (!on_right) return std::move(on_right).error();
      const Row* l = *on_left;
      const Row* r = *on_right;
      if (l == nullptr && r == nullptr) break;
      if (l != nullptr && left.starts_page()) BB5_TRY(report_progress());
      if (l != nullptr && left.repeats_last(Kind<Row>::key(*l))) {
        add<Row>(Kind<Row>::key(*l), "row", "two", "one");
        left.pop();
        continue;
      }
      if (r != nullptr && right.repeats_last(Kind<Row>::key(*r))) {
        add<Row>(Kind<Row>::key(*r), "row", "one", "two");
        right.pop();
        continue;
      }
      const bool take_left =
          l != nullptr && (r == nullptr || !(Kind<Row>::key(*r) < Kind<Row>::key(*l)));
      const bool take_right =
          r != nullptr && (l == nullptr || !(Kind<Row>::key(*l) < Kind<Row>::key(*r)));
      const auto key = Kind<Row>::key(take_left ? *l : *r);
      if (!(take_left && take_right) || !same(*l, *r)) {
        auto now_left = left.reread(key);
        if (!now_left) return std::move(now_left).error();
        auto now_right = right.reread(key);
        if (!now_right) return std::move(now_right).error();
        BB5_TRY(judge<Row>(key, *now_left, *now_right));
      }
      if (take_left) left.pop();
      if (take_right) right.pop();
      rows_done_ += take_left ? 1 : 0;
    }
    comparison_.left.*count = left.count();
    comparison_.right.*count = right.count();
    return ok();
  }

  template <class Row>
  bool same(const Row& left, const Row& right) const {
    bool equal = !options_.compare_revisions || left.rev == right.rev;
    Kind<Row>::compare(left, right, [&equal](const char*, const std::string&, const std::string&) {
      equal = false;
    });
    return equal;
  }

  template <class Row>
  Result<> judge(const typename Kind<Row>::Key& key, const std::optional<Row>& left,
                 const std::optional<Row>& right) {
    if (!left && !right) return ok();
    if (!left || !right) {
      add<Row>(key, "row", left ? "one" : "none", right ? "one" : "none");
      if (!left && options_.extra) return options_.extra(Kind<Row>::removal(*right));
      return ok();
    }
    Kind<Row>::compare(
        *left, *right,
        [&](const char* field, const std::string& on_left, const std::string& on_right) {
          add<Row>(key, field, on_left, on_right);
        });
    if (options_.compare_revisions && left->rev != right->rev)
      add<Row>(key, "rev", shown(left->rev), shown(right->rev));
    return ok();
  }

  template <class Row>
  void add(const typename Kind<Row>::Key& key, const char* field, const std::string& left,
           const std::string& right) {
    ++comparison_.found;
    if (comparison_.differences.size() >= options_.limit) return;
    comparison_.differences.push_back({.kind = Kind<Row>::kind,
                                       .key = Kind<Row>::text(key),
                                       .field = field,
                                       .left = left,
                                       .right = right});
  }

  Result<> report_progress() const {
    if (options_.progress && !options_.progress(rows_done_))
      return Error{.code = Errc::cancelled, .message = "the comparison was cancelled"};
    return ok();
  }

  const EntityGraph& left_;
  const EntityGraph& right_;
  const CompareOptions& options_;
  GraphComparison comparison_;
  std::int64_t rows_done_ = 0;
};

}  // namespace

const char* name_of(GraphChange::Kind kind) noexcept {
  switch (kind) {
    case GraphChange::Kind::entity:
      return "entity";
    case GraphChange::Kind::relationship:
      return "relationship";
    case GraphChange::Kind::mention:
      return "mention";
  }
  return "row";
}

std::string key_of(const GraphChange& change) {
  switch (change.kind) {
    case GraphChange::Kind::entity:
      return change.entity.key;
    case GraphChange::Kind::relationship:
      return relationship_key(change.relationship);
    case GraphChange::Kind::mention:
      return Kind<Mention>::text(Kind<Mention>::key(change.mention));
  }
  return {};
}

Result<GraphComparison> compare_graphs(const EntityGraph& left, const EntityGraph& right,
                                       const CompareOptions& options) {
  return Comparer(left, right, options).run();
}

}  // namespace bb5
