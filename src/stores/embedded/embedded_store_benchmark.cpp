// Figures 2 and 6 of the design: what the embedded store costs over the bare machinery under it.
//   embedded_store_benchmark search ROWS DIMENSION [FOLDER]
//   embedded_store_benchmark load ROWS DIMENSION [FOLDER]
//   embedded_store_benchmark adds ROWS DIMENSION [FOLDER]
// Both sides run in one process, taking turns; the ratio is what counts.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <sqlite3.h>

#include "stores/embedded/cosine_kernels.hpp"
#include "stores/embedded/embedded_bank.hpp"
#include "stores/embedded/schema.hpp"

namespace bb5 {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// Processor time of this process: what is left when others use the machine too.
double processor_milliseconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

[[noreturn]] void fail(const Error& error) {
  throw std::runtime_error(
      fmt::format("{}: {} ({})", name_of(error.code), error.message, error.detail));
}

template <class T>
T must(Result<T> result) {
  if (!result) fail(result.error());
  return std::move(*result);
}

/// Unit vectors around ROWS/100 centres: neither uniform nor trivially apart.
class Vectors {
 public:
  Vectors(std::size_t rows, std::size_t dimension)
      : dimension_(dimension), centres_(std::max<std::size_t>(1, rows / 100)) {
    for (auto& centre : centres_) {
      centre.resize(dimension);
      for (float& x : centre) x = normal_(random_);
    }
  }
  std::vector<float> next() {
    const auto& centre = centres_[random_() % centres_.size()];
    std::vector<float> vector(dimension_);
    double square = 0;
    for (std::size_t i = 0; i < dimension_; ++i) {
      vector[i] = centre[i] + normal_(random_);
      square += double{vector[i]} * vector[i];
    }
    for (float& x : vector) x = static_cast<float>(x / std::sqrt(square));
    return vector;
  }

 private:
  std::size_t dimension_;
  std::mt19937_64 random_{42};
  std::normal_distribution<float> normal_;
  std::vector<std::vector<float>> centres_;
};

Memory memory_of(std::size_t number, std::vector<float> vector) {
  static const char* const words[] = {
      "postgres", "queue",  "backup", "agent",   "memory", "search", "index", "vector",
      "decided",  "failed", "user",   "session", "plan",   "deploy", "error", "cache"};
  std::mt19937_64 random(number);
  Memory memory;
  memory.content = fmt::format("Note {}:", number);
  for (int i = 0; i < 40; ++i)
    memory.content += fmt::format(" {}{}", words[random() % 16],
                                  random() % 5 == 0 ? fmt::format("{}", random() % 5000) : "");
  memory.legacy_id = legacy_id_of(memory.content);
  memory.id = memory_id_of('"' + memory.legacy_id + '"');
  memory.network = std::string(known_networks[number % 4]);
  memory.created_at =
      Timestamp(std::chrono::seconds(1'770'000'000 + static_cast<std::int64_t>(number)));
  memory.metadata = fmt::format(
      R"({{"confidence":0.8,"source":"notes/{}.md","category":"technical","entities":["Topic {}","Tool {}"]}})",
      number / 50, random() % 400, random() % 40);
  derive_columns(memory);
  memory.embedding = std::move(vector);
  memory.vector_state = VectorState::indexed;
  return memory;
}

std::string load_average() {
  std::ifstream file("/proc/loadavg");
  std::string text;
  std::getline(file, text);
  return text;
}

struct Quantiles {
  std::vector<double> values;
  double at(double q) {
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
  }
};

// --- search ---

/// The rival: a matrix of int8 in memory, the best 40 by the same kernel, then the floats.
class BareScan {
 public:
  BareScan(const std::vector<std::vector<float>>& rows, std::size_t dimension)
      : rows_(rows),
        width_(embedded::padded_dimension(dimension)),
        codes_(rows.size() * width_),
        scales_(rows.size()) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      float largest = 0;
      for (const float x : rows[i]) largest = std::max(largest, std::fabs(x));
      scales_[i] = largest / 127;
      for (std::size_t j = 0; j < dimension; ++j)
        codes_[i * width_ + j] = static_cast<std::int8_t>(std::lround(rows[i][j] / scales_[i]));
    }
  }
  std::vector<std::size_t> nearest(const std::vector<float>& query, std::size_t k) {
    const std::size_t kept = 4 * k;
    constexpr std::size_t chunk = 256;
    float largest = 0;
    for (const float x : query) largest = std::max(largest, std::fabs(x));
    std::vector<std::int16_t> numbers(width_);
    for (std::size_t i = 0; i < query.size(); ++i)
      numbers[i] = static_cast<std::int16_t>(std::lround(query[i] / largest * 127));
    using Pair = std::pair<float, std::size_t>;
    std::vector<Pair> best;
    std::int32_t sums[chunk];
    for (std::size_t from = 0; from < rows_.size(); from += chunk) {
      const std::size_t count = std::min(chunk, rows_.size() - from);
      embedded::dot_kernel()(codes_.data() + from * width_, count, width_, numbers.data(), sums);
      for (std::size_t i = 0; i < count; ++i) {
        const float score = scales_[from + i] * static_cast<float>(sums[i]);
        if (best.size() == kept) {
          if (score <= best.front().first) continue;
          std::pop_heap(best.begin(), best.end(), std::greater<>());
          best.back() = {score, from + i};
        } else {
          best.emplace_back(score, from + i);
        }
        std::push_heap(best.begin(), best.end(), std::greater<>());
      }
    }
    for (Pair& pair : best)
      pair.first = static_cast<float>(embedded::cosine(query, rows_[pair.second]));
    std::sort(best.begin(), best.end(), std::greater<>());
    std::vector<std::size_t> ids;
    for (std::size_t i = 0; i < std::min(k, best.size()); ++i) ids.push_back(best[i].second);
    return ids;
  }

 private:
  const std::vector<std::vector<float>>& rows_;
  std::size_t width_;
  std::vector<std::int8_t> codes_;
  std::vector<float> scales_;
};

void search(std::size_t count, std::size_t dimension, const std::filesystem::path& folder) {
  Vectors vectors(count, dimension);
  std::vector<std::vector<float>> rows;
  rows.reserve(count);
  for (std::size_t i = 0; i < count; ++i) rows.push_back(vectors.next());
  const auto file = folder / fmt::format("search-{}-{}.db", count, dimension);
  if (!std::filesystem::exists(file)) {
    auto bank = must(open_embedded_bank({.file = file, .create = true}));
    must(bank->set_embedder({.model = "bench", .dimension = dimension}));
    std::vector<Memory> batch;
    for (std::size_t i = 0; i < count; ++i) {
      batch.push_back(memory_of(i, rows[i]));
      if (batch.size() < 1000 && i + 1 < count) continue;
      must(bank->write({.memories = batch, .fold = false}));
      batch.clear();
    }
    must(bank->derive([](const auto&) { return true; }));
  }
  auto start = Clock::now();
  auto bank = must(open_embedded_bank({.file = file}));
  const double opened = milliseconds_since(start);
  const auto first_query = vectors.next();
  start = Clock::now();
  must(bank->nearest(first_query, 10, {}));
  fmt::print("search {} x {}, kernel {}, load {}\n", count, dimension,
             embedded::available_kernels().front().name, load_average());
  fmt::print("  open {:.2f} ms, first search {:.2f} ms, {:.1f} MB on disk\n", opened,
             milliseconds_since(start),
             static_cast<double>(must(bank->stats()).bytes_on_disk) / 1e6);
  BareScan bare(rows, dimension);
  std::vector<std::vector<float>> queries;
  for (int i = 0; i < 200; ++i) queries.push_back(vectors.next());
  for (const std::size_t k : {std::size_t{10}, std::size_t{100}}) {
    Quantiles ours;
    Quantiles theirs;
    Quantiles filtered;
    std::size_t same = 0;
    std::size_t all = 0;
    for (const auto& query : queries) {
      start = Clock::now();
      const auto found = must(bank->nearest(query, k, {}));
      ours.values.push_back(milliseconds_since(start));
      start = Clock::now();
      const auto bare_found = bare.nearest(query, k);
      theirs.values.push_back(milliseconds_since(start));
      start = Clock::now();
      must(bank->nearest(query, k, {.networks = {"world"}, .kinds = {}}));
      filtered.values.push_back(milliseconds_since(start));
      for (std::size_t i = 0; i < bare_found.size(); ++i)
        same += found.hits[i].seq == static_cast<std::int64_t>(bare_found[i]) + 1 ? 1 : 0;
      all += bare_found.size();
    }
    fmt::print(
        "  k={:<4} ours p50 {:.3f} p95 {:.3f} ms | bare p50 {:.3f} p95 {:.3f} ms | ratio {:.3f} | "
        "one network of four {:.3f} ms | agree {:.4f}\n",
        k, ours.at(.5), ours.at(.95), theirs.at(.5), theirs.at(.95), ours.at(.5) / theirs.at(.5),
        filtered.at(.5), static_cast<double>(same) / static_cast<double>(all));
  }
  for (const char* words : {"postgres backup failed", "topic42 vector3 deploy4999", "user"}) {
    Quantiles times;
    for (int i = 0; i < 20; ++i) {
      start = Clock::now();
      must(bank->keyword(words, 10, {}));
      times.values.push_back(milliseconds_since(start));
    }
    fmt::print("  keyword \"{}\" p50 {:.2f} ms\n", words, times.at(.5));
  }
}

// --- adds ---

std::filesystem::path bank_of(std::size_t count, std::size_t dimension,
                              const std::filesystem::path& folder) {
  return folder / fmt::format("search-{}-{}.db", count, dimension);
}

/// What one more memory costs in the bank that `search` made.
void adds(std::size_t count, std::size_t dimension, const std::filesystem::path& folder) {
  auto bank = must(open_embedded_bank({.file = bank_of(count, dimension, folder)}));
  Vectors vectors(100, dimension);
  const std::size_t first =
      1'000'000'000 +
      static_cast<std::size_t>(Clock::now().time_since_epoch().count()) % 1'000'000'000;
  fmt::print("adds to {} x {}, load {}\n", count, dimension, load_average());
  must(bank->write({.memories = std::vector<Memory>{memory_of(first, vectors.next())}}));
  for (const std::size_t batch_size : {std::size_t{1}, std::size_t{10}, std::size_t{100}}) {
    Quantiles times;
    double spent = 0;
    for (std::size_t i = 0; i < 100; ++i) {
      std::vector<Memory> batch;
      for (std::size_t j = 0; j < batch_size; ++j)
        batch.push_back(memory_of(first + batch_size * 1000 + i * batch_size + j, vectors.next()));
      const double processor = processor_milliseconds();
      const auto start = Clock::now();
      must(bank->write({.memories = batch}));
      times.values.push_back(milliseconds_since(start));
      spent += processor_milliseconds() - processor;
    }
    fmt::print(
        "  batch of {:<4} p50 {:.2f} p95 {:.2f} ms, {:.0f}/s; {:.3f} ms of processor time a "
        "batch\n",
        batch_size, times.at(.5), times.at(.95),
        1000 * static_cast<double>(batch_size) / times.at(.5), spent / 100);
  }
  Quantiles erased;
  Quantiles replaced;
  for (std::size_t i = 0; i < 100; ++i) {
    Memory memory = memory_of(first + 1000 + i, vectors.next());
    auto start = Clock::now();
    must(bank->write(
        {.memories = std::span<const Memory>(&memory, 1), .on_conflict = OnConflict::replace}));
    replaced.values.push_back(milliseconds_since(start));
    start = Clock::now();
    must(bank->erase(memory.id));
    erased.values.push_back(milliseconds_since(start));
  }
  fmt::print("  replace p50 {:.2f} ms, erase p50 {:.2f} ms\n", replaced.at(.5), erased.at(.5));
  auto start = Clock::now();
  std::int64_t after = 0;
  std::size_t seen = 0;
  for (;;) {
    const auto page =
        must(bank->page({.after_seq = after, .limit = 500, .filter = {}, .with_embeddings = true}));
    if (page.empty()) break;
    after = page.back().seq;
    seen += page.size();
  }
  const double paged = milliseconds_since(start);
  start = Clock::now();
  must(bank->stats());
  const double counted = milliseconds_since(start);
  start = Clock::now();
  must(bank->fold_graph());
  fmt::print("  pages of 500 with vectors {:.0f}/s, stats {:.2f} ms, whole fold {:.0f} ms\n",
             static_cast<double>(seen) / paged * 1000, counted, milliseconds_since(start));
}

// --- load ---

void sql(sqlite3* db, const std::string& text) {
  char* message = nullptr;
  if (sqlite3_exec(db, text.c_str(), nullptr, nullptr, &message) != SQLITE_OK) {
    throw std::runtime_error(text + ": " + message);
  }
}

class BareStatement {
 public:
  BareStatement(sqlite3* db, const char* text) {
    if (sqlite3_prepare_v2(db, text, -1, &handle_, nullptr) != SQLITE_OK) {
      throw std::runtime_error(std::string(text) + ": " + sqlite3_errmsg(db));
    }
  }
  ~BareStatement() { sqlite3_finalize(handle_); }
  BareStatement(const BareStatement&) = delete;
  BareStatement& operator=(const BareStatement&) = delete;
  void number(std::int64_t value) { sqlite3_bind_int64(handle_, ++at_, value); }
  void real(double value) { sqlite3_bind_double(handle_, ++at_, value); }
  void text(const std::string& value) {
    sqlite3_bind_text(handle_, ++at_, value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
  }
  void blob(const void* bytes, std::size_t length) {
    sqlite3_bind_blob(handle_, ++at_, bytes, static_cast<int>(length), SQLITE_STATIC);
  }
  void null() { ++at_; }
  void run() {
    if (sqlite3_step(handle_) != SQLITE_DONE) {
      throw std::runtime_error(sqlite3_errmsg(sqlite3_db_handle(handle_)));
    }
    sqlite3_reset(handle_);
    at_ = 0;
  }

 private:
  sqlite3_stmt* handle_ = nullptr;
  int at_ = 0;
};

/// The rival: the same rows into the same tables and indexes, hashes and keys worked out
/// beforehand.
double load_bare(const std::filesystem::path& file, const std::vector<Memory>& memories,
                 std::size_t batch_size) {
  struct Row {
    std::string hash;
    std::string entities;
    std::vector<std::string> keys;
  };
  std::vector<Row> rows;
  for (const Memory& memory : memories) {
    Row row{record_hash(memory), "[", {}};
    for (const auto& name : memory.entities) {
      row.entities += (row.entities.size() > 1 ? ",\"" : "\"") + name + '"';
      row.keys.push_back(name_key_of(name));
    }
    row.entities += ']';
    rows.push_back(std::move(row));
  }
  sqlite3* db = nullptr;
  sqlite3_open(file.c_str(), &db);
  sql(db,
      "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA "
      "cache_size = -32768; PRAGMA wal_autocheckpoint = 2000");
  sql(db, std::string(embedded::schema_001_start));
  sql(db,
      "INSERT INTO networks VALUES (1, 'world'), (2, 'experience'), (3, 'opinion'), (4, "
      "'observation')");
  double spent = 0;
  {
    BareStatement memory_row(db,
                             "INSERT INTO memories (seq, kind, network, vector_state, vec_id, id, "
                             "record_hash, legacy_id, confidence, source, category, "
                             "created_at, entities, content, metadata) VALUES (?, ?, ?, ?, ?, ?, "
                             "?, ?, ?, ?, ?, ?, ?, ?, ?)");
    BareStatement vector_row(
        db, "INSERT INTO vectors (vec_id, seq, label, stamp, embedding) VALUES (?, ?, ?, ?, ?)");
    BareStatement text_row(db, "INSERT INTO memories_fts (rowid, content) VALUES (?, ?)");
    BareStatement mention_row(
        db, "INSERT INTO mention_facts (memory_seq, name_key, name) VALUES (?, ?, ?)");
    const auto start = Clock::now();
    for (std::size_t from = 0; from < memories.size(); from += batch_size) {
      sql(db, "BEGIN IMMEDIATE");
      for (std::size_t i = from; i < std::min(memories.size(), from + batch_size); ++i) {
        const Memory& memory = memories[i];
        const auto seq = static_cast<std::int64_t>(i + 1);
        const auto network = static_cast<std::int64_t>(i % 4 + 1);
        memory_row.number(seq);
        memory_row.number(0);
        memory_row.number(network);
        memory_row.number(1);
        memory_row.number(seq);
        memory_row.blob(memory.id.uuid.bytes.data(), 16);
        memory_row.blob(rows[i].hash.data(), 32);
        memory_row.text(memory.legacy_id);
        memory_row.real(*memory.confidence);
        memory_row.text(*memory.source);
        memory_row.text(*memory.category);
        memory_row.number(memory.created_at->time_since_epoch().count());
        memory_row.text(rows[i].entities);
        memory_row.text(memory.content);
        memory_row.text(memory.metadata);
        memory_row.run();
        vector_row.number(seq);
        vector_row.number(seq);
        vector_row.number(network * 4);
        vector_row.number(0x123456789ABCDEF);
        vector_row.blob(memory.embedding.data(), memory.embedding.size() * sizeof(float));
        vector_row.run();
        text_row.number(seq);
        text_row.text(memory.content);
        text_row.run();
        for (std::size_t j = 0; j < rows[i].keys.size(); ++j) {
          mention_row.number(seq);
          mention_row.text(rows[i].keys[j]);
          mention_row.text(memory.entities[j]);
          mention_row.run();
        }
      }
      sql(db, "COMMIT");
    }
    spent = milliseconds_since(start);
  }
  sqlite3_close(db);
  return spent;
}

struct LoadTimes {
  double written = 0;
  double folded = 0;
  double derived = 0;
};

LoadTimes load_ours(const std::filesystem::path& file, std::size_t dimension,
                    const std::vector<Memory>& memories, std::size_t batch_size, bool fold) {
  LoadTimes times;
  auto bank = must(open_embedded_bank({.file = file, .create = true}));
  must(bank->set_embedder({.model = "bench", .dimension = dimension}));
  auto start = Clock::now();
  LedgerBatch ledger;
  ledger.file = "memories.json";
  for (std::size_t from = 0; from < memories.size(); from += batch_size) {
    const std::span<const Memory> batch(memories.data() + from,
                                        std::min(batch_size, memories.size() - from));
    ledger.records = std::ssize(batch);
    must(bank->write({.memories = batch, .fold = fold, .ledger = &ledger}));
    ++ledger.batch_no;
  }
  times.written = milliseconds_since(start);
  start = Clock::now();
  if (!fold) must(bank->fold_graph());
  times.folded = milliseconds_since(start);
  start = Clock::now();
  must(bank->derive([](const auto&) { return true; }));
  times.derived = milliseconds_since(start);
  return times;
}

void load(std::size_t count, std::size_t dimension, const std::filesystem::path& folder) {
  Vectors vectors(count, dimension);
  std::vector<Memory> memories;
  for (std::size_t i = 0; i < count; ++i) memories.push_back(memory_of(i, vectors.next()));
  constexpr std::size_t batch_size = 1000;
  fmt::print("load {} x {}, batches of {}, load {}\n", count, dimension, batch_size,
             load_average());
  const auto per_second = [&](double ms) { return static_cast<double>(count) / ms * 1000; };
  for (int round = 0; round < 3; ++round) {
    const auto bare_file = folder / fmt::format("bare-{}.db", round);
    const auto our_file = folder / fmt::format("ours-{}.db", round);
    const auto fold_file = folder / fmt::format("fold-{}.db", round);
    const double bare = load_bare(bare_file, memories, batch_size);
    const LoadTimes ours = load_ours(our_file, dimension, memories, batch_size, false);
    const LoadTimes folding = load_ours(fold_file, dimension, memories, batch_size, true);
    fmt::print(
        "  bare {:.0f}/s | ours {:.0f}/s, ratio {:.3f} | with fold and codes at the end {:.0f}/s, "
        "ratio {:.3f} (fold {:.0f} ms, codes {:.0f} ms) | "
        "adds that fold each batch {:.0f}/s\n",
        per_second(bare), per_second(ours.written), bare / ours.written,
        per_second(ours.written + ours.folded + ours.derived),
        bare / (ours.written + ours.folded + ours.derived), ours.folded, ours.derived,
        per_second(folding.written));
    for (const auto& file : {bare_file, our_file, fold_file}) {
      if (round == 2)
        fmt::print("    {} {:.1f} MB\n", file.filename().string(),
                   static_cast<double>(std::filesystem::file_size(file)) / 1e6);
      for (const char* suffix : {"", "-wal", "-shm", "-codes", "-codes-lock"})
        std::filesystem::remove(file.string() + suffix);
    }
  }
}

}  // namespace
}  // namespace bb5

int main(int argc, char** argv) try {
  const std::string what = argc > 1 ? argv[1] : "";
  if ((what != "search" && what != "load" && what != "adds") || argc < 4) {
    fmt::print(stderr,
               "usage: embedded_store_benchmark search|load|adds ROWS DIMENSION [FOLDER]\n");
    return 2;
  }
  const auto count = static_cast<std::size_t>(std::strtoull(argv[2], nullptr, 10));
  const auto dimension = static_cast<std::size_t>(std::strtoull(argv[3], nullptr, 10));
  const std::filesystem::path folder =
      argc > 4 ? argv[4] : std::filesystem::temp_directory_path() / "bb5-embedded-benchmark";
  std::filesystem::create_directories(folder);
  if (what == "search") {
    bb5::search(count, dimension, folder);
  } else if (what == "adds") {
    bb5::adds(count, dimension, folder);
  } else {
    bb5::load(count, dimension, folder);
  }
} catch (const std::exception& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}
