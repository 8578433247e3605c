#pragma once

#include <bit>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace bb5::embedded {

static_assert(std::endian::native == std::endian::little,
              "vectors are stored as little-endian binary32 and read in place");

[[nodiscard]] inline std::string_view bytes_of(std::span<const float> vector) {
  return {reinterpret_cast<const char*>(vector.data()), vector.size_bytes()};
}

/// SQLite hands out blobs at any address, so the numbers are copied, not pointed at.
inline void copy_floats(std::string_view bytes, std::vector<float>& vector) {
  vector.resize(bytes.size() / sizeof(float));
  if (!vector.empty()) std::memcpy(vector.data(), bytes.data(), vector.size() * sizeof(float));
}

[[nodiscard]] inline std::vector<float> floats_of(std::string_view bytes) {
  std::vector<float> vector;
  copy_floats(bytes, vector);
  return vector;
}

}  // namespace bb5::embedded
