#pragma once

#include <filesystem>
#include <string>

#include <sys/types.h>

#include "tests/support/temporary_folder.hpp"

namespace bb5 {

/// For tests: tests/support/model_server.py as a process of its own, for the life of the object.
class ModelServer {
 public:
  /// script: JSON as the program's own help describes it. Throws when it does not start.
  explicit ModelServer(const std::string& script);
  ~ModelServer();
  ModelServer(const ModelServer&) = delete;
  ModelServer& operator=(const ModelServer&) = delete;
  ModelServer(ModelServer&&) = delete;
  ModelServer& operator=(ModelServer&&) = delete;

  [[nodiscard]] const std::string& base_url() const { return base_url_; }

 private:
  TemporaryFolder folder_;
  pid_t process_ = -1;
  std::string base_url_;
};

}  // namespace bb5
