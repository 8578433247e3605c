// What a model service answers, of any bytes and any status, and what a model says in it: whatever
// it is, what comes out can be stored, and every name in it leads to an entity.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>

#include "base/utf8.hpp"
#include "extractors/llm/assembly.hpp"
#include "extractors/llm/passages.hpp"
#include "extractors/llm/reply.hpp"
#include "model/memory.hpp"
#include "services/openai/replies.hpp"
#include "tests/fuzz/targets.hpp"

namespace bb5::fuzz {
namespace {

bool is_share(double value) {
  return value >= 0 && value <= 1;
}

void require_sound(const Extraction& extraction) {
  const auto known = [&extraction](const std::string& name) {
    return std::any_of(extraction.entities.begin(), extraction.entities.end(),
                       [&name](const ExtractedEntity& entity) { return entity.name == name; });
  };
  std::int64_t position = 0;
  for (const ExtractedMemory& memory : extraction.memories) {
    require(!memory.content.empty() && is_storable_utf8(memory.content), "a content can be stored");
    require(std::count(std::begin(known_networks), std::end(known_networks), memory.network) == 1,
            "a network is known");
    require(is_share(memory.confidence), "a confidence is between 0 and 1");
    require(memory.position == position++, "positions count up");
    require(std::all_of(memory.entities.begin(), memory.entities.end(), known),
            "a memory's names are entities");
  }
  for (const ExtractedEntity& entity : extraction.entities)
    require(!entity.name.empty() && is_storable_utf8(entity.name) && !entity.type.empty() &&
                entity.mentions >= 1,
            "an entity has name, type and mentions");
  for (const ExtractedRelationship& relationship : extraction.relationships)
    require(known(relationship.subject) && known(relationship.object) &&
                !relationship.predicate.empty() && is_share(relationship.confidence),
            "a relationship has two entities and a predicate");
}

void read_as_reply(std::string_view text) {
  const Document document{.source = "s", .turns = {{.text = "a"}, {.text = "b", .position = 1}}};
  auto reply = llm::read_reply(text);
  require(reply.has_value() || !reply.error().message.empty(), "what is no reply says why");
  if (!reply) return;
  llm::Assembly assembly;
  assembly.add(llm::whole(document), *reply);
  assembly.add(llm::whole(document), *std::move(reply));
  require_sound(std::move(assembly).finish());
}

void read_as_answer(std::string_view text) {
  constexpr int statuses[] = {200, 302, 400, 401, 404, 408, 413, 422, 429, 500};
  HttpResponse response{.status = statuses[text.size() % std::size(statuses)],
                        .body = std::string(text)};
  const Error error = openai::error_of(response, "http://host", "m");
  require(is_storable_utf8(error.message) && error.message.find('\n') == std::string::npos,
          "an error is one line");
  response.status = 200;
  const auto chat = openai::decode_chat(response, "http://host");
  require(!chat || chat->usage.prompt_tokens >= 0, "tokens are counted up");
  const auto vectors = openai::decode_embeddings(response, 2, "http://host");
  if (!vectors) return;
  require(vectors->vectors.size() == 2 && !vectors->vectors[0].empty() &&
              vectors->vectors[0].size() == vectors->vectors[1].size(),
          "each text has a vector of one length");
  for (const auto& vector : vectors->vectors)
    require(std::all_of(vector.begin(), vector.end(), [](float f) { return std::isfinite(f); }),
            "numbers are finite");
}

}  // namespace

void model(Input input) {
  const std::string_view text = text_of(input);
  read_as_reply(text);
  read_as_answer(text);
}

}  // namespace bb5::fuzz
