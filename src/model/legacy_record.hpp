#pragma once

#include <span>
#include <string>

#include "model/memory.hpp"

namespace bb5 {

/// The text of one record of the old system's memories.json, from `{` to `}`, as it stands in the
/// array (indented by two): the raw bytes where the memory keeps them, with its vector put back in
/// its place; else what write_canonical_record gives. Its vector is the one that it came with,
/// unless that was dropped.
void write_legacy_record(const Memory& memory, std::string& out);

/// The record as the old system would write it from our columns: six keys, json.dumps(indent=2),
/// binary32 vectors as the shortest decimal of their binary64. `raw` is ignored.
void write_canonical_record(const Memory& memory, std::string& out);

/// The record with its vector's array cut out. Only of a memory that came with a vector.
[[nodiscard]] RawRecord legacy_record_without_vector(const Memory& memory);

/// The array of an `embedding` as it stands in such a record.
void write_canonical_vector(std::span<const float> vector, std::string& out);

/// What stands before, between and after the records of a file.
inline constexpr std::string_view legacy_array_open = "[\n  ";
inline constexpr std::string_view legacy_array_separator = ",\n  ";
inline constexpr std::string_view legacy_array_close = "\n]";
inline constexpr std::string_view legacy_array_empty = "[]";

}  // namespace bb5
