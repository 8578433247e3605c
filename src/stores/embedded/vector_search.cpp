#include "stores/embedded/vector_search.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "model/cosine.hpp"
#include "stores/embedded/cosine_kernels.hpp"
#include "stores/embedded/file_lock.hpp"
#include "stores/embedded/float_blob.hpp"
#include "stores/embedded/memory_rows.hpp"
#include "stores/embedded/sieve.hpp"

namespace bb5::embedded {
namespace {

/// Dead rows cost a scan their share; below this number nothing worth a new file.
constexpr std::int64_t most_dead = 1024;

bool are_too_many(std::int64_t dead, std::size_t rows) {
  return dead > most_dead && dead * 4 > static_cast<std::int64_t>(rows);
}

constexpr std::size_t everything = std::numeric_limits<std::size_t>::max();

/// What one transaction sees of the bank's vectors.
struct BankState {
  EmbedderInfo embedder;
  std::int64_t last_vec_id = 0;
  GraphIndex::Settings index;
};

Result<BankState> read_state(Connection& connection) {
  BankState state;
  static const std::string sql = fmt::format(
      "SELECT embedder_model, dimension, last_vec_id, {} FROM bank", GraphIndex::settings_columns);
  BB5_TRY(connection.each(sql, [&](const Row& row) {
    state.embedder = {row.string(0), static_cast<std::size_t>(row.integer(1))};
    state.last_vec_id = row.integer(2);
    state.index = GraphIndex::settings(row, 3);
  }));
  return state;
}

/// True when the file tells of this database's history: the last vector that both know bears the
/// same stamp, so the same transaction wrote it, after the same ones. The view is older than the
/// transaction; hence it can know nothing that the database does not.
Result<bool> belongs(Connection& connection, const CodesView& view, const BankState& state) {
  if (view.covers() > state.last_vec_id) return false;
  bool same = true;
  BB5_TRY(connection.each(
      "SELECT vec_id, stamp FROM vectors WHERE vec_id <= ? ORDER BY vec_id DESC LIMIT 1",
      [&](const Row& row) {
        const auto place = view.find(row.integer(0));
        same = place && view.stamp(*place) == row.integer(1);
      },
      view.covers()));
  return same;
}

/// A query as the kernels take it: q ≈ step · numbers.
struct CodedQuery {
  std::vector<std::int16_t> numbers;
  double step = 0;
  double length = 0;
  double rest = 0;  // |q − step · numbers| / |q|

  CodedQuery(std::span<const float> query, std::size_t width) : numbers(width, 0) {
    double largest = 0;
    double square = 0;
    double absolute = 0;
    for (const float x : query) {
      largest = std::max(largest, std::fabs(double{x}));
      absolute += std::fabs(double{x});
      square += double{x} * double{x};
    }
    length = std::sqrt(square);
    // As fine as 15 bits allow, and so that no sum of products leaves 32 bits.
    const double room =
        std::numeric_limits<std::int32_t>::max() / 127.0 - static_cast<double>(width);
    const double finest = std::min(32767.0, std::floor(room * largest / absolute));
    step = largest / finest;
    double residual = 0;
    for (std::size_t i = 0; i < query.size(); ++i) {
      numbers[i] = static_cast<std::int16_t>(std::lround(query[i] / step));
      const double left = query[i] - step * numbers[i];
      residual += left * left;
    }
    rest = std::sqrt(residual) / length;
  }
};

/// The k best hits so far, in the order of the answer: score descending, seq ascending.
class BestHits {
 public:
  struct Entry {
    double score;
    std::int64_t seq;
  };
  explicit BestHits(std::size_t k) : k_(k) {}

  void add(double score, std::int64_t seq) {
    const Entry entry{score, seq};
    if (entries_.size() == k_) {
      if (!better(entry, entries_.front())) return;
      std::pop_heap(entries_.begin(), entries_.end(), better);
      entries_.back() = entry;
    } else {
      entries_.push_back(entry);
    }
    std::push_heap(entries_.begin(), entries_.end(), better);
  }
  [[nodiscard]] bool full() const { return entries_.size() == k_; }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] double worst_score() const { return entries_.front().score; }
  [[nodiscard]] std::vector<Entry> sorted() && {
    std::sort(entries_.begin(), entries_.end(), better);
    return std::move(entries_);
  }

 private:
  static bool better(const Entry& a, const Entry& b) {
    return a.score != b.score ? a.score > b.score : a.seq < b.seq;
  }
  std::size_t k_;
  std::vector<Entry> entries_;  // a heap with the worst in front
};

/// A row of the file that may belong to the answer.
struct Candidate {
  float upper;  // its cosine is not greater
  std::uint32_t row;
};

/// Scans the file and keeps every row whose cosine can reach the `k`-th best lower bound.
class CandidateScan {
 public:
  CandidateScan(const CodesView& view, const CodedQuery& query, const Sieve& sieve, std::size_t k)
      : view_(view),
        query_(query),
        sieve_(sieve),
        k_(k),
        scale_(static_cast<float>(query.step / query.length)),
        error_factor_(static_cast<float>((1 + query.rest) * (1 + 1e-6))),
        error_term_(static_cast<float>(query.rest * (1 + 1e-6))) {
    if (sieve.listed) {
      listed_ = marks_of(*sieve.listed);
    } else if (sieve.labels) {
      labels_ = marks_of(*sieve.labels);
    }
    lower_.reserve(std::min(k, view.count()));
  }

  /// Over the rows from `begin` on.
  void run(std::size_t begin = 0) {
    for (std::size_t number = begin / CodesLayout::rows_per_block; number < view_.blocks();
         ++number) {
      const CodesView::Block block = view_.block(number);
      const std::size_t first =
          number == begin / CodesLayout::rows_per_block ? begin % CodesLayout::rows_per_block : 0;
      const auto first_row = static_cast<std::uint32_t>(number * CodesLayout::rows_per_block);
      // Reading on is cheaper than picking rows, unless few are wanted.
      constexpr std::ptrdiff_t few = CodesLayout::rows_per_block / 8;
      if (count_allowed(block) > few) {
        score(block, first, block.rows, first_row);
        continue;
      }
      for (std::size_t row = first; row < block.rows; ++row) {
        if (is_allowed(block, row)) score(block, row, row + 1, first_row);
      }
    }
    std::erase_if(candidates_,
                  [&](const Candidate& candidate) { return candidate.upper < threshold_; });
    std::sort(candidates_.begin(), candidates_.end(),
              [](const Candidate& a, const Candidate& b) { return a.upper > b.upper; });
  }

  /// Best upper bound first.
  [[nodiscard]] const std::vector<Candidate>& candidates() const { return candidates_; }
  /// No row that was left out reaches this cosine.
  [[nodiscard]] float threshold() const { return threshold_; }

 private:
  /// By number, whether it is among the ascending `numbers`.
  static std::vector<bool> marks_of(const std::vector<std::int64_t>& numbers) {
    std::vector<bool> marks(numbers.empty() ? 0 : static_cast<std::size_t>(numbers.back()) + 1);
    for (const std::int64_t number : numbers) marks[static_cast<std::size_t>(number)] = true;
    return marks;
  }
  template <class Number>
  static bool is_marked(const std::vector<bool>& marks, Number number) {
    const auto place = static_cast<std::size_t>(number);
    return place < marks.size() && marks[place];
  }

  [[nodiscard]] bool is_allowed(const CodesView::Block& block, std::size_t row) const {
    if (listed_) return is_marked(*listed_, block.vec_ids[row]);
    return !labels_ || is_marked(*labels_, block.labels[row]);
  }
  [[nodiscard]] std::ptrdiff_t count_allowed(const CodesView::Block& block) const {
    if (!listed_ && !labels_) return static_cast<std::ptrdiff_t>(block.rows);
    std::ptrdiff_t count = 0;
    for (std::size_t row = 0; row < block.rows; ++row) count += is_allowed(block, row) ? 1 : 0;
    return count;
  }

  void score(const CodesView::Block& block, std::size_t from, std::size_t to,
             std::uint32_t first_row) {
    const std::size_t width = view_.layout().width;
    kernel_(block.codes + from * width, to - from, width, query_.numbers.data(), sums_.data());
    for (std::size_t i = from; i < to; ++i) {
      const float near = scale_ * block.factors[i] * static_cast<float>(sums_[i - from]);
      const float error = block.errors[i] * error_factor_ + error_term_;
      if (near + error < threshold_ || !is_allowed(block, i)) continue;
      // Neither a candidate nor a bound for others.
      if (sieve_.leaves_out(block.vec_ids[i])) continue;
      candidates_.push_back({near + error, first_row + static_cast<std::uint32_t>(i)});
      raise_threshold(near - error);
    }
  }

  void raise_threshold(float lower) {
    if (lower_.size() == k_) {
      if (lower <= lower_.front()) return;
      std::pop_heap(lower_.begin(), lower_.end(), std::greater<>());
      lower_.back() = lower;
    } else {
      lower_.push_back(lower);
    }
    std::push_heap(lower_.begin(), lower_.end(), std::greater<>());
    if (lower_.size() == k_) threshold_ = lower_.front();
  }

  const CodesView& view_;
  const CodedQuery& query_;
  const Sieve& sieve_;
  const std::size_t k_;
  const float scale_;
  const float error_factor_;
  const float error_term_;
  const DotKernel kernel_ = dot_kernel();
  std::optional<std::vector<bool>> labels_;  // by label
  std::optional<std::vector<bool>> listed_;  // by vec_id
  std::array<std::int32_t, CodesLayout::rows_per_block> sums_{};
  std::vector<float> lower_;  // the k greatest lower bounds: a heap with the least in front
  float threshold_ = -std::numeric_limits<float>::infinity();
  std::vector<Candidate> candidates_;
};

/// Adds the vectors behind the file, or all of them, straight from the database.
Result<std::int64_t> score_tail(Connection& connection, std::int64_t after_vec_id,
                                std::span<const float> query, const Sieve& sieve, BestHits& best) {
  std::int64_t rows = 0;
  std::vector<float> vector;
  BB5_TRY(connection.each(
      "SELECT seq, label, vec_id, embedding FROM vectors WHERE vec_id > ?",
      [&](const Row& row) {
        ++rows;
        if (!sieve.lets_through(row.integer(2), row.integer(1))) return;
        copy_floats(row.blob(3), vector);
        if (vector.size() == query.size()) best.add(cosine(query, vector), row.integer(0));
      },
      after_vec_id));
  return rows;
}

/// Adds the vectors that are listed, straight from the database.
Result<> score_listed(Connection& connection, const std::vector<std::int64_t>& vec_ids,
                      std::span<const float> query, BestHits& best) {
  std::vector<float> vector;
  for (const std::int64_t vec_id : vec_ids) {
    BB5_TRY(connection.each(
        "SELECT seq, embedding FROM vectors WHERE vec_id = ?",
        [&](const Row& row) {
          copy_floats(row.blob(1), vector);
          if (vector.size() == query.size()) best.add(cosine(query, vector), row.integer(0));
        },
        vec_id));
  }
  return ok();
}

enum class Verdict { proven, more_needed, stale };

/// Scores candidates, best upper bound first, until no other can enter the answer. threshold: no
/// row that was left out of them reaches this cosine.
Result<Verdict> score_candidates(Connection& connection, const CodesView& view,
                                 std::span<const Candidate> candidates, float threshold,
                                 std::span<const float> query, BestHits& best) {
  std::vector<float> vector;
  for (const Candidate& candidate : candidates) {
    if (best.full() && candidate.upper < best.worst_score()) return Verdict::proven;
    bool stale = false;
    BB5_TRY(connection.each(
        "SELECT seq, stamp, embedding FROM vectors WHERE vec_id = ?",
        [&](const Row& row) {
          stale = row.integer(1) != view.stamp(candidate.row);
          copy_floats(row.blob(2), vector);
          if (vector.size() == query.size()) best.add(cosine(query, vector), row.integer(0));
        },
        view.vec_id(candidate.row)));
    if (stale) return Verdict::stale;
  }
  const bool nothing_left_out = std::isinf(threshold);
  if (nothing_left_out || (best.full() && best.worst_score() >= threshold)) return Verdict::proven;
  return Verdict::more_needed;
}

/// A search by the graph, and by a scan of the rows behind it.
struct GraphSearch {
  Connection& connection;
  const CodesView& view;
  const HnswFile::View& index;
  const CodedQuery& query;
  std::span<const float> numbers;
  const Sieve& sieve;
  std::size_t expected = 0;  ///< So many hits there have to be.
  bool damaged = false;      ///< Of run(): it failed because something is broken.

  /// A graph is no use when it has to be walked over by large parts: few rows are let through, or
  /// many are wanted. Then a scan is faster, and exact.
  static bool pays(std::size_t ef, std::size_t let_through, std::size_t rows) {
    return ef * 16 <= rows && let_through * 8 >= rows;
  }
  static std::size_t width_for(std::size_t k, std::size_t ef_search) {
    return std::max(ef_search, k + 10 + k / 2);
  }

  /// Adds to `best`. False: the graph cannot answer, and `best` is as it was.
  Result<bool> run(std::size_t ef, BestHits& best);

 private:
  std::optional<std::vector<Candidate>> walk(std::size_t ef);
};

/// Nothing: it did not arrive.
std::optional<std::vector<Candidate>> GraphSearch::walk(std::size_t ef) {
  HnswWalk::Sieve lets_through;
  if (sieve.listed) {
    lets_through = [this](std::uint32_t row) { return sieve.lets_through(view.vec_id(row), 0); };
  } else if (sieve.labels || !sieve.left_out.empty()) {
    lets_through = [this](std::uint32_t row) {
      return sieve.lets_through(sieve.left_out.empty() ? 0 : view.vec_id(row), view.label(row));
    };
  }
  HnswWalk walk(view, &index.checks());
  const HnswWalk::End end = walk.nearest(index.graph(), query.numbers.data(), ef, lets_through,
                                         index.graph().rows() / 8 + 1000);
  damaged = end == HnswWalk::End::damaged;
  if (end != HnswWalk::End::arrived) return std::nullopt;
  std::vector<Candidate> candidates;
  const auto scale = static_cast<float>(query.step / query.length);
  // What a code lost has any direction, so along the query it is about error / √dimension long.
  // Eight times that is room enough where nothing is to be proved, and fewer vectors are read.
  const float share = std::min(1.0F, 8 / std::sqrt(static_cast<float>(view.layout().dimension)));
  for (const HnswFound& found : walk.found())
    candidates.push_back({scale * found.near + share * view.error(found.node), found.node});
  return candidates;
}

Result<bool> GraphSearch::run(std::size_t ef, BestHits& best) {
  const std::size_t rows = index.graph().rows();
  for (std::size_t row = rows; row < view.count(); ++row) {
    damaged = !view.is_sound(row);
    if (damaged) return false;
  }
  // Dead rows may stand among the nearest: then wider.
  for (; ef * 16 <= rows; ef *= 4) {
    auto candidates = walk(ef);
    if (!candidates) return false;
    CandidateScan tail(view, query, sieve, ef);
    tail.run(rows);
    candidates->insert(candidates->end(), tail.candidates().begin(), tail.candidates().end());
    std::sort(candidates->begin(), candidates->end(),
              [](const Candidate& a, const Candidate& b) { return a.upper > b.upper; });
    BestHits attempt = best;
    auto verdict =
        score_candidates(connection, view, *candidates, tail.threshold(), numbers, attempt);
    if (!verdict) return std::move(verdict).error();
    if (*verdict == Verdict::stale) return false;
    if (*verdict == Verdict::more_needed || attempt.size() < expected) continue;
    best = std::move(attempt);
    return true;
  }
  return false;
}

Result<std::vector<Hit>> with_ids(Connection& connection, BestHits best) {
  std::vector<Hit> hits;
  for (const auto& entry : std::move(best).sorted()) {
    BB5_TRY(connection.each(
        "SELECT id FROM memories WHERE seq = ?",
        [&](const Row& row) {
          hits.push_back({.id = {row.uuid(0)}, .seq = entry.seq, .score = entry.score});
        },
        entry.seq));
  }
  return hits;
}

Result<SearchResult> finished(Connection& connection, SearchResult result, BestHits best) {
  auto hits = with_ids(connection, std::move(best));
  if (!hits) return std::move(hits).error();
  result.hits = std::move(*hits);
  return result;
}

/// So many listed vectors are cheaper to read than all codes: a row takes as long as some hundred
/// of them.
std::int64_t few_listed(const std::optional<CodesView>& view) {
  constexpr std::int64_t codes_for_a_row = 100;
  const auto codes = view ? static_cast<std::int64_t>(view->count()) : 0;
  return VectorSearch::longest_tail + codes / codes_for_a_row;
}

}  // namespace

Result<> check_query(const QueryVector& asked, const EmbedderInfo& embedder) {
  if (!asked.model.empty() && asked.model != embedder.model) return other_embedder(embedder);
  const std::span<const float> query = asked.numbers;
  const std::size_t dimension = embedder.dimension;
  if (query.size() != dimension || dimension == 0) {
    return Error{
        Errc::invalid_argument,
        fmt::format("the query has {} numbers, the bank's vectors {}", query.size(), dimension)};
  }
  bool zero = true;
  for (const float x : query) {
    if (!std::isfinite(x))
      return Error{Errc::invalid_argument, "the query's vector holds a number that is not finite"};
    zero = zero && x == 0;
  }
  if (zero) return Error{Errc::invalid_argument, "the query's vector holds only zeros"};
  return ok();
}

namespace {

/// The rows that a file of codes takes, behind `after_vec_id`.
CodesFile::RowSource rows_after(Connection& connection, std::int64_t after_vec_id,
                                std::size_t most_rows) {
  return [&connection, after_vec_id, most_rows](const std::function<void(const VectorRow&)>& take) {
    return connection.each(
        "SELECT vec_id, label, stamp, embedding FROM vectors WHERE vec_id > ? ORDER BY vec_id "
        "LIMIT ?",
        [&](const Row& row) {
          take({.vec_id = row.integer(0),
                .label = row.integer(1),
                .stamp = row.integer(2),
                .embedding = row.blob(3)});
        },
        after_vec_id, limit_of(most_rows));
  };
}

/// Up to where a file reaches that takes `most_rows` rows behind `after_vec_id`.
Result<std::int64_t> reach_of(Connection& connection, std::int64_t after_vec_id,
                              std::size_t most_rows, std::int64_t last_vec_id) {
  auto beyond = connection.first(
      "SELECT vec_id FROM vectors WHERE vec_id > ? ORDER BY vec_id LIMIT 1 OFFSET ?",
      [](const Row& row) { return row.integer(0); }, after_vec_id, limit_of(most_rows));
  if (!beyond) return std::move(beyond).error();
  return *beyond ? **beyond - 1 : last_vec_id;
}

}  // namespace

VectorSearch::VectorSearch(const std::filesystem::path& database)
    : codes_(side_file(database, "-codes")),
      lock_file_(side_file(database, "-codes-lock")),
      index_(database) {}

Result<SearchResult> VectorSearch::nearest(Connection& connection, const QueryVector& asked,
                                           std::size_t k, const MemoryFilter& filter,
                                           const Effort& effort) {
  BB5_TRY(validate(filter));
  const std::span<const float> query = asked.numbers;
  SearchResult result;
  bool may_catch_up = true;
  for (bool by_graph = !effort.exact;;) {
    // The view comes first: what a new file left out, this transaction does not see either.
    auto view = codes_.view(query.size());
    auto transaction = Transaction::read(connection);
    if (!transaction) return std::move(transaction).error();
    auto state = read_state(connection);
    if (!state) return std::move(state).error();
    BB5_TRY(check_query(asked, state->embedder));

    if (view) {
      auto ours = belongs(connection, *view, *state);
      if (!ours) return std::move(ours).error();
      if (!*ours) view.reset();
    }
    auto passing = sieve_of(connection, filter);
    if (!passing) return std::move(passing).error();
    const Sieve& sieve = *passing;
    auto looked_at = count_vectors(connection, sieve);
    if (!looked_at) return std::move(looked_at).error();
    result.plan = {.index = "exact int8 → float", .exact = true, .looked_at = *looked_at};

    const auto index = view ? index_.view(state->index, *view) : std::nullopt;
    const std::size_t ef =
        GraphSearch::width_for(k, effort.ef_search.value_or(state->index.ef_search));
    const bool walks =
        by_graph && index &&
        GraphSearch::pays(ef, static_cast<std::size_t>(std::max<std::int64_t>(*looked_at, 0)),
                          index->graph().rows());
    // A walk meets few rows, and checks those; a scan reads them all.
    if (view && !walks && !codes_.verify(*view)) view.reset();
    const std::int64_t covered = view ? view->covers() : 0;
    if (may_catch_up && state->last_vec_id - covered > longest_tail) {
      BB5_TRY(transaction->commit());
      auto done = bring_up(connection, everything, Manner::append_if_possible);
      if (!done) return std::move(done).error();
      may_catch_up = false;
      continue;
    }
    if (k == 0 || *looked_at == 0) return result;

    BestHits best(k);
    if (sieve.listed && *looked_at <= few_listed(view)) {
      BB5_TRY(score_listed(connection, *sieve.listed, query, best));
      result.plan.index = "exact float";
      return finished(connection, std::move(result), std::move(best));
    }
    auto tail = score_tail(connection, covered, query, sieve, best);
    if (!tail) return std::move(tail).error();
    if (view && walks) {
      const CodedQuery coded(query, view->layout().width);
      GraphSearch search{.connection = connection,
                         .view = *view,
                         .index = *index,
                         .query = coded,
                         .numbers = query,
                         .sieve = sieve,
                         .expected = std::min(k, static_cast<std::size_t>(*looked_at))};
      auto found = search.run(ef, best);
      if (!found) return std::move(found).error();
      if (search.damaged) index_.discard(*index);
      if (!*found) {
        by_graph = false;  // by a scan then
        continue;
      }
      result.plan.index = fmt::format("hnsw int8 ef_search={}", ef);
      result.plan.exact = false;
    } else if (view && view->count() > 0) {
      auto vectors = count_memories(connection, std::nullopt, VectorState::indexed);
      if (!vectors) return std::move(vectors).error();
      const auto dead = static_cast<std::int64_t>(view->count()) - (*vectors - *tail);
      const CodedQuery coded(query, view->layout().width);
      // Dead rows may stand among the best: room for some saves a second scan.
      std::size_t wanted = k + (dead > 0 ? 8 + k / 2 : 0);
      Verdict verdict = Verdict::more_needed;
      while (verdict == Verdict::more_needed) {
        CandidateScan scan(*view, coded, sieve, wanted);
        scan.run();
        BestHits attempt = best;
        auto scored = score_candidates(connection, *view, scan.candidates(), scan.threshold(),
                                       query, attempt);
        if (!scored) return std::move(scored).error();
        verdict = *scored;
        if (verdict == Verdict::proven) best = std::move(attempt);
        wanted = wanted > view->count() / 4 ? view->count() + 1 : wanted * 4;
      }
      // With a graph over them the rows stay where they are until derive() makes both anew.
      const bool too_many_dead = !index && are_too_many(dead, view->count());
      if (may_catch_up && (verdict == Verdict::stale || dead < 0 || too_many_dead)) {
        BB5_TRY(transaction->commit());
        auto done = bring_up(connection, everything, Manner::rebuild);
        if (!done) return std::move(done).error();
        may_catch_up = false;
        continue;
      }
      if (verdict == Verdict::stale || dead < 0) {
        // Could not be made anew: the database alone answers.
        best = BestHits(k);
        auto all = score_tail(connection, 0, query, sieve, best);
        if (!all) return std::move(all).error();
        result.plan.index = "exact float";
      }
    } else {
      result.plan.index = "exact float";
    }
    return finished(connection, std::move(result), std::move(best));
  }
}

Result<bool> VectorSearch::catch_up(Connection& connection, std::size_t most_rows) {
  auto present = coverage(connection);
  if (!present) return std::move(present).error();
  const bool waste = present->usable && are_too_many(present->dead, present->rows);
  // Another process is done with a million vectors by then.
  constexpr auto patience = std::chrono::seconds(10);
  return bring_up(connection, most_rows, waste ? Manner::rebuild : Manner::append_if_possible,
                  patience);
}

Result<bool> VectorSearch::bring_up(Connection& connection, std::size_t most_rows, Manner manner,
                                    std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  auto lock = FileLock::take(lock_file_, "another process");
  while (!lock && lock.error().code == Errc::locked &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    lock = FileLock::take(lock_file_, "another process");
  }
  if (!lock) return false;
  auto dimension = connection.integer("SELECT dimension FROM bank");
  if (!dimension) return std::move(dimension).error();
  if (*dimension == 0) return true;
  auto view =
      codes_.view(static_cast<std::size_t>(*dimension));  // before the transaction: see nearest()
  auto transaction = Transaction::read(connection);
  if (!transaction) return std::move(transaction).error();
  auto state = read_state(connection);
  if (!state) return std::move(state).error();
  bool append = false;
  if (view && manner == Manner::append_if_possible && codes_.verify(*view)) {
    auto ours = belongs(connection, *view, *state);
    if (!ours) return std::move(ours).error();
    append = *ours;
  }
  const std::int64_t covered = append ? view->covers() : 0;
  if (append && covered == state->last_vec_id) return true;
  auto reach = reach_of(connection, covered, most_rows, state->last_vec_id);
  if (!reach) return std::move(reach).error();
  const auto rows = rows_after(connection, covered, most_rows);
  return append ? codes_.append(*view, rows, *reach)
                : codes_.rebuild(state->embedder.dimension, rows, *reach);
}

Result<VectorSearch::Coverage> VectorSearch::coverage(Connection& connection) {
  Coverage coverage;
  auto dimension = connection.integer("SELECT dimension FROM bank");
  if (!dimension) return std::move(dimension).error();
  auto view = codes_.view(static_cast<std::size_t>(*dimension));
  auto transaction = Transaction::read(connection);
  if (!transaction) return std::move(transaction).error();
  auto state = read_state(connection);
  if (!state) return std::move(state).error();
  coverage.settings = state->index;
  auto vectors = count_memories(connection, std::nullopt, VectorState::indexed);
  if (!vectors) return std::move(vectors).error();
  coverage.vectors = *vectors;
  if (!view) return coverage;
  auto ours = belongs(connection, *view, *state);
  if (!ours) return std::move(ours).error();
  if (!*ours) return coverage;
  auto tail = connection.integer("SELECT count(*) FROM vectors WHERE vec_id > ?", view->covers());
  if (!tail) return std::move(tail).error();
  coverage.usable = true;
  coverage.rows = view->count();
  coverage.coded = coverage.vectors - *tail;
  coverage.dead = static_cast<std::int64_t>(view->count()) - coverage.coded;
  coverage.graph_wanted = GraphIndex::is_wanted(state->index, *view);
  coverage.graph = index_.view(state->index, *view);
  return coverage;
}

Result<bool> VectorSearch::build_graph(Connection& connection,
                                       const std::function<bool(std::size_t)>& progress) {
  auto present = coverage(connection);
  if (!present) return std::move(present).error();
  auto dimension = connection.integer("SELECT dimension FROM bank");
  if (!dimension) return std::move(dimension).error();
  const auto view = codes_.view(static_cast<std::size_t>(*dimension));
  if (!present->usable || !view || !codes_.verify(*view)) return false;
  return index_.build(present->settings, *view, progress);
}

}  // namespace bb5::embedded
