#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "ports/other_vectors.hpp"
#include "stores/postgres/database.hpp"

namespace bb5::postgres {

/// The model of the bank's vectors: recording it, giving memories vectors of it, and changing it,
/// as MemoryStore and OtherVectors have it.
///
/// Whoever writes vectors holds bank_info FOR SHARE until the end, whoever changes the model FOR
/// UPDATE: so none of the wrong model is ever written. The change itself has the table of memories
/// to itself, readers wait: it gives the vectors' column another type.
class BankModel {
 public:
  explicit BankModel(const Database& database);

  Result<> record(const EmbedderInfo& embedder) const;
  Result<std::int64_t> give_vectors(const EmbedderInfo& embedder,
                                    std::span<const MadeVector> vectors) const;

  Result<OtherVectors::Lack> lack_of(std::string_view model) const;
  Result<std::vector<Memory>> lacking(std::string_view model, std::int64_t after_seq,
                                      std::size_t limit) const;
  Result<std::int64_t> hold(const EmbedderInfo& of, std::span<const MadeVector> vectors) const;
  Result<std::vector<OtherVectors::Held>> held(std::string_view model, std::int64_t after_seq,
                                               std::size_t limit) const;
  Result<std::int64_t> change(const EmbedderInfo& next) const;
  Result<std::int64_t> drop_others() const;

 private:
  class Change;

  const Database& database_;
  Statement shared_embedder_;
  Statement locked_embedder_;
  Statement set_embedder_;
  Statement forget_model_;
  Statement locked_without_vectors_;
  Statement give_vector_;
  Statement lack_;
  Statement lacking_;
  Statement contents_;
  Statement hold_;
  Statement held_;
  Statement unfit_;
  Statement keep_present_;
  Statement exchangeable_;
  Statement exchange_;
  Statement given_;
  Statement drop_given_;
  Statement drop_all_;
};

}  // namespace bb5::postgres
