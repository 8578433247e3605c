#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/memory.hpp"
#include "model/retained_document.hpp"
#include "stores/postgres/connection.hpp"

/// How a memory lies in the table `memories`.
namespace bb5::postgres {

/// The columns that we write, in the order of write_memory().
inline constexpr std::string_view memory_columns =
    "id, content, network, embedding, confidence, source, source_type, category, entities, "
    "created_at, metadata, "
    "legacy_id, kind, updated_at, valid_from, valid_until, superseded_by, author, thread, "
    "position, metadata_text, "
    "vector_state, raw, raw_embedding_at, given_model, extra_words, record_hash, standing, seq";
inline constexpr int memory_column_count = 29;
/// Of memory_select_list().
inline constexpr int memory_select_count = 27;

/// One row of COPY. hash: record_hash(memory).
void write_memory(FieldWriter& fields, const Memory& memory, std::string_view hash,
                  Standing standing, std::int64_t seq);

/// `UPDATE … WHERE id = $1` of everything but id and seq, with {bank} and {vector} still to be put
/// in, and its parameters.
[[nodiscard]] std::string update_memory_sql();
[[nodiscard]] Params update_memory_params(const Memory& memory, std::string_view hash,
                                          Standing standing);

/// The select list that read_memory() reads, with {bank} still to be put in. `table`: the name or
/// alias with its point, `m.`.
[[nodiscard]] std::string memory_select_list(std::string_view table, bool with_embeddings);
[[nodiscard]] Memory read_memory(const Rows& rows, int row);
[[nodiscard]] std::vector<Memory> read_memories(const Rows& rows);

}  // namespace bb5::postgres
