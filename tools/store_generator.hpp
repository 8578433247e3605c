#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/memory.hpp"

namespace bb5 {

/// What a made-up store of the old system is to look like. Every record follows from the seed and
/// its place alone, on every machine.
struct StoreShape {
  std::int64_t records = 1000;
  std::size_t dimension = 1536;
  std::uint64_t seed = 42;
  /// Vectors are noise around this many directions; 0: every vector has a direction of its own,
  /// the hardest case for an approximate index.
  std::size_t clusters = 0;
  std::size_t words = 0;     ///< Words in each content; 0: 12 to 40.
  double entities = 0;       ///< Share of records that are entities, in [0, 1]…
  double relationships = 0;  ///< …and relationships (as the old system kept both: pseudo-memories).
  double damage = 0;         ///< Share of records that are damaged, one fault each.
};

/// Makes the records of one store. Safe to call from several threads at once.
class StoreGenerator {
 public:
  explicit StoreGenerator(StoreShape shape);

  /// The record at this place (from 0), without damage. Its vector is of unit length.
  [[nodiscard]] Memory memory(std::int64_t place) const;

  /// The unit vector of a place; places past the last record give held-out queries.
  void vector(std::int64_t place, std::span<float> out) const;

  /// Appends the text of the record as it stands in the file and, when that was damaged on purpose,
  /// returns the name of the fault, else "".
  std::string_view write(std::int64_t place, std::string& out) const;

  [[nodiscard]] const StoreShape& shape() const { return shape_; }

 private:
  StoreShape shape_;
  std::int64_t entities_;
  std::vector<float> centres_;
};

struct GeneratedStore {
  std::int64_t records = 0;
  std::int64_t bytes = 0;
  std::map<std::string, std::int64_t> damaged;  ///< Number of records by fault.
};

/// Takes the next bytes of the file. Errors stop the generation.
using GeneratedBytes = std::function<Result<>(std::string_view)>;

/// Streams memories.json exactly as the old system would have written it (but for the damage), in
/// bounded memory.
Result<GeneratedStore> generate_store(const StoreShape& shape, const GeneratedBytes& sink);

/// The same into a new or overwritten file. Errors: unavailable, out_of_space.
Result<GeneratedStore> generate_store_file(const StoreShape& shape, const std::string& path);

}  // namespace bb5
