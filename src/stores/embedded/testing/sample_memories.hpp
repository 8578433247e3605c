#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "model/memory.hpp"
#include "stores/embedded/embedded_bank.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_folder.hpp"

/// What the tests of this folder write.
namespace bb5::embedded {

inline std::unique_ptr<Bank> open_bank(const std::filesystem::path& file) {
  auto bank = open_embedded_bank({.file = file, .create = true});
  if (!bank) throw std::runtime_error(bank.error().message + " " + bank.error().detail);
  return std::move(*bank);
}

inline std::vector<float> random_vector(std::mt19937_64& random, std::size_t dimension) {
  std::normal_distribution<float> normal;
  std::vector<float> vector(dimension);
  for (float& x : vector) x = normal(random);
  return vector;
}

/// Memory `number`: its id, text, network, entities and vector all follow from the number.
inline Memory sample_memory(std::int64_t number, std::size_t dimension) {
  Memory memory;
  memory.legacy_id = "m" + std::to_string(number);
  memory.id = memory_id_of('"' + memory.legacy_id + '"');
  memory.content =
      "memory number " + std::to_string(number) + " about subject" + std::to_string(number % 7);
  memory.network = std::string(known_networks[static_cast<std::size_t>(number) % 4]);
  memory.metadata = R"({"entities":["Subject )" + std::to_string(number % 7) + R"(","Thing )" +
                    std::to_string(number % 50) + R"("]})";
  derive_columns(memory);
  if (dimension > 0) {
    std::mt19937_64 random(static_cast<std::uint64_t>(number) + 1);
    memory.embedding = random_vector(random, dimension);
    memory.vector_state = VectorState::indexed;
  }
  return memory;
}

inline std::vector<Memory> sample_batch(std::int64_t first, std::int64_t count,
                                        std::size_t dimension) {
  std::vector<Memory> batch;
  for (std::int64_t i = 0; i < count; ++i) batch.push_back(sample_memory(first + i, dimension));
  return batch;
}

}  // namespace bb5::embedded
