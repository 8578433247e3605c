#include "tests/support/scripted_http_server.hpp"

#include <array>
#include <charconv>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bb5 {
namespace {

bool send_all(int to, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::size_t content_length(std::string_view head) {
  constexpr std::string_view name = "Content-Length: ";
  const std::size_t at = head.find(name);
  std::size_t length = 0;
  if (at != std::string_view::npos)
    std::from_chars(head.data() + at + name.size(), head.data() + head.size(), length);
  return length;
}

}  // namespace

ScriptedHttpServer::ScriptedHttpServer(Script script) : script_(std::move(script)) {
  int wake[2];
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (listener_ < 0 || pipe(wake) != 0 || bind(listener_, any, size) != 0 ||
      listen(listener_, 16) != 0 || getsockname(listener_, any, &size) != 0)
    throw std::runtime_error("no test server");
  wake_read_ = wake[0];
  wake_write_ = wake[1];
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_loop(); });
}

ScriptedHttpServer::~ScriptedHttpServer() {
  close(wake_write_);
  acceptor_.join();
  for (auto& server : servers_) server.join();  // The acceptor is gone: nobody else touches them.
  close(listener_);
  close(wake_read_);
}

std::string ScriptedHttpServer::base_url() const {
  return "http://127.0.0.1:" + std::to_string(port_);
}

std::vector<ServedRequest> ScriptedHttpServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

int ScriptedHttpServer::connections() const {
  const std::lock_guard lock(mutex_);
  return connections_;
}

void ScriptedHttpServer::accept_loop() {
  while (true) {
    std::array<pollfd, 2> ready{{{listener_, POLLIN, 0}, {wake_read_, POLLIN, 0}}};
    if (poll(ready.data(), ready.size(), -1) < 0) continue;
    if (ready[1].revents != 0) return;
    const int connection = accept(listener_, nullptr, nullptr);
    if (connection < 0) continue;
    const std::lock_guard lock(mutex_);
    ++connections_;
    servers_.emplace_back([this, connection] {
      serve(connection);
      close(connection);
    });
  }
}

void ScriptedHttpServer::serve(int connection) {
  std::string received;
  while (true) {
    // One whole request.
    std::size_t head_end = 0;
    std::size_t length = 0;
    while (true) {
      head_end = received.find("\r\n\r\n");
      if (head_end != std::string::npos) {
        length = content_length(std::string_view(received).substr(0, head_end));
        if (received.size() >= head_end + 4 + length) break;
      }
      std::array<pollfd, 2> ready{{{connection, POLLIN, 0}, {wake_read_, POLLIN, 0}}};
      if (poll(ready.data(), ready.size(), -1) < 0) continue;
      if (ready[1].revents != 0) return;
      std::array<char, 65536> buffer{};
      const ssize_t got = recv(connection, buffer.data(), buffer.size(), 0);
      if (got <= 0) return;
      received.append(buffer.data(), static_cast<std::size_t>(got));
    }
    ServedRequest request;
    request.head = received.substr(0, head_end);
    request.body = received.substr(head_end + 4, length);
    received.erase(0, head_end + 4 + length);
    const std::size_t first = request.head.find(' ');
    request.method = request.head.substr(0, first);
    request.path = request.head.substr(first + 1, request.head.find(' ', first + 1) - first - 1);
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    if (!answer(connection, script_(request))) return;
  }
}

bool ScriptedHttpServer::answer(int connection, const ScriptedReply& reply) {
  using Fault = ScriptedReply::Fault;
  std::string start =
      "HTTP/1.1 " + std::to_string(reply.status) + " Said\r\nContent-Type: application/json\r\n";
  for (const auto& header : reply.headers) start += header + "\r\n";
  const std::string whole =
      start + "Content-Length: " + std::to_string(reply.body.size()) + "\r\n\r\n" + reply.body;
  switch (reply.fault) {
    case Fault::none:
      return send_all(connection, whole);
    case Fault::close_after:
      send_all(connection, whole);
      return false;
    case Fault::close_before:
      return false;
    case Fault::cut_head:
      send_all(connection, start);
      return false;
    case Fault::cut_body:
      send_all(connection, start + "Content-Length: " + std::to_string(reply.body.size() + 10) +
                               "\r\n\r\n" + reply.body);
      return false;
    case Fault::garbage:
      send_all(connection, "\x16\x03\x01 this is no HTTP\r\n\r\n");
      return false;
    case Fault::chunked: {
      bool good = send_all(connection, start + "Transfer-Encoding: chunked\r\n\r\n");
      for (std::size_t at = 0; good && at < reply.body.size(); at += 7) {
        const std::string piece = reply.body.substr(at, 7);
        good = send_all(connection, std::to_string(piece.size()) + "\r\n" + piece + "\r\n");
      }
      return good && send_all(connection, "0\r\n\r\n");
    }
    case Fault::slow: {
      pollfd wake{wake_read_, POLLIN, 0};
      for (std::size_t at = 0; at < whole.size(); ++at) {
        if (!send_all(connection, whole.substr(at, 1)) || poll(&wake, 1, 10) > 0) return false;
      }
      return true;
    }
    case Fault::hang: {
      pollfd wake{wake_read_, POLLIN, 0};
      while (poll(&wake, 1, -1) < 0) {
      }
      return false;
    }
  }
  return false;
}

}  // namespace bb5
