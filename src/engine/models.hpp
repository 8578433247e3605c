#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "ports/embedder.hpp"
#include "ports/extractor.hpp"

namespace bb5 {

/// An embedder for a bank, or why there is none: without one, all but vectors still works.
struct OpenedEmbedder {
  std::unique_ptr<Embedder> embedder;
  bool is_service = false;  ///< Each text costs a call: vectors are worth keeping.
  std::string why_none;  ///< For a person: `no embedder for openai/…: the service needs a key`.
};

/// How long a service that is away is waited for: minutes by work that goes on by itself, seconds
/// where somebody waits for an answer that has other ways to come about.
enum class Patience : bool { minutes, seconds };

/// The embedder of a bank that records `recorded` (model empty: none yet).
/// `named` is what the user asked for: empty, `none`, `local`, or `openai` with or without a
/// `/MODEL`; a model's full name as banks record it will do too. Unnamed, the bank's own is opened;
/// a bank without one gets openai where a key or a service is set in the environment, else local.
/// One that cannot be used is an error only when it was named. Errors: invalid_argument (no such
/// embedder; another than the bank's, with the remedy), those of the embedder.
[[nodiscard]] Result<OpenedEmbedder> open_embedder(const EmbedderInfo& recorded,
                                                   const std::string& named,
                                                   Patience patience = Patience::minutes);

/// The extractor that is named: `rules`, or `llm` with or without a `/MODEL`; unnamed: llm where a
/// key or a service is set in the environment (OPENAI_API_KEY, OPENAI_API_KEY_FILE,
/// OPENAI_BASE_URL), else rules. Errors: invalid_argument (no such extractor), refused (llm without
/// a key).
[[nodiscard]] Result<std::unique_ptr<Extractor>> open_extractor(const std::string& named);

}  // namespace bb5
