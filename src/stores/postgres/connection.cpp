#include "stores/postgres/connection.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include "base/digest.hpp"

namespace bb5::postgres {
namespace {

using Clock = std::chrono::steady_clock;

/// Every session keeps a plan of each; a statement beyond these is planned anew at each call.
constexpr std::size_t most_prepared = 1'000;

std::string trimmed(const char* text) {
  std::string line = text == nullptr ? "" : text;
  while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) line.pop_back();
  return line;
}

/// libpq keeps a failed login's SQLSTATE only in its verbose message: `FATAL:  28P01: password …`,
/// whatever the language.
std::string sqlstate_in(std::string_view message) {
  for (auto at = message.rfind(":  "); at != std::string_view::npos && at > 0;
       at = message.rfind(":  ", at - 1)) {
    const std::string_view rest = message.substr(at + 3);
    if (rest.size() < 6 || rest[5] != ':') continue;
    const std::string_view code = rest.substr(0, 5);
    const bool plausible = std::all_of(code.begin(), code.end(), [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
    });
    if (plausible) return std::string(code);
  }
  return {};
}

bool ends_session(const Failure& failure) {
  return failure.is("57P01") || failure.is("57P02") || failure.is("57P03") || failure.is("57P05") ||
         failure.sqlstate.substr(0, 2) == "08";
}

}  // namespace

Statement::Statement(std::string text) : sql(std::move(text)) {
  const Sha256 digest = sha256(sql);
  name = "bb5_" + to_hex(std::span(digest).first(12));
}

// --- Rows ---

void Rows::Clear::operator()(pg_result* result) const {
  PQclear(result);
}

Rows::Rows(pg_result* result) : result_(result), size_(PQntuples(result)) {}

std::int64_t Rows::affected() const {
  const char* text = PQcmdTuples(result_.get());
  return *text == '\0' ? 0 : std::strtoll(text, nullptr, 10);
}
std::string_view Rows::tag() const {
  return PQcmdStatus(result_.get());
}
bool Rows::is_null(int row, int column) const {
  return PQgetisnull(result_.get(), row, column) != 0;
}
std::string_view Rows::field(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}
std::optional<std::string> Rows::optional_text(int row, int column) const {
  return is_null(row, column) ? std::nullopt : std::optional(text(row, column));
}
std::optional<double> Rows::optional_float8(int row, int column) const {
  return is_null(row, column) ? std::nullopt : std::optional(float8(row, column));
}
std::optional<std::int64_t> Rows::optional_int8(int row, int column) const {
  return is_null(row, column) ? std::nullopt : std::optional(int8(row, column));
}
std::optional<Timestamp> Rows::optional_timestamptz(int row, int column) const {
  return is_null(row, column) ? std::nullopt : std::optional(timestamptz(row, column));
}
std::optional<Uuid> Rows::optional_uuid(int row, int column) const {
  return is_null(row, column) ? std::nullopt : std::optional(uuid(row, column));
}

// --- Params ---

Params& Params::append(const Params& other) {
  for (const std::size_t start : other.starts_) starts_.push_back(bytes_.size() + start);
  types_.insert(types_.end(), other.types_.begin(), other.types_.end());
  bytes_ += other.bytes_;
  return *this;
}

// --- Connection ---

Connection::Connection(pg_conn* connection, ConnectOptions options)
    : connection_(connection), options_(std::move(options)), patience_(options_.patience) {}

Connection::~Connection() {
  PQfinish(connection_);
}

Result<std::unique_ptr<Connection>> Connection::open(const ConnectOptions& options) {
  // client_encoding is the one setting made at login: poolers know it.
  const char* const keywords[] = {"fallback_application_name", "tcp_user_timeout",
                                  "keepalives_idle",           "dbname",
                                  "client_encoding",           nullptr};
  const std::string silence_ms =
      std::to_string(std::min(options.patience, std::chrono::milliseconds(60'000)).count());
  const char* const values[] = {"bb5-memory", silence_ms.c_str(), "30", options.url.c_str(), "UTF8",
                                nullptr};
  pg_conn* raw = PQconnectStartParams(keywords, values, 1);
  if (raw == nullptr) throw std::bad_alloc();
  std::unique_ptr<Connection> connection(new Connection(raw, options));
  const auto until = Clock::now() + options.connect_timeout;
  constexpr std::string_view doing = "connect to PostgreSQL";

  PQsetErrorVerbosity(raw, PQERRORS_VERBOSE);
  PQsetNoticeReceiver(raw, &Connection::on_notice, connection.get());
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  if (PQstatus(raw) == CONNECTION_BAD) state = PGRES_POLLING_FAILED;
  while (state != PGRES_POLLING_OK && state != PGRES_POLLING_FAILED) {
    if (!connection->wait(state == PGRES_POLLING_WRITING, until)) {
      connection->failure_ = {.message = "no answer while logging in",
                              .connection_lost = true,
                              .deadline_passed = true};
      return to_error(connection->failure_, fmt::format("{} at {}", doing, connection->place()));
    }
    state = PQconnectPoll(raw);
  }
  if (state == PGRES_POLLING_FAILED) {
    Failure failure{.message = trimmed(PQerrorMessage(raw)), .connection_lost = true};
    failure.sqlstate = PQconnectionNeedsPassword(raw) != 0 ? "28P01" : sqlstate_in(failure.message);
    return to_error(failure, fmt::format("{} at {}", doing, connection->place()));
  }
  PQsetErrorVerbosity(raw, PQERRORS_DEFAULT);
  PQsetnonblocking(raw, 1);
  connection->opened_at = connection->idle_since = Clock::now();
  return connection;
}

void Connection::on_notice(void* self, const pg_result* notice) {
  auto& notices = static_cast<Connection*>(self)->notices_;
  if (notices.size() < 20)
    notices.push_back(trimmed(PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY)));
}

void Connection::begin_call() {
  failure_ = {};
  notices_.clear();
}

void Connection::fail_lost() {
  broken_ = true;
  if (failure_.message.empty()) failure_.message = trimmed(PQerrorMessage(connection_));
  failure_.connection_lost = true;
}

void Connection::fail_deadline() {
  broken_ = true;
  failure_ = {
      .message = "no answer within the deadline", .connection_lost = true, .deadline_passed = true};
}

void Connection::fail_from(const pg_result* result) {
  if (!failure_.message.empty()) return;  // the first one counts
  const auto field = [&](int which) { return trimmed(PQresultErrorField(result, which)); };
  failure_.sqlstate = field(PG_DIAG_SQLSTATE);
  failure_.message = field(PG_DIAG_MESSAGE_PRIMARY);
  failure_.detail = field(PG_DIAG_MESSAGE_DETAIL);
  failure_.constraint = field(PG_DIAG_CONSTRAINT_NAME);
  if (failure_.message.empty()) failure_.message = trimmed(PQresultErrorMessage(result));
  if (failure_.message.empty()) failure_.message = "unexpected answer";
  if (ends_session(failure_) || PQstatus(connection_) == CONNECTION_BAD) {
    failure_.connection_lost = true;
    broken_ = true;
  }
}

bool Connection::wait(bool for_writing, Clock::time_point until) {
  pollfd descriptor{PQsocket(connection_), static_cast<short>(for_writing ? POLLOUT : POLLIN), 0};
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
    if (left <= 0) return false;
    const int ready =
        poll(&descriptor, 1, static_cast<int>(std::min<std::int64_t>(left, 3'600'000)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return true;  // let libpq find out
  }
}

/// The next result, sending what is still unsent; nullptr with ok: the statement has no more.
pg_result* Connection::next_result(bool& ok) {
  ok = true;
  auto until = Clock::now() + patience_;
  while (true) {
    const int unsent = PQflush(connection_);
    if (unsent >= 0 && PQisBusy(connection_) == 0) return PQgetResult(connection_);
    if (unsent < 0) {
      // The server may have said why before it hung up.
      PQconsumeInput(connection_);
      if (PQisBusy(connection_) == 0) {
        if (pg_result* result = PQgetResult(connection_)) return result;
      }
      fail_lost();
      ok = false;
      return nullptr;
    }
    pollfd descriptor{PQsocket(connection_),
                      static_cast<short>(POLLIN | (unsent == 1 ? POLLOUT : 0)), 0};
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
    const int ready =
        left <= 0 ? 0
                  : poll(&descriptor, 1, static_cast<int>(std::min<std::int64_t>(left, 3'600'000)));
    if (ready == 0) {
      fail_deadline();
      ok = false;
      return nullptr;
    }
    if (ready > 0 && (descriptor.revents & (POLLIN | POLLERR | POLLHUP)) != 0) {
      // A failure here leaves a result that tells of it.
      if (PQconsumeInput(connection_) == 0 && PQisBusy(connection_) != 0) {
        fail_lost();
        ok = false;
        return nullptr;
      }
    }
    if (ready > 0 && (descriptor.revents & POLLOUT) != 0) until = Clock::now() + patience_;
  }
}

bool Connection::send(const Command& command, std::vector<std::string>& preparing) {
  const Params& params = command.params;
  const int count = static_cast<int>(params.types_.size());
  std::vector<const char*> values;
  std::vector<int> lengths;
  for (const std::size_t start : params.starts_) {
    const std::int32_t length = read_int4(std::string_view(params.bytes_).substr(start, 4));
    values.push_back(length < 0 ? nullptr : params.bytes_.data() + start + 4);
    lengths.push_back(std::max(length, 0));
  }
  const std::vector<int> formats(values.size(), 1);
  const std::string name = generation_ == 0
                               ? command.statement.name
                               : fmt::format("{}_{}", command.statement.name, generation_);
  const bool known = prepared_.contains(name) ||
                     std::find(preparing.begin(), preparing.end(), name) != preparing.end();
  const bool prepares = options_.prepare->load(std::memory_order_relaxed);
  if (!prepares || (!known && prepared_.size() >= most_prepared)) {
    preparing.emplace_back();
    return PQsendQueryParams(connection_, command.statement.sql.c_str(), count,
                             params.types_.data(), values.data(), lengths.data(), formats.data(),
                             1) == 1;
  }
  preparing.push_back(known ? std::string{} : name);
  if (!known && PQsendPrepare(connection_, name.c_str(), command.statement.sql.c_str(), count,
                              params.types_.data()) != 1) {
    return false;
  }
  return PQsendQueryPrepared(connection_, name.c_str(), count, values.data(), lengths.data(),
                             formats.data(), 1) == 1;
}

std::optional<std::vector<Rows>> Connection::run(std::span<const Command> commands) {
  begin_call();
  if (broken_ || PQenterPipelineMode(connection_) != 1) {
    fail_lost();
    return std::nullopt;
  }
  std::vector<std::string> preparing;  // for each command: the name that it prepares first, or none
  for (const Command& command : commands) {
    if (!send(command, preparing)) {
      fail_lost();
      return std::nullopt;
    }
  }
  if (PQpipelineSync(connection_) != 1) {
    fail_lost();
    return std::nullopt;
  }

  std::vector<Rows> answers;
  answers.reserve(commands.size());
  bool good = true;
  // Each step's results end with a null pointer.
  const auto take_step = [&](const std::string* prepared) {
    while (true) {
      bool ok = true;
      pg_result* result = next_result(ok);
      if (!ok) return false;
      if (result == nullptr) return true;
      Rows rows(result);
      const ExecStatusType status = PQresultStatus(result);
      if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        if (prepared != nullptr) {
          prepared_.insert(*prepared);
        } else if (good) {
          answers.push_back(std::move(rows));
        }
      } else {
        good = false;
        if (status != PGRES_PIPELINE_ABORTED) fail_from(result);
        // 42P05: this session has it already, and the name says that it is the same.
        if (prepared != nullptr && failure_.is("42P05")) prepared_.insert(*prepared);
        if (broken_) return false;
      }
    }
  };
  for (const std::string& name : preparing) {
    if (!name.empty() && !take_step(&name)) return std::nullopt;
    if (!take_step(nullptr)) return std::nullopt;
  }
  bool ok = true;
  while (true) {  // the sync
    pg_result* result = next_result(ok);
    if (!ok) return std::nullopt;
    if (result == nullptr) break;
    const ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_PIPELINE_SYNC) {
      fail_from(result);
      good = false;
    }
    PQclear(result);
    if (status == PGRES_PIPELINE_SYNC || broken_) break;
  }
  if (broken_) return std::nullopt;
  if (PQexitPipelineMode(connection_) != 1) {
    fail_lost();
    return std::nullopt;
  }
  if (!good) {
    forget_stale();
    return std::nullopt;
  }
  return answers;
}

void Connection::forget_stale() {
  if (failure_.is("26000")) prepared_.clear();
  if (failure_.is("0A000")) {
    prepared_.clear();
    ++generation_;
  }
}

std::optional<Rows> Connection::run(const Statement& statement, Params params) {
  const Command command{statement, std::move(params)};
  auto rows = run(std::span(&command, 1));
  if (!rows) return std::nullopt;
  return std::move(rows->front());
}

bool Connection::execute(const std::string& sql) {
  if (!start(sql)) return false;
  while (true) {
    bool ok = true;
    pg_result* result = next_result(ok);
    if (!ok) return false;
    if (result == nullptr) return failure_.message.empty();
    const ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY)
      fail_from(result);
    PQclear(result);
  }
}

// --- COPY ---

bool Connection::copy_begin(const std::string& sql) {
  if (!start(sql)) return false;
  bool ok = true;
  pg_result* result = next_result(ok);
  if (!ok) return false;
  const bool started = PQresultStatus(result) == PGRES_COPY_IN;
  if (!started) {
    fail_from(result);
    while (pg_result* more = next_result(ok)) PQclear(more);
  }
  PQclear(result);
  return started;
}

bool Connection::copy_put(std::string_view piece) {
  while (true) {
    const int taken = PQputCopyData(connection_, piece.data(), static_cast<int>(piece.size()));
    if (taken < 0) return fail_lost(), false;
    if (taken == 1) break;
    if (!wait(true, Clock::now() + patience_)) return fail_deadline(), false;
  }
  // What the kernel does not take at once would pile up here: wait until it has it all.
  while (true) {
    const int unsent = PQflush(connection_);
    if (unsent < 0) return fail_lost(), false;
    if (unsent == 0) return true;
    if (!wait(true, Clock::now() + patience_)) return fail_deadline(), false;
  }
}

std::optional<std::int64_t> Connection::copy_end() {
  int ended = 0;
  while ((ended = PQputCopyEnd(connection_, nullptr)) == 0) {
    if (!wait(true, Clock::now() + patience_)) return fail_deadline(), std::nullopt;
  }
  if (ended < 0) return fail_lost(), std::nullopt;
  std::int64_t rows = 0;
  bool good = true;
  while (true) {
    bool ok = true;
    pg_result* result = next_result(ok);
    if (!ok) return std::nullopt;
    if (result == nullptr) break;
    const Rows owned(result);
    if (PQresultStatus(result) == PGRES_COMMAND_OK) {
      rows = owned.affected();
    } else {
      good = false;
      fail_from(result);
      if (broken_) break;
    }
  }
  return good ? std::optional(rows) : std::nullopt;
}

void Connection::copy_abandon() {
  if (broken_) return;
  if (PQputCopyEnd(connection_, "given up") != 1) return fail_lost();
  bool ok = true;
  while (pg_result* result = next_result(ok)) PQclear(result);
}

// --- long statements ---

bool Connection::start(const std::string& sql) {
  begin_call();
  if (broken_ || PQsendQuery(connection_, sql.c_str()) != 1) {
    fail_lost();
    return false;
  }
  return true;
}

Connection::Progress Connection::poll_started(std::chrono::milliseconds wait_for) {
  const auto until = Clock::now() + wait_for;
  while (true) {
    if (PQflush(connection_) < 0) return fail_lost(), Progress::failed;
    if (PQisBusy(connection_) == 0) {
      pg_result* result = PQgetResult(connection_);
      if (result == nullptr) return failure_.message.empty() ? Progress::done : Progress::failed;
      const ExecStatusType status = PQresultStatus(result);
      if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) fail_from(result);
      PQclear(result);
      if (broken_) return Progress::failed;
      continue;
    }
    if (!wait(false, until)) return Progress::running;
    if (PQconsumeInput(connection_) == 0 && PQisBusy(connection_) != 0)
      return fail_lost(), Progress::failed;
  }
}

void Connection::cancel_started() {
  char ignored[256];
  PGcancel* cancel = PQgetCancel(connection_);
  if (cancel == nullptr) return;
  PQcancel(cancel, ignored, sizeof ignored);
  PQfreeCancel(cancel);
}

// --- state ---

bool Connection::is_idle() const {
  return !broken_ && PQstatus(connection_) == CONNECTION_OK &&
         PQpipelineStatus(connection_) == PQ_PIPELINE_OFF &&
         PQtransactionStatus(connection_) == PQTRANS_IDLE;
}

bool Connection::is_dead() {
  if (!is_idle()) return true;
  pollfd descriptor{PQsocket(connection_), POLLIN, 0};
  if (poll(&descriptor, 1, 0) == 0) return false;
  // An idle session has nothing to say: a hang-up, a farewell, or a changed setting.
  if (PQconsumeInput(connection_) == 0 || PQstatus(connection_) != CONNECTION_OK) return true;
  return poll(&descriptor, 1, 0) != 0;
}

int Connection::server_version() const {
  return PQserverVersion(connection_);
}
int Connection::backend_pid() const {
  return PQbackendPID(connection_);
}
std::string Connection::parameter(const char* name) const {
  const char* value = PQparameterStatus(connection_, name);
  return value == nullptr ? "" : value;
}
std::string Connection::place() const {
  const auto or_unknown = [](const char* text) {
    return text == nullptr || *text == '\0' ? "?" : text;
  };
  return fmt::format("{}:{}/{}", or_unknown(PQhost(connection_)), or_unknown(PQport(connection_)),
                     or_unknown(PQdb(connection_)));
}

}  // namespace bb5::postgres
