#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "extractors/llm/passages.hpp"
#include "model/extraction.hpp"

/// What the model is told.
namespace bb5::llm {

/// The same for every call: services keep it and charge less for what they know already.
[[nodiscard]] const std::string& instructions();

/// The passage between two lines that it cannot contain, and what is known about it.
/// part: from 1 to parts.
[[nodiscard]] std::string question(const Document& document, const Passage& passage,
                                   std::size_t part, std::size_t parts);

/// The reply's shape as a JSON schema in the strict subset: every member required, none beside.
[[nodiscard]] const nlohmann::json& reply_schema();

}  // namespace bb5::llm
