#include "benchmarks/support/vector_cache.hpp"

#include <algorithm>
#include <fstream>
#include <unordered_set>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "benchmarks/support/measure.hpp"

namespace bb5::bench {
namespace {

constexpr std::size_t key_size = 32;
constexpr std::size_t batch = 512;

std::string key_of(std::string_view text) {
  return to_hex(md5(text));
}

}  // namespace

VectorCache::VectorCache(Embedder& embedder, std::filesystem::path file)
    : embedder_(embedder), file_(std::move(file)) {
  read();
}

void VectorCache::read() {
  std::ifstream in(file_, std::ios::binary);
  const std::size_t dimension = embedder_.info().dimension;
  std::string key(key_size, '\0');
  std::vector<float> vector(dimension);
  const auto bytes = static_cast<std::streamsize>(dimension * sizeof(float));
  while (in.read(key.data(), key_size) && in.read(reinterpret_cast<char*>(vector.data()), bytes))
    vectors_.emplace(key, vector);
}

void VectorCache::prepare(std::span<const std::string> texts) {
  std::vector<std::string_view> missing;
  std::unordered_set<std::string_view> seen;
  for (const std::string& text : texts) {
    if (!vectors_.contains(key_of(text)) && seen.insert(text).second) missing.push_back(text);
  }
  // Texts of one length go through the model together at the least cost.
  std::sort(missing.begin(), missing.end(), [](std::string_view a, std::string_view b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
  for (std::size_t done = 0; done < missing.size(); done += batch) {
    fmt::print(stderr, "\r{} of {} vectors", done, missing.size());
    embed(std::span(missing).subspan(done, std::min(batch, missing.size() - done)));
  }
  if (!missing.empty()) fmt::print(stderr, "\r{} vectors made\n", missing.size());
}

void VectorCache::embed(std::span<const std::string_view> texts) {
  auto made = must(embedder_.embed(texts));
  std::ofstream out(file_, std::ios::binary | std::ios::app);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string key = key_of(texts[i]);
    out.write(key.data(), key_size);
    out.write(reinterpret_cast<const char*>(made[i].data()),
              static_cast<std::streamsize>(made[i].size() * sizeof(float)));
    vectors_.emplace(key, std::move(made[i]));
  }
  if (!out.flush()) give_up(fmt::format("{} cannot be written", file_.string()));
}

const std::vector<float>& VectorCache::of(const std::string& text) const {
  return vectors_.at(key_of(text));
}

}  // namespace bb5::bench
