#include "stores/embedded/connection.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <system_error>
#include <thread>

#include <fmt/format.h>
#include <sqlite3.h>

namespace bb5::embedded {
namespace {

bool is_disk_full(int system_error) {
  return system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG;
}

int last_error_of(sqlite3_file* file) {
  int error = 0;
  if (file != nullptr && file->pMethods != nullptr) {
    file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &error);
  }
  return error;
}

/// The operating system's reason for a failed read or write. sqlite3_system_errno() knows it only
/// when the failure came before the end of a statement; a failed COMMIT leaves it with the file.
int system_error_of(sqlite3* handle, int code) {
  if (handle == nullptr) return 0;
  const int known = sqlite3_system_errno(handle);
  if (known != 0 || (code & 0xFF) != SQLITE_IOERR) return known;
  sqlite3_file* database = nullptr;
  sqlite3_file* log = nullptr;
  sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &database);
  sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  const int of_log = last_error_of(log);
  return of_log != 0 ? of_log : last_error_of(database);
}

std::size_t length_of(int bytes) {
  return static_cast<std::size_t>(std::max(bytes, 0));
}

}  // namespace

Error error_of(sqlite3* handle, int code, const std::filesystem::path& file) {
  const std::string name = file.string();
  const int system_error = system_error_of(handle, code);
  std::string detail = fmt::format("SQLite {} ({}): {}", code, sqlite3_errstr(code),
                                   handle != nullptr ? sqlite3_errmsg(handle) : "");
  if (system_error != 0)
    detail +=
        fmt::format("; errno {} ({})", system_error, std::generic_category().message(system_error));
  const auto make = [&](Errc errc, std::string message, std::string remedy = {}) {
    return Error{errc, std::move(message), std::move(remedy), std::move(detail)};
  };
  switch (code & 0xFF) {
    case SQLITE_NOMEM:
      throw std::bad_alloc();
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return make(Errc::locked, fmt::format("another process is writing to {}", name),
                  "try again when it has finished");
    case SQLITE_FULL:
      return make(Errc::out_of_space, fmt::format("no space left to write to {}", name),
                  "free some disk space and repeat the command; nothing was changed");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return make(Errc::corrupt, fmt::format("{} is damaged", name),
                  "restore a backup, or save what can be read: sqlite3 FILE .recover");
    case SQLITE_IOERR:
      if (is_disk_full(system_error)) {
        return make(Errc::out_of_space, fmt::format("no space left to write to {}", name),
                    "free some disk space and repeat the command; nothing was changed");
      }
      if (code == SQLITE_IOERR_SHORT_READ || code == SQLITE_IOERR_CORRUPTFS) {
        return make(Errc::corrupt, fmt::format("{} is shorter than it should be", name),
                    "restore a backup, or save what can be read: sqlite3 FILE .recover");
      }
      return make(Errc::unavailable, fmt::format("the disk under {} failed", name),
                  "look into the system log; try again");
    case SQLITE_CANTOPEN:
      if (system_error == ENOENT)
        return make(Errc::not_found, fmt::format("{} does not exist", name));
      if (is_disk_full(system_error)) {
        return make(Errc::out_of_space, fmt::format("no space left beside {}", name));
      }
      return make(Errc::refused, fmt::format("{} cannot be opened", name),
                  "check the rights of the file and of its folder, which must be writable too");
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
      return make(Errc::refused, fmt::format("{} may not be written", name),
                  "check the rights of the file and of its folder");
    case SQLITE_TOOBIG:
      return make(Errc::invalid_argument, "a text is longer than the store can hold (1 GB)");
    case SQLITE_INTERRUPT:
      return make(Errc::cancelled, "interrupted");
    default:
      return make(Errc::internal,
                  fmt::format("{}: {}", name,
                              handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code)));
  }
}

// --- Row ---

bool Row::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}
std::int64_t Row::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}
double Row::real(int column) const {
  return sqlite3_column_double(statement_, column);
}
std::string_view Row::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (bytes == nullptr) return {};
  return {bytes, length_of(sqlite3_column_bytes(statement_, column))};
}
std::string_view Row::blob(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  if (bytes == nullptr) return {};
  return {bytes, length_of(sqlite3_column_bytes(statement_, column))};
}
std::optional<std::int64_t> Row::maybe_integer(int column) const {
  return is_null(column) ? std::nullopt : std::optional(integer(column));
}
std::optional<double> Row::maybe_real(int column) const {
  return is_null(column) ? std::nullopt : std::optional(real(column));
}
std::optional<std::string> Row::maybe_string(int column) const {
  return is_null(column) ? std::nullopt : std::optional(string(column));
}
std::optional<Timestamp> Row::maybe_time(int column) const {
  if (is_null(column)) return std::nullopt;
  return Timestamp(std::chrono::microseconds(integer(column)));
}
Uuid Row::uuid(int column) const {
  Uuid id;
  const std::string_view bytes = blob(column);
  if (bytes.size() == id.bytes.size()) std::memcpy(id.bytes.data(), bytes.data(), bytes.size());
  return id;
}

// --- Connection ---

Result<std::unique_ptr<Connection>> Connection::open(const std::filesystem::path& file,
                                                     OpenMode mode,
                                                     std::chrono::milliseconds busy_timeout) {
  sqlite3* handle = nullptr;
  // A connection is used by one thread at a time, so it needs no mutex of its own.
  const int flags = (mode == OpenMode::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
                    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(file.c_str(), &handle, flags, nullptr);
  if (code != SQLITE_OK) {
    Error error = error_of(handle, code, file);
    sqlite3_close(handle);
    return error;
  }
  return std::unique_ptr<Connection>(new Connection(handle, file, busy_timeout));
}

Result<std::unique_ptr<Connection>> Connection::open_in_memory() {
  return open(":memory:", OpenMode::read_write, std::chrono::milliseconds(0));
}

Connection::Connection(sqlite3* handle, std::filesystem::path file,
                       std::chrono::milliseconds busy_timeout)
    : handle_(handle), file_(std::move(file)), busy_timeout_(busy_timeout) {
  sqlite3_busy_handler(handle_, &Connection::on_busy, this);
}

Connection::~Connection() {
  for (auto& [sql, copies] : statements_) {
    for (auto& copy : copies) sqlite3_finalize(copy->handle);
  }
  sqlite3_close(handle_);
}

// SQLite's own handler sleeps up to 100 ms at a time, which starves a process among many writers.
// Short sleeps of unequal length give everyone a turn.
int Connection::on_busy(void* self, int earlier_calls) {
  auto& connection = *static_cast<Connection*>(self);
  const auto now = std::chrono::steady_clock::now();
  if (earlier_calls == 0) connection.busy_since_ = now;
  if (now - connection.busy_since_ >= connection.busy_timeout_) return 0;
  const int longest = std::min(1 + earlier_calls, 10);
  const auto jitter =
      std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count() % 1000;
  std::this_thread::sleep_for(std::chrono::microseconds(longest * (500 + jitter / 2)));
  return 1;
}

Connection::Statement* Connection::statement_for(std::string_view sql, int& code) {
  auto place = statements_.find(sql);
  if (place == statements_.end()) place = statements_.try_emplace(std::string(sql)).first;
  for (auto& copy : place->second) {
    if (!copy->busy) return copy.get();
  }
  auto fresh = std::make_unique<Statement>();
  code =
      sqlite3_prepare_v3(handle_, place->first.c_str(), static_cast<int>(place->first.size() + 1),
                         SQLITE_PREPARE_PERSISTENT, &fresh->handle, nullptr);
  if (code != SQLITE_OK) return nullptr;
  place->second.push_back(std::move(fresh));
  return place->second.back().get();
}

Result<> Connection::script(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error_of(handle_, code, file_);
  return ok();
}

Result<> Connection::add_predicate(const char* name, TextPredicate predicate) {
  static_assert(sizeof(predicate) == sizeof(void*));
  const auto call = [](sqlite3_context* context, int, sqlite3_value** arguments) {
    const auto text = [&](int number) -> std::optional<std::string_view> {
      if (sqlite3_value_type(arguments[number]) != SQLITE_TEXT) return std::nullopt;
      const auto* bytes = reinterpret_cast<const char*>(sqlite3_value_text(arguments[number]));
      return std::string_view(bytes, length_of(sqlite3_value_bytes(arguments[number])));
    };
    const auto left = text(0);
    const auto right = text(1);
    const auto holds = reinterpret_cast<TextPredicate>(sqlite3_user_data(context));
    sqlite3_result_int(context, left && right && holds(*left, *right) ? 1 : 0);
  };
  const int code = sqlite3_create_function_v2(
      handle_, name, 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
      reinterpret_cast<void*>(predicate), call, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error_of(handle_, code, file_);
  return ok();
}

std::int64_t Connection::changes() const {
  return sqlite3_changes64(handle_);
}
bool Connection::in_transaction() const {
  return sqlite3_get_autocommit(handle_) == 0;
}

// --- Lease ---

Connection::Lease::Lease(Connection& connection, std::string_view sql) : connection_(connection) {
  slot_ = connection_.statement_for(sql, code_);
  if (slot_ == nullptr) {
    error_ = error_of(connection_.handle_, code_, connection_.file_);
    return;
  }
  slot_->busy = true;
  handle_ = slot_->handle;
}

Connection::Lease::~Lease() {
  if (slot_ == nullptr) return;
  sqlite3_reset(handle_);
  sqlite3_clear_bindings(handle_);
  slot_->busy = false;
}

void Connection::Lease::note(int code) {
  if (code != SQLITE_OK && !error_) error_ = error_of(connection_.handle_, code, connection_.file_);
}

void Connection::Lease::bind(int index, std::nullopt_t) {
  if (handle_ != nullptr) note(sqlite3_bind_null(handle_, index));
}
void Connection::Lease::bind(int index, std::int64_t value) {
  if (handle_ != nullptr) note(sqlite3_bind_int64(handle_, index, value));
}
void Connection::Lease::bind(int index, double value) {
  if (handle_ != nullptr) note(sqlite3_bind_double(handle_, index, value));
}
// Bound values outlive the lease (they are the caller's arguments), so nothing is copied.
void Connection::Lease::bind(int index, std::string_view text) {
  if (handle_ == nullptr) return;
  note(sqlite3_bind_text64(handle_, index, text.empty() ? "" : text.data(), text.size(),
                           SQLITE_STATIC, SQLITE_UTF8));
}
void Connection::Lease::bind(int index, Blob blob) {
  if (handle_ == nullptr) return;
  note(sqlite3_bind_blob64(handle_, index, blob.bytes.empty() ? "" : blob.bytes.data(),
                           blob.bytes.size(), SQLITE_STATIC));
}
void Connection::Lease::bind(int index, const Uuid& id) {
  bind(index, Blob{{reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()}});
}

bool Connection::Lease::step() {
  if (error_) return false;
  code_ = sqlite3_step(handle_);
  if (code_ == SQLITE_ROW) return true;
  if (code_ != SQLITE_DONE) note(code_);
  return false;
}

Result<> Connection::Lease::status() const {
  if (error_) return *error_;
  return ok();
}

// --- Transaction ---

Result<Transaction> Transaction::read(Connection& connection) {
  BB5_TRY(connection.run("BEGIN"));
  return Transaction(connection);
}

Result<Transaction> Transaction::write(Connection& connection) {
  BB5_TRY(connection.run("BEGIN IMMEDIATE"));
  return Transaction(connection);
}

Transaction::~Transaction() {
  // After some errors SQLite has rolled back by itself.
  if (connection_ != nullptr && connection_->in_transaction()) (void)connection_->run("ROLLBACK");
}

Result<> Transaction::commit() {
  BB5_TRY(connection_->run("COMMIT"));
  connection_ = nullptr;
  return ok();
}

}  // namespace bb5::embedded
