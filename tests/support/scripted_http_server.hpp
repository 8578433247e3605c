#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

/// For tests: an HTTP server on 127.0.0.1 that says and does what it is told, well or badly.
namespace bb5 {

struct ServedRequest {
  std::string method;
  std::string path;
  std::string head;  ///< The whole head, for header checks.
  std::string body;
};

struct ScriptedReply {
  enum class Fault : unsigned char {
    none,
    close_before,  ///< Closes the connection without a word.
    cut_head,      ///< Sends half a head and closes.
    cut_body,      ///< Promises more bytes than it sends, then closes.
    hang,          ///< Never answers (until the server is destroyed).
    garbage,       ///< Sends what is not HTTP.
    chunked,       ///< A good answer, in small pieces with chunked encoding.
    close_after,   ///< A good answer, and the connection is closed without notice.
    slow,          ///< A good answer, a byte every ten milliseconds.
  };
  int status = 200;
  std::string body = {};
  Fault fault = Fault::none;
  std::vector<std::string> headers = {};  ///< `Name: value`, beside the usual ones.
};

class ScriptedHttpServer {
 public:
  using Script = std::function<ScriptedReply(const ServedRequest&)>;

  explicit ScriptedHttpServer(Script script);
  ~ScriptedHttpServer();
  ScriptedHttpServer(const ScriptedHttpServer&) = delete;
  ScriptedHttpServer& operator=(const ScriptedHttpServer&) = delete;
  ScriptedHttpServer(ScriptedHttpServer&&) = delete;
  ScriptedHttpServer& operator=(ScriptedHttpServer&&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string base_url() const;
  [[nodiscard]] std::vector<ServedRequest> requests() const;
  [[nodiscard]] int connections() const;

 private:
  void accept_loop();
  void serve(int connection);
  /// False when the connection is to be closed.
  bool answer(int connection, const ScriptedReply& reply);

  Script script_;
  int listener_ = -1;
  int wake_read_ = -1;  ///< Readable from the destructor on.
  int wake_write_ = -1;
  std::uint16_t port_ = 0;
  std::thread acceptor_;
  mutable std::mutex mutex_;
  std::vector<std::thread> servers_;     // guarded by mutex_
  std::vector<ServedRequest> requests_;  // guarded by mutex_
  int connections_ = 0;                  // guarded by mutex_
};

}  // namespace bb5
