#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "ranking/soft_terms.hpp"

namespace bb5::ranking {

/// Neighbours of some fourteen thousand English terms, made once of the vectors of their words by
/// all-MiniLM-L6-v2 (tools/make_english_neighbours.cpp); the same for every bank. Part of the
/// program: nothing is read or computed before it is asked.
[[nodiscard]] const WordNeighbours& english_neighbours();

/// How many of a term's neighbours the table has, at most: enough for soft_neighbours that a bank
/// holds too.
inline constexpr std::size_t table_neighbours = 60;

/// A table as bytes. Layout, little-endian: "bb5words", u32 number of terms; for each term, sorted,
/// u8 length and its bytes; for each term u8 number of neighbours, and for each of these, nearest
/// first, u16 place of the term, u8 cosine · 255. `bytes` must outlive it.
/// Errors: corrupt.
[[nodiscard]] Result<std::unique_ptr<WordNeighbours>> read_neighbours(std::string_view bytes);

/// The neighbours of all terms that `table` knows, as such bytes. terms: at most 65,535.
[[nodiscard]] std::string write_neighbours(std::vector<std::string> terms,
                                           const WordNeighbours& table);

}  // namespace bb5::ranking
