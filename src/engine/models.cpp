#include "engine/models.hpp"

#include <chrono>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/environment.hpp"
#include "embedders/local/local_embedder.hpp"
#include "embedders/openai/openai_embedder.hpp"
#include "extractors/llm/llm_extractor.hpp"
#include "extractors/rules/rules_extractor.hpp"
#include "services/openai/service_settings.hpp"

namespace bb5 {
namespace {

constexpr std::string_view local_model = "local/all-MiniLM-L6-v2";

std::string of_environment(const std::string& name) {
  return environment(name.c_str());
}

bool service_is_set() {
  return !environment("OPENAI_API_KEY").empty() || !environment("OPENAI_API_KEY_FILE").empty() ||
         !environment("OPENAI_BASE_URL").empty();
}

Result<std::shared_ptr<openai::Service>> open_service(Patience patience) {
  auto settings = openai::read_service_settings(of_environment);
  if (!settings) return std::move(settings).error();
  openai::ServiceOptions options{.settings = *std::move(settings)};
  if (patience == Patience::seconds) {
    options.connect_timeout = std::chrono::seconds(2);
    options.retry.attempts = 2;
    options.retry.deadline = std::chrono::seconds(5);
  }
  return std::shared_ptr(openai::open_service(options));
}

/// `openai`, `openai/MODEL`, `openai/MODEL@DIMENSIONS`
Result<std::unique_ptr<Embedder>> open_openai(std::string_view name, Patience patience) {
  OpenAiEmbedderOptions options;
  if (name.starts_with("openai/")) {
    std::string model(name.substr(std::string_view("openai/").size()));
    if (const auto at = model.rfind('@'); at != std::string::npos) {
      const std::string digits = model.substr(at + 1);
      if (digits.empty() || digits.size() > 5 ||
          digits.find_first_not_of("0123456789") != std::string::npos)
        return Error{Errc::invalid_argument, fmt::format("no dimension: @{}", digits),
                     "write it like openai/text-embedding-3-small@512"};
      options.dimensions = std::stoul(digits);
      model.resize(at);
    }
    options.model = std::move(model);
  }
  auto service = open_service(patience);
  if (!service) return std::move(service).error();
  return open_openai_embedder(*std::move(service), options);
}

Result<std::unique_ptr<Embedder>> open_named(std::string_view name, Patience patience) {
  if (name == "local" || name == local_model) return new_local_embedder();
  if (name == "openai" || name.starts_with("openai/")) return open_openai(name, patience);
  return Error{Errc::invalid_argument, fmt::format("there is no embedder {}", name),
               "name local, openai, openai/MODEL or none"};
}

}  // namespace

Result<OpenedEmbedder> open_embedder(const EmbedderInfo& recorded, const std::string& named,
                                     Patience patience) {
  if (named == "none") return OpenedEmbedder{.why_none = "no embedder is wanted"};
  std::string name = named;
  if (name.empty()) name = recorded.model;
  if (name.empty()) name = service_is_set() ? "openai" : "local";
  auto opened = open_named(name, patience);
  if (!opened) {
    if (!named.empty()) return std::move(opened).error();
    return OpenedEmbedder{.why_none =
                              fmt::format("no embedder for {}: {}", name, opened.error().message)};
  }
  const EmbedderInfo info = (*opened)->info();
  if (recorded.model.empty() || info == recorded) {
    return OpenedEmbedder{.embedder = *std::move(opened),
                          .is_service = info.model.starts_with("openai/")};
  }
  const std::string differs =
      fmt::format("{} makes vectors of {} numbers, this bank's are {} of {}", info.model,
                  info.dimension, recorded.model, recorded.dimension);
  if (named.empty()) return OpenedEmbedder{.why_none = differs};
  return Error{
      Errc::invalid_argument, differs,
      fmt::format("leave --embedder out, take another --bank, or change this bank's model: "
                  "bb5-memory reembed --to {}",
                  info.model)};
}

Result<std::unique_ptr<Extractor>> open_extractor(const std::string& named) {
  const std::string name = !named.empty() ? named : service_is_set() ? "llm" : "rules";
  if (name == "rules") return new_rules_extractor();
  if (name != "llm" && !name.starts_with("llm/"))
    return Error{Errc::invalid_argument, fmt::format("there is no extractor {}", name),
                 "name rules, llm or llm/MODEL"};
  auto service = open_service(Patience::minutes);
  if (!service) return std::move(service).error();
  LlmExtractorOptions options;
  if (name.starts_with("llm/")) options.model = name.substr(std::string_view("llm/").size());
  return new_llm_extractor(*std::move(service), options);
}

}  // namespace bb5
