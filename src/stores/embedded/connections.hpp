#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "base/result.hpp"
#include "stores/embedded/connection.hpp"
#include "stores/embedded/embedded_bank.hpp"

namespace bb5::embedded {

/// The connections of one open bank: one that writes, and as many that read as threads want at once
/// (at most `most_readers`; then they wait). Thread-safe.
class Connections {
 public:
  static constexpr std::size_t most_readers = 16;

  /// A reading connection; goes back at the end.
  class Reader {
   public:
    Reader(Connections& pool, std::unique_ptr<Connection> connection)
        : pool_(&pool), connection_(std::move(connection)) {}
    ~Reader();
    Reader(Reader&&) noexcept = default;
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    Reader& operator=(Reader&&) = delete;
    Connection& operator*() const { return *connection_; }
    Connection* operator->() const { return connection_.get(); }

   private:
    Connections* pool_;
    std::unique_ptr<Connection> connection_;
  };

  /// The writing connection, for as long as this lives.
  class Writer {
   public:
    Writer(std::unique_lock<std::mutex> lock, Connection& connection)
        : lock_(std::move(lock)), connection_(&connection) {}
    Connection& operator*() const { return *connection_; }
    Connection* operator->() const { return connection_; }

   private:
    std::unique_lock<std::mutex> lock_;
    Connection* connection_;
  };

  /// Opens the file, makes it where that is asked for, and checks that it is ours.
  static Result<std::unique_ptr<Connections>> open(const EmbeddedOptions& options);

  Result<Reader> reader();
  Result<Writer> writer();

  [[nodiscard]] const std::filesystem::path& file() const { return options_.file; }
  [[nodiscard]] bool read_only() const { return options_.read_only; }

 private:
  explicit Connections(EmbeddedOptions options) : options_(std::move(options)) {}
  Result<std::unique_ptr<Connection>> connect(bool for_writing) const;
  void take_back(std::unique_ptr<Connection> connection);

  const EmbeddedOptions options_;

  std::mutex readers_mutex_;
  std::condition_variable reader_returned_;
  std::vector<std::unique_ptr<Connection>> idle_readers_;  // guarded by readers_mutex_
  std::size_t readers_ = 0;                                // guarded by readers_mutex_

  std::mutex writer_mutex_;
  std::unique_ptr<Connection> writer_;  // guarded by writer_mutex_
};

}  // namespace bb5::embedded
