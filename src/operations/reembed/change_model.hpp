#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "base/result.hpp"
#include "operations/reembed/reembed.hpp"
#include "ports/bank.hpp"
#include "ports/embedder.hpp"

namespace bb5 {

struct ChangeModelOptions {
  std::size_t batch = 128;  ///< Memories that are embedded together and written in one transaction.
  /// Called once, before the embedder is, with what it will be given; returning false stops there.
  std::function<bool(const OtherVectors::Lack&)> before = {};
  /// Called after each batch; returning false stops there.
  std::function<bool(const ReembedProgress&)> progress = {};
};

struct ChangeModelReport {
  EmbedderInfo from;
  EmbedderInfo to;
  std::int64_t lacking = 0;      ///< Memories that had no vector of `to` when it began.
  std::int64_t embedded = 0;     ///< Have one now.
  std::int64_t from_cache = 0;   ///< Of these, by a vector that the bank had seen before.
  std::int64_t passed_over = 0;  ///< Changed, erased or embedded by others meanwhile.
  bool changed = false;          ///< The bank's model is `to`, and was another one.
  bool stopped = false;          ///< By `before` or `progress`: the same call goes on.
};

/// Makes `to` the bank's model. Vectors of it are collected beside the present ones while the bank
/// is in use, then change places with them at once; those stay until they are dropped. What is
/// collected stays collected, whatever ends it. A bank of that model is left as it is. embedder: of
/// `to`; may be nothing where no vector is lacking, as on the way back to a model. Errors: refused
/// (vectors are lacking, and there is no embedder), locked (a migration is at work, indexes are
/// being built), those of the embedder and of the bank.
[[nodiscard]] Result<ChangeModelReport> change_model(Bank& bank, const EmbedderInfo& to,
                                                     Embedder* embedder,
                                                     const ChangeModelOptions& options = {});

/// What change_model would find to do, without doing it: `stopped`, unless that is nothing.
[[nodiscard]] Result<ChangeModelReport> foresee_change(const Bank& bank, const EmbedderInfo& to);

}  // namespace bb5
