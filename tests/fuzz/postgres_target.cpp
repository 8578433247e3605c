// PostgreSQL's binary fields and jsonb texts: what is written reads back, bytes of another shape
// are refused by an exception and read no further, and metadata becomes JSON that jsonb takes.
#include <stdexcept>

#include "base/utf8.hpp"
#include "json/value.hpp"
#include "stores/postgres/codec.hpp"
#include "stores/postgres/jsonb_text.hpp"
#include "tests/fuzz/targets.hpp"

namespace bb5::fuzz {
namespace {

template <class Read>
void try_to(const Read& read) {
  try {
    read();
  } catch (const std::logic_error&) {
    // A statement and its reader disagree: the one answer to a field of another shape.
  }
}

void check_lists(std::string_view text) {
  std::vector<std::string> texts;
  for (std::size_t from = 0; from < text.size(); from += 7)
    texts.emplace_back(text.substr(from, 7));
  std::vector<float> numbers;
  for (const char c : text) numbers.push_back(static_cast<float>(c) / 3);
  std::string out;
  postgres::FieldWriter writer(out);
  writer.texts(texts);
  require(postgres::read_texts(std::string_view(out).substr(4)) == texts,
          "texts are read as they were written");
  out.clear();
  writer.vector(numbers);
  require(postgres::read_vector(std::string_view(out).substr(4)) == numbers,
          "a vector is read as it was written");
}

/// Whether jsonb can hold all texts in it.
bool is_storable(const bb5::json::Value& value) {
  if (value.string() != nullptr) return is_storable_utf8(*value.string());
  bool all = true;
  if (value.array() != nullptr) {
    for (const auto& item : *value.array()) all = all && is_storable(item);
  }
  if (value.object() != nullptr) {
    for (const auto& [key, item] : value.object()->members())
      all = all && is_storable_utf8(key) && is_storable(item);
  }
  return all;
}

void check_jsonb(std::string_view text) {
  const postgres::JsonbForm form = postgres::to_jsonb(text);
  require(form.reproduces == postgres::jsonb_reproduces(text), "both say the same");
  if (!form.text) {
    require(!form.reproduces, "what jsonb does not take is not reproduced");
    return;
  }
  const auto sent = bb5::json::parse(*form.text);
  require(std::holds_alternative<bb5::json::Value>(sent), "what is sent is JSON");
  require(is_storable_utf8(*form.text) && is_storable(std::get<bb5::json::Value>(sent)),
          "jsonb can hold what is sent");
  for (const char* bare : {"NaN", "Infinity"}) {
    const std::size_t at = form.text->find(bare);
    require(at == std::string::npos || form.text->find('"') < at, "no number is outside of JSON");
  }
}

}  // namespace

void postgres(Input input) {
  const std::string_view text = text_of(input);
  try_to([&] { (void)bb5::postgres::read_boolean(text); });
  try_to([&] { (void)bb5::postgres::read_int8(text); });
  try_to([&] { (void)bb5::postgres::read_timestamptz(text); });
  try_to([&] { (void)bb5::postgres::read_uuid(text); });
  try_to([&] { (void)bb5::postgres::read_floats(text); });
  try_to([&] { (void)bb5::postgres::read_vector(text); });
  try_to([&] { (void)bb5::postgres::read_texts(text); });
  try_to([&] { (void)bb5::postgres::read_jsonb(text); });
  (void)bb5::postgres::canonical_text(text);
  check_lists(text);
  check_jsonb(to_storable_utf8(text));  // metadata is storable: validate() sees to it
}

}  // namespace bb5::fuzz
