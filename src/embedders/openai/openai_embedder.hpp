#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "ports/embedder.hpp"
#include "services/openai/service.hpp"

namespace bb5 {

struct OpenAiEmbedderOptions {
  std::string model = "text-embedding-3-small";
  std::optional<std::size_t> dimensions;  ///< Shorter vectors, of models that can make them.
  /// What one request holds at most. Bytes, because a token is never less than one: the service's
  /// bound is 300,000 tokens.
  std::size_t batch_texts = 2'048;
  std::size_t batch_bytes = 250'000;
};

/// By an OpenAI-compatible service. As in the old system the first 8,000 code points of a text
/// count, or fewer where the model reads less. Its name is `openai/MODEL`, with `@N` behind where N
/// dimensions were asked for. Opening asks the service once when the length of the model's vectors
/// is not known here. Errors: as Embedder::embed.
[[nodiscard]] Result<std::unique_ptr<Embedder>> open_openai_embedder(
    std::shared_ptr<openai::Service> service, const OpenAiEmbedderOptions& options = {});

}  // namespace bb5
