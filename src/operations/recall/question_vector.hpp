#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "operations/recall/recall.hpp"

namespace bb5 {

struct QuestionVector {
  std::vector<float> numbers;  ///< Empty: there is none.
  std::string why_none;
};

/// The vector of a question: given with it, seen before, or computed now. That an embedder fails is
/// no error: the other arms can still answer. Errors: those of the bank.
[[nodiscard]] Result<QuestionVector> question_vector(const Bank& bank,
                                                     const EmbedderInfo& bank_embedder,
                                                     const RecallQuery& query,
                                                     const RecallModels& models);

}  // namespace bb5
