#include "extractors/llm/llm_extractor.hpp"

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "extractors/llm/assembly.hpp"
#include "extractors/llm/passages.hpp"
#include "extractors/llm/prompt.hpp"
#include "extractors/llm/reply.hpp"

namespace bb5 {
namespace {

using llm::Passage;
using llm::Reply;

constexpr int rounds = 2;  ///< A question, and once more with what was wrong with the reply.
constexpr double confidence_of_kept_text = 0.5;
/// A passage of less is not halved any more when the reply is cut: the model is at fault.
constexpr std::size_t smallest_halved_bytes = 2'000;
/// So many letters say something; less may well give no memory ("ok, thanks").
constexpr std::ptrdiff_t least_letters = 20;
constexpr std::size_t most_warnings = 100;

/// A passage that was read, or a part of one that had to be halved.
struct Reading {
  Passage passage;
  Reply reply;
};

/// All readings of one passage, and what they cost.
struct Readings {
  std::vector<Reading> parts;
  ServiceUsage usage;
};

void add(ServiceUsage& sum, const ServiceUsage& more) {
  sum.calls += more.calls;
  sum.prompt_tokens += more.prompt_tokens;
  sum.completion_tokens += more.completion_tokens;
}

bool says_something(const std::string& text) {
  return std::count_if(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  static_cast<unsigned char>(c) >= 0x80;
         }) >= least_letters;
}

std::string trimmed(const std::string& text) {
  constexpr const char* space = " \t\r\n";
  const auto first = text.find_first_not_of(space);
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

/// The text itself as a memory: all of it, so that nothing is lost.
void keep_as_text(const Passage& passage, Reply& reply, const std::string& why) {
  reply.memories.clear();
  reply.memories.push_back({.memory = {.content = trimmed(to_storable_utf8(plain_text(passage))),
                                       .network = "observation",
                                       .confidence = confidence_of_kept_text},
                            .turn = {}});
  reply.warnings.push_back(why + ": the text is kept as it stands");
}

class LlmExtractor final : public Extractor {
 public:
  LlmExtractor(std::shared_ptr<openai::Service> service, LlmExtractorOptions options)
      : service_(std::move(service)), options_(std::move(options)) {
    options_.passage_bytes = std::max<std::size_t>(options_.passage_bytes, 256);
    options_.overlap_bytes =
        std::clamp<std::size_t>(options_.overlap_bytes, 1, options_.passage_bytes / 2);
  }

  std::string name() const override { return "llm/" + options_.model + "/1"; }

  Result<Extraction> extract(const Document& document) const override {
    const auto passages =
        llm::cut(llm::whole(document), options_.passage_bytes, options_.overlap_bytes);
    auto all = read_all(document, passages);
    if (!all) return std::move(all).error();
    llm::Assembly assembly;
    ServiceUsage usage;
    for (std::size_t part = 0; part < all->size(); ++part) {
      add(usage, (*all)[part].usage);
      for (Reading& reading : (*all)[part].parts) {
        if (all->size() > 1) name_part(reading.reply, part + 1, all->size());
        assembly.add(reading.passage, std::move(reading.reply));
      }
    }
    Extraction extraction = std::move(assembly).finish();
    extraction.usage = usage;
    limit_warnings(extraction);
    return extraction;
  }

 private:
  static void name_part(Reply& reply, std::size_t part, std::size_t parts) {
    for (std::string& warning : reply.warnings)
      warning = fmt::format("part {} of {}: {}", part, parts, warning);
  }

  static void limit_warnings(Extraction& extraction) {
    auto& warnings = extraction.warnings;
    if (warnings.size() <= most_warnings) return;
    const std::size_t more = warnings.size() - most_warnings;
    warnings.resize(most_warnings);
    warnings.push_back(fmt::format("{} more warnings", more));
  }

  /// Several passages at once. The first Error ends it: the document is tried again as a whole.
  Result<std::vector<Readings>> read_all(const Document& document,
                                         const std::vector<Passage>& passages) const {
    std::vector<std::optional<Result<Readings>>> found(passages.size());
    std::atomic<std::size_t> next = 0;
    std::atomic<bool> failed = false;
    const auto work = [&] {
      for (std::size_t at = next++; at < passages.size() && !failed; at = next++) {
        Readings readings;
        const auto done = read(document, passages[at], at + 1, passages.size(), readings);
        if (!done) failed = true;
        found[at] = done ? Result<Readings>(std::move(readings)) : done.error();
      }
    };
    {
      std::vector<std::jthread> workers;
      for (std::size_t i = 1; i < std::min(options_.calls_at_once, passages.size()); ++i)
        workers.emplace_back(work);
      work();
    }
    std::vector<Readings> all;
    for (auto& one : found) {
      if (one && !*one) return std::move(*one).error();
      if (one) all.push_back(*std::move(*one));
    }
    return all;
  }

  Result<> read(const Document& document, const Passage& passage, std::size_t part,
                std::size_t parts, Readings& readings) const {
    openai::ChatRequest request{
        .model = options_.model,
        .messages = {{"system", llm::instructions()},
                     {"user", llm::question(document, passage, part, parts)}},
        .schema_name = "memories",
        .schema = llm::reply_schema()};
    Reply best;
    std::string fault;
    for (int round = 0; round < rounds; ++round) {
      const auto answer = service_->chat(request);
      if (!answer) return answer.error();
      add(readings.usage, answer->usage);
      if (answer->finish == openai::Finish::cut && size_of(passage) > smallest_halved_bytes)
        return read_halves(document, passage, part, parts, readings);
      fault = judge(passage, *answer, best);
      if (fault.empty() || answer->finish == openai::Finish::filtered) break;
      ask_again(request, *answer, fault);
    }
    if (!fault.empty()) keep_as_text(passage, best, fault);
    readings.parts.push_back({.passage = passage, .reply = std::move(best)});
    return ok();
  }

  /// What is wrong with the answer, empty when nothing is; `best` becomes what it says.
  static std::string judge(const Passage& passage, const openai::ChatReply& answer, Reply& best) {
    if (answer.finish == openai::Finish::cut) return "the model's reply was cut";
    if (answer.finish == openai::Finish::filtered) return "the service would not read the text";
    auto reply = llm::read_reply(answer.text);
    if (!reply) return "the model's reply cannot be read, " + reply.error().message;
    best = *std::move(reply);
    if (best.memories.empty() && says_something(plain_text(passage)))
      return "the model's reply holds no memory, though the text says something";
    return {};
  }

  static void ask_again(openai::ChatRequest& request, const openai::ChatReply& answer,
                        const std::string& fault) {
    constexpr std::size_t shown = 1'000;
    const std::string reply = to_storable_utf8(answer.text);
    request.messages.push_back({"assistant", std::string(first_code_points(reply, shown))});
    request.messages.push_back(
        {"user", "That does not do: " + fault +
                     ". Reply again with the whole JSON object as described and nothing else."});
  }

  Result<> read_halves(const Document& document, const Passage& passage, std::size_t part,
                       std::size_t parts, Readings& readings) const {
    const std::size_t half = size_of(passage) / 2 + 1;
    for (const Passage& smaller : llm::cut(passage, half, half / 10))
      BB5_TRY(read(document, smaller, part, parts, readings));
    return ok();
  }

  std::shared_ptr<openai::Service> service_;
  LlmExtractorOptions options_;
};

}  // namespace

std::unique_ptr<Extractor> new_llm_extractor(std::shared_ptr<openai::Service> service,
                                             const LlmExtractorOptions& options) {
  return std::make_unique<LlmExtractor>(std::move(service), options);
}

}  // namespace bb5
