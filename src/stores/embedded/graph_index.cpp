#include "stores/embedded/graph_index.hpp"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "base/fail_point.hpp"
#include "stores/embedded/file_lock.hpp"
#include "stores/embedded/hnsw_builder.hpp"

namespace bb5::embedded {
namespace {

constexpr const char* builder_of_index = "another process, which builds the bank's index";

std::size_t threads_to_use() {
  constexpr unsigned most = 16;
  return std::clamp(std::thread::hardware_concurrency(), 1U, most);
}

/// What is there, if it can be gone on with; else nothing yet.
HnswBuilder begin(const GraphIndex::Settings& settings, const CodesView& codes,
                  const std::optional<HnswFile::View>& present) {
  const HnswShape shape{.m = settings.m};
  if (present && present->graph().shape == shape && present->verify())
    return {codes, present->graph(), threads_to_use()};
  return {codes, shape, threads_to_use()};
}

}  // namespace

GraphIndex::GraphIndex(const std::filesystem::path& database)
    : file_(side_file(database, "-index")), lock_file_(side_file(database, "-index-lock")) {}

GraphIndex::Settings GraphIndex::settings(const Row& row, int first) {
  return {.kind = row.string(first),
          .m = static_cast<std::uint32_t>(row.integer(first + 1)),
          .ef_search = static_cast<std::size_t>(row.integer(first + 2)),
          .recall = row.maybe_real(first + 3)};
}

std::optional<VectorIndexKind> GraphIndex::Settings::choice() const {
  if (kind == "automatic") return std::nullopt;
  return kind == "hnsw" ? VectorIndexKind::hnsw : VectorIndexKind::none;
}

Result<> GraphIndex::check_ef_search(std::int32_t ef_search) {
  constexpr std::int32_t most = 10'000;
  if (ef_search >= 1 && ef_search <= most) return ok();
  return Error{Errc::invalid_argument, fmt::format("ef_search is {}", ef_search),
               fmt::format("choose one from 1 to {}", most)};
}

Result<> GraphIndex::check(const VectorIndex::Choice& choice) {
  if (choice.kind == VectorIndexKind::ivfflat || choice.lists != 0)
    return Error{Errc::unsupported, "a file's index is HNSW; it has no lists",
                 "choose hnsw or none"};
  if (choice.m != 0 && (choice.m < 4 || choice.m > 64))
    return Error{Errc::invalid_argument, fmt::format("m is {}", choice.m),
                 "choose one from 4 to 64"};
  return ok();
}

Result<> GraphIndex::record_effort(Connection& connection, std::int32_t ef_search, double recall) {
  BB5_TRY(check_ef_search(ef_search));
  return connection.run("UPDATE bank SET hnsw_ef_search = ?, index_recall = ?", ef_search, recall);
}

Result<> GraphIndex::record(Connection& connection, const VectorIndex::Choice& choice) {
  BB5_TRY(check(choice));
  const char* kind = !choice.kind                            ? "automatic"
                     : *choice.kind == VectorIndexKind::hnsw ? "hnsw"
                                                             : "none";
  const Settings fresh;
  return connection.run(
      "UPDATE bank SET vector_index = ?, hnsw_m = ?, hnsw_ef_search = ?, index_recall = NULL", kind,
      choice.m == 0 ? std::int64_t{fresh.m} : std::int64_t{choice.m}, fresh.ef_search);
}

bool GraphIndex::is_wanted(const Settings& settings, const CodesView& codes) {
  if (settings.kind == "automatic")
    return codes.count() * codes.layout().width >= automatic_from_bytes;
  return settings.kind == "hnsw" && codes.count() > 0;
}

std::optional<HnswFile::View> GraphIndex::view(const Settings& settings, const CodesView& codes) {
  if (settings.kind == "none") return std::nullopt;
  auto view = file_.view(codes);
  if (view && view->graph().shape != HnswShape{.m = settings.m}) view.reset();
  return view;
}

Result<bool> GraphIndex::build(const Settings& settings, const CodesView& codes,
                               const std::function<bool(std::size_t)>& progress) {
  constexpr std::size_t rows_a_piece = 16'384;
  const auto lock = FileLock::take(lock_file_, builder_of_index);
  if (!lock) return false;
  HnswBuilder builder = begin(settings, codes, file_.view(codes));
  std::size_t written = builder.rows();
  bool goes_on = true;
  while (goes_on && builder.rows() < codes.count()) {
    builder.add_block();
    fail_point("index.block");
    goes_on = progress(builder.rows());
    const bool piece_is_done = builder.rows() - written >= std::max(rows_a_piece, written);
    if (goes_on && builder.rows() < codes.count() && !piece_is_done) continue;
    if (!file_.write(builder.graph(), codes)) return false;
    written = builder.rows();
  }
  if (!goes_on)
    return Error{Errc::cancelled, "deriving was stopped; it goes on from there next time"};
  return true;
}

Result<> GraphIndex::drop() {
  const auto lock = FileLock::take(lock_file_, builder_of_index);
  if (!lock) return lock.error();
  file_.remove();
  return ok();
}

}  // namespace bb5::embedded
