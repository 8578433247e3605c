// Answers of Neo4j's doors, of any bytes and any status, and the order of keys: bytewise order of
// keys is the UTF-16 order of what stands in Neo4j for them.
#include <string>

#include <unicode/unistr.h>

#include "base/utf8.hpp"
#include "stores/neo4j/doors.hpp"
#include "stores/neo4j/graph_keys.hpp"
#include "tests/fuzz/targets.hpp"

namespace bb5::fuzz {
namespace {

template <class Decoded>
void require_sound(const Result<Decoded>& decoded) {
  require(decoded.has_value() || !decoded.error().message.empty(), "what is no answer says why");
}

std::u16string words_of(const std::string& utf8) {
  const auto text = icu::UnicodeString::fromUTF8(utf8);
  return {text.getBuffer(), static_cast<std::size_t>(text.length())};
}

}  // namespace

void neo4j(Input input) {
  const std::string_view text = text_of(input);
  constexpr int statuses[] = {200, 201, 202, 400, 401, 403, 404, 429, 500, 503};
  for (const int status : {statuses[text.size() % std::size(statuses)], 200, 202}) {
    require_sound(bb5::neo4j::decode_tx_answer(status, text));
    require_sound(bb5::neo4j::decode_query_answer(status, text));
    require_sound(bb5::neo4j::decode_discovery(status, text));
  }
  const std::string left = to_storable_utf8(text.substr(0, text.size() / 2));
  const std::string right = to_storable_utf8(text.substr(text.size() / 2));
  const std::string a = bb5::neo4j::sortable(left);
  const std::string b = bb5::neo4j::sortable(right);
  require((left < right) == (words_of(a) < words_of(b)) && (left == right) == (a == b),
          "sortable texts are in the order of the bytes");
  require(bb5::neo4j::is_sortable(left) == (a == left), "a sortable text is its own");
  const auto key = bb5::neo4j::stored_entity_key("bank", left);
  require(key.key.size() <= 8160 && key.key.starts_with("bank|") && !find_invalid_utf8(key.key),
          "a stored key can be indexed");
  require(left == right || key.key != bb5::neo4j::stored_entity_key("bank", right).key,
          "two keys are stored as two");
}

}  // namespace bb5::fuzz
