#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "ports/embedder.hpp"

namespace bb5::bench {

/// Vectors of texts, kept in a file between runs, so that only the first one computes them.
class VectorCache {
 public:
  /// A file that is absent or cut off is one with fewer vectors.
  VectorCache(Embedder& embedder, std::filesystem::path file);

  /// Makes those that are missing, and appends them to the file. Ends the program if that fails.
  void prepare(std::span<const std::string> texts);
  /// Of a text that was prepared.
  [[nodiscard]] const std::vector<float>& of(const std::string& text) const;

 private:
  void read();
  void embed(std::span<const std::string_view> texts);

  Embedder& embedder_;
  std::filesystem::path file_;
  std::unordered_map<std::string, std::vector<float>> vectors_;  // by MD5 of the text
};

}  // namespace bb5::bench
