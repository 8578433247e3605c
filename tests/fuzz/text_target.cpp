// Text of any bytes: what is made storable is storable, names fold to something that folds to
// itself, graph keys and relationship types keep to their alphabet.
#include "base/utf8.hpp"
#include "json/value.hpp"
#include "model/graph.hpp"
#include "model/memory.hpp"
#include "tests/fuzz/targets.hpp"

namespace bb5::fuzz {

void text(Input input) {
  const std::string_view bytes = text_of(input);
  const std::string storable = to_storable_utf8(bytes);
  require(is_storable_utf8(storable), "text is storable after it was made so");
  require(to_storable_utf8(storable) == storable, "storable text stays as it is");
  if (is_storable_utf8(bytes)) require(storable == bytes, "good text is not changed");
  if (const auto invalid = find_invalid_utf8(bytes)) {
    require(*invalid < bytes.size() && !find_invalid_utf8(bytes.substr(0, *invalid)),
            "what stands before the first bad byte is good");
  }
  const std::string_view first = first_code_points(storable, 10);
  require(storable.starts_with(first) && !find_invalid_utf8(first),
          "the first code points are whole");

  std::string literal;
  bb5::json::write_string(bytes, literal);
  for (const char c : literal) require(c >= 0x20 && c < 0x7F, "a literal is printable ASCII");

  const std::string folded = fold_name(bytes);
  require(!find_invalid_utf8(folded), "a folded name is UTF-8");
  require(fold_name(folded) == folded, "a folded name folds to itself");
  require(fold_name(storable).empty() || !entity_key(storable, "").empty(), "a name has a key");
  const std::size_t half = storable.size() / 2;
  const std::string type = to_storable_utf8(std::string_view(storable).substr(0, half));
  const std::string name = to_storable_utf8(std::string_view(storable).substr(half));
  const std::string key = entity_key(name, type);
  require(key.find(':') != std::string::npos && !find_invalid_utf8(key), "a key is type:name");

  const std::string kind = relationship_type_of(storable);
  require(!kind.empty() && !find_invalid_utf8(kind) && first_code_points(kind, 200) == kind,
          "a relationship type is 1 to 200 characters");
  for (const char c : kind) {
    require((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                static_cast<unsigned char>(c) >= 0x80,
            "a relationship type keeps to its alphabet");
  }
  if (const auto network = parse_network(bytes))
    require(parse_network(*network) == network, "a known network is known by its name");
}

}  // namespace bb5::fuzz
