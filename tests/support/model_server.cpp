#include "tests/support/model_server.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <stdexcept>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bb5 {

ModelServer::ModelServer(const std::string& script) {
  const std::string script_file = (folder_.path() / "script.json").string();
  std::ofstream(script_file) << script;
  std::string program = std::string(BB5_SOURCE_DIR) + "/tests/support/model_server.py";
  std::string python = "python3";
  std::string no_cache = "-B";
  std::string script_argument = script_file;
  std::array<char*, 5> arguments{python.data(), no_cache.data(), program.data(),
                                 script_argument.data(), nullptr};
  std::array<int, 2> out{};
  if (pipe2(out.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  const int failed =
      posix_spawnp(&process_, python.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(out[1]);
  std::array<char, 200> line{};
  FILE* const lines = fdopen(out[0], "r");
  const bool started = failed == 0 && lines != nullptr &&
                       fgets(line.data(), static_cast<int>(line.size()), lines) != nullptr;
  if (lines != nullptr) fclose(lines);
  if (!started) throw std::runtime_error("the model server does not start");
  base_url_ = line.data();
  base_url_.pop_back();  // The end of the line.
}

ModelServer::~ModelServer() {
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
}

}  // namespace bb5
