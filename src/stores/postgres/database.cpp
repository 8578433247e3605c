#include "stores/postgres/database.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <random>
#include <thread>

#include <fmt/format.h>

#include "base/digest.hpp"

namespace bb5::postgres {
namespace {

const Statement begin_statement{"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"};
// Statements look rows up by keys. Their plans are made once for a connection, maybe while a table
// is still small enough to be read in full, which they would go on doing as it grows.
const Statement by_keys_statement{"SET LOCAL enable_seqscan = off"};
const Statement commit_statement{"COMMIT"};
const Statement rollback_statement{"ROLLBACK"};
const Statement number_statement{"SELECT pg_current_xact_id()"};
const Statement status_statement{"SELECT pg_xact_status($1::text::xid8)"};

}  // namespace

// --- Names ---

std::string quoted_identifier(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::optional<Names> Names::of_bank(std::string_view bank) {
  const bool valid =
      !bank.empty() && bank.size() <= 40 && std::all_of(bank.begin(), bank.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
      });
  if (!valid) return std::nullopt;
  Names names;
  names.bank_ = bank;
  names.schema_ = bank == "default" ? "public" : fmt::format("bb5_{}", bank);
  names.quoted_schema_ = quoted_identifier(names.schema_);
  return names;
}

void Names::set_vector_schema(std::string_view schema) {
  quoted_vector_ = quoted_identifier(schema);
}

std::string Names::sql(std::string_view text) const {
  constexpr std::string_view bank_mark = "{bank}";
  constexpr std::string_view vector_mark = "{vector}";
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text.substr(at, bank_mark.size()) == bank_mark) {
      out += quoted_schema_;
      at += bank_mark.size();
    } else if (text.substr(at, vector_mark.size()) == vector_mark) {
      out += quoted_vector_;
      at += vector_mark.size();
    } else {
      out += text[at++];
    }
  }
  return out;
}

std::int64_t Names::lock_key(std::string_view purpose) const {
  const Sha256 digest = sha256(fmt::format("bb5-memory/{}/{}", purpose, schema_));
  std::int64_t key = 0;
  std::memcpy(&key, digest.data(), sizeof key);
  return key;
}

std::int64_t limit_of(std::size_t rows) {
  return static_cast<std::int64_t>(
      std::min<std::size_t>(rows, std::numeric_limits<std::int32_t>::max()));
}

// --- Transaction ---

Transaction::~Transaction() {
  // On a connection that is of no more use, the server rolls back when it is closed.
  if (open_ && !connection_.failure().connection_lost) connection_.run(rollback_statement);
}

Result<std::vector<Rows>> Transaction::run(std::span<const Command> commands) {
  std::vector<Command> all;
  std::size_t extra = 0;
  if (!begun_) {
    all.push_back({begin_statement});
    all.push_back({by_keys_statement});
    extra += 2;
  }
  const bool numbered = wants_number_ && !number_;
  if (numbered) {
    all.push_back({number_statement});
    ++extra;
  }
  begun_ = open_ = true;
  std::optional<std::vector<Rows>> answers;
  if (extra == 0) {
    answers = connection_.run(commands);
  } else {
    for (const Command& command : commands) all.push_back(command);
    answers = connection_.run(all);
  }
  if (!answers) return error();
  if (numbered) {
    number_ = read_int8((*answers)[extra - 1].field(0, 0));
    wants_number_ = false;
  }
  answers->erase(answers->begin(), answers->begin() + static_cast<std::ptrdiff_t>(extra));
  return std::move(*answers);
}

Result<Rows> Transaction::run(const Statement& statement, Params params) {
  const Command command{statement, std::move(params)};
  auto answers = run(std::span(&command, 1));
  if (!answers) return std::move(answers).error();
  return std::move(answers->front());
}

Result<> Transaction::copy_begin(const std::string& sql) {
  if (!begun_ || (wants_number_ && !number_)) BB5_TRY(run(std::span<const Command>{}));
  if (!connection_.copy_begin(sql)) return error();
  return ok();
}

Result<std::int64_t> Transaction::copy_end() {
  const auto rows = connection_.copy_end();
  if (!rows) return error();
  return *rows;
}

Transaction::Outcome Transaction::commit() {
  if (!begun_ && last_.empty()) return Outcome::committed;  // nothing was asked of the server
  if (!begun_) {
    if (!run(std::span<const Command>{})) return Outcome::failed;
  }
  last_.push_back({commit_statement});
  const auto answers = connection_.run(last_);
  if (!answers) {
    if (!connection_.failure().connection_lost) return Outcome::failed;
    open_ = false;
    return Outcome::unknown;
  }
  open_ = false;
  // A transaction that has failed before answers COMMIT with ROLLBACK, and calls that success.
  return answers->back().tag() == "COMMIT" ? Outcome::committed : Outcome::failed;
}

// --- Database ---

Result<std::vector<Rows>> Database::read(std::string_view doing,
                                         std::span<const Command> commands) const {
  for (int attempt = 1;; ++attempt) {
    auto lease = pool_->borrow();
    if (!lease) return std::move(lease).error();
    auto answers = (*lease)->run(commands);
    if (answers) return std::move(*answers);
    const Failure& failure = (*lease)->failure();
    const bool stale = is_stale_statement(failure);
    if (stale) pool_->note_stale_statement();
    const bool worth_repeating =
        stale || is_lost_race(failure) || (failure.connection_lost && !failure.deadline_passed);
    if (!worth_repeating || attempt >= most_attempts) return (*lease)->error(doing);
  }
}

Result<Rows> Database::read(std::string_view doing, const Statement& statement,
                            Params params) const {
  const Command command{statement, std::move(params)};
  auto answers = read(doing, std::span(&command, 1));
  if (!answers) return std::move(answers).error();
  return std::move(answers->front());
}

void Database::pause_before(int attempt) {
  if (attempt < 3) return;
  // Apart by chance, so that two who met do not meet again.
  thread_local std::minstd_rand random(std::random_device{}());
  const auto longest = static_cast<unsigned long>(attempt) * 2;
  std::this_thread::sleep_for(std::chrono::milliseconds(1 + random() % longest));
}

std::optional<Error> Database::after_failure(Transaction& transaction, int attempt,
                                             Error error) const {
  const Failure& failure = transaction.connection().failure();
  if (is_stale_statement(failure)) {
    pool_->note_stale_statement();
    if (attempt < most_attempts) return std::nullopt;
  }
  if (failure.connection_lost && !failure.deadline_passed && attempt < most_attempts)
    return std::nullopt;
  // Another writer was faster with the same key: look again. The ledger's keys say "done before",
  // and a place in the order of insertion is not made free by waiting.
  const auto is_of = [&](std::string_view name) { return failure.constraint.rfind(name, 0) == 0; };
  const bool lost_key = failure.is("23505") && !is_of("migration_");
  const bool may_be_taken = lost_key && is_of("memories_seq");
  if (is_lost_race(failure) || lost_key) {
    if (attempt < (may_be_taken ? most_attempts : most_races)) return std::nullopt;
    if (lost_key && !may_be_taken) error.code = Errc::unavailable;
    if (may_be_taken) {
      error.message = fmt::format("{}: the place of a memory is taken", transaction.doing_);
      error.remedy = "leave its seq 0, and it gets the next place";
    }
  }
  return error;
}

Result<bool> Database::was_committed(std::string_view doing, std::optional<std::int64_t> number,
                                     const std::function<Result<bool>()>& confirm) const {
  const Error unknown{
      Errc::unavailable,
      fmt::format("{}: the connection failed during COMMIT, and whether it took place could not "
                  "be found out",
                  doing),
      "try again: a batch that was written is recognised"};
  if (!number) return unknown;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (true) {
    auto rows = read(doing, status_statement,
                     Params().text(std::to_string(static_cast<std::uint64_t>(*number))));
    const bool over = std::chrono::steady_clock::now() > until;
    if (!rows) {
      if (!rows.error().retryable()) {
        // A number from the future: this server has never seen the transaction.
        if (rows.error().code == Errc::invalid_argument) return false;
        return unknown;
      }
      if (over) return unknown;
    } else {
      // NULL: so old that the server has forgotten; not ours, which ended a moment ago.
      const std::string status = rows->is_null(0, 0) ? "" : rows->text(0, 0);
      if (status == "aborted") return false;
      if (status == "committed") {
        if (!confirm) return true;
        return confirm();
      }
      if (over) return unknown;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

Result<std::int64_t> run_in_trips(Transaction& transaction, std::span<const Command> commands) {
  constexpr std::size_t most_a_trip = 100;
  std::int64_t written = 0;
  for (std::size_t from = 0; from < commands.size(); from += most_a_trip) {
    const std::size_t count = std::min(most_a_trip, commands.size() - from);
    auto answers = transaction.run(commands.subspan(from, count));
    if (!answers) return std::move(answers).error();
    for (const Rows& rows : *answers) written += rows.affected();
  }
  return written;
}

}  // namespace bb5::postgres
