#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace bb5 {

/// The four networks by epistemic type. A memory keeps its network as text, since old stores hold
/// others; these are the known ones.
inline constexpr std::string_view known_networks[] = {"world", "experience", "opinion",
                                                      "observation"};

/// The known network that this spelling means (case ignored; the letters W, B, O, S of the old
/// system included), or nothing.
[[nodiscard]] std::optional<std::string> parse_network(std::string_view text);

/// What a record of the old store stands for: it kept entities and relationships as
/// pseudo-memories.
enum class MemoryKind : std::uint8_t { memory = 0, entity = 1, relationship = 2 };

/// Where the vector of a memory stands. The values are stored: never renumber.
enum class VectorState : std::uint8_t {
  none = 0,      ///< No vector: needs embedding.
  indexed = 1,   ///< `embedding` holds it, of the bank's model.
  fallback = 2,  ///< The old system's hashed noise; kept in `raw` only; needs embedding.
  foreign = 3,   ///< Another or an unknown model's; kept in `raw` only; needs embedding.
  unusable = 4   ///< Not an array of finite numbers; kept in `raw` only; needs embedding.
};

/// The bytes of a record that our columns would not reproduce (see docs/decisions on exactness).
struct RawRecord {
  /// The JSON object's text from `{` to `}`. Where `embedding_at` is set, the text of the
  /// embedding's array is cut out at that byte, because writing Memory::embedding canonically gives
  /// it back. Empty: what our columns give without a vector (made_vector.hpp).
  std::string text;
  std::optional<std::uint32_t> embedding_at;
  bool operator==(const RawRecord&) const = default;
};

/// A vector that came with a memory and that one of another model took the place of, when the bank
/// changed its model (made_vector.hpp).
struct GivenVector {
  std::string model;           ///< Empty, as `numbers`: it was dropped since.
  std::vector<float> numbers;  ///< Where the record is written as it was given, they stand there.
  [[nodiscard]] bool dropped() const { return numbers.empty(); }
  bool operator==(const GivenVector&) const = default;
};

/// One memory, as every store keeps and returns it. A plain value.
/// Text members are UTF-8 without U+0000. `confidence`, `source`, `source_type`, `category` and
/// `entities` always repeat what `metadata` says (derive_columns keeps it so): the old system knew
/// only the metadata, and exports rest on it.
struct Memory {
  MemoryId id;
  std::string legacy_id;  ///< What every surface shows as the id.
  std::int64_t seq = 0;   ///< Position in insertion order, from 1; the store assigns it when 0.
  MemoryKind kind = MemoryKind::memory;
  std::string content;
  std::string network = "observation";
  std::optional<double> confidence;  ///< In [0, 1].
  std::optional<std::string> source;
  std::optional<std::string> source_type;
  std::optional<std::string> category;
  std::vector<std::string> entities;  ///< Names as given, order and duplicates kept.
  std::optional<Timestamp> created_at;
  std::optional<Timestamp> updated_at;  ///< Unset until the first change.
  std::optional<Timestamp> valid_from;
  std::optional<Timestamp> valid_until;
  std::optional<MemoryId> superseded_by;
  std::optional<std::string> author;     ///< Who said or wrote it.
  std::optional<std::string> thread;     ///< The conversation or document that it is a part of…
  std::optional<std::int64_t> position;  ///< …and its place there.
  std::string metadata = "{}";           ///< Compact JSON text, order and spelling of numbers kept.
  VectorState vector_state = VectorState::none;
  std::vector<float> embedding;  ///< Filled exactly when vector_state == indexed.
  std::optional<RawRecord> raw;
  /// Set only where `embedding` is not what the memory came with. Read with embeddings only.
  std::optional<GivenVector> given;

  bool operator==(const Memory&) const = default;
};

/// Sets confidence, source, source_type, category and entities from `memory.metadata`. Values of
/// another type than the column's leave it empty; a confidence outside [0, 1] or not finite too.
/// Returns the names of the keys that were there but did not fit.
std::vector<std::string> derive_columns(Memory& memory);

/// Sets one key of the metadata (value: JSON text) and derives the columns anew. When the metadata
/// is no object it becomes one.
void set_metadata(Memory& memory, std::string_view key, std::string_view json_value);

/// The old system's id: the first 12 hex digits of the MD5 of the content.
[[nodiscard]] std::string legacy_id_of(std::string_view content);

/// UUIDv5, in this project's fixed namespace (docs/decisions), of the legacy id as JSON text;
/// from the second record of that id on (occurrence ≥ 2), of `id#occurrence`.
[[nodiscard]] MemoryId memory_id_of(std::string_view legacy_id_json, std::uint32_t occurrence = 1);

/// Checks what the types do not: text members storable, seq not negative, confidence in [0, 1],
/// vectors finite and not all zero, `embedding` present exactly when indexed, `given` only then.
/// Errors: invalid_argument naming the field.
Result<> validate(const Memory& memory);

/// SHA-256 over every field but id, seq, updated_at, given and the vector's bits, length-prefixed:
/// two memories with equal hashes and equal vectors are the same record.
[[nodiscard]] std::string content_hash(const Memory& memory);  // 32 bytes

/// SHA-256 over the vector as PostgreSQL's vector_send writes it: int16 dimension, int16 0,
/// big-endian binary32 words; 32 zero bytes without a vector. The server computes the same with
/// sha256(vector_send(embedding)).
[[nodiscard]] std::string vector_hash(const Memory& memory);  // 32 bytes

/// SHA-256 of content_hash ‖ vector_hash, and of model and bits of `given` where that is set: equal
/// exactly for the same record.
[[nodiscard]] std::string record_hash(const Memory& memory);  // 32 bytes

/// The names of the fields in which the two differ, in declaration order; `embedding[17]` names the
/// first differing number. id, seq and updated_at are not compared.
struct FieldDifference {
  std::string field;
  std::string left;  ///< Shown values, cut to 200 characters; floats with their bits.
  std::string right;
};
[[nodiscard]] std::vector<FieldDifference> differences(const Memory& left, const Memory& right);

}  // namespace bb5
