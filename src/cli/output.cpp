#include "cli/output.hpp"

#include <charconv>
#include <cmath>
#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/utf8.hpp"
#include "json/number.hpp"

namespace bb5::cli {
namespace {

using Document = nlohmann::ordered_json;

std::string dump(const Document& document, int indent) {
  return document.dump(indent, ' ', false, Document::error_handler_t::replace);
}

Document number_document(const std::string& text) {
  const bool integer = text.find_first_of(".eEnNI") == std::string::npos;
  if (integer) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc{} && end == text.data() + text.size()) return value;
    return text;
  }
  const double value = json::to_double(text);
  if (!std::isfinite(value)) return text;
  return value;
}

Document document_of(const json::Value& value) {
  if (const bool* boolean = value.boolean()) return *boolean;
  if (const json::Number* number = value.number()) return number_document(number->text);
  if (const std::string* string = value.string()) return to_storable_utf8(*string);
  if (const json::Array* array = value.array()) {
    Document list = Document::array();
    for (const json::Value& item : *array) list.push_back(document_of(item));
    return list;
  }
  if (const json::Object* object = value.object()) {
    Document map = Document::object();
    for (const auto& [key, item] : object->members())
      map[to_storable_utf8(key)] = document_of(item);
    return map;
  }
  return nullptr;
}

const char* shown(VectorState state) {
  switch (state) {
    case VectorState::none:
      return "none";
    case VectorState::indexed:
      return "indexed";
    case VectorState::fallback:
      return "fallback";
    case VectorState::foreign:
      return "foreign";
    case VectorState::unusable:
      return "unusable";
  }
  return "none";
}

template <class T>
Document or_null(const std::optional<T>& value) {
  return value ? Document(*value) : Document(nullptr);
}
Document or_null(const std::optional<Timestamp>& time) {
  return time ? Document(to_rfc3339(*time)) : Document(nullptr);
}

}  // namespace

std::string counted(std::int64_t number, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", number, number == 1 ? one : many);
}

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void print_document(const Document& document) {
  print(dump(document, 2) + '\n');
}

void print_line(const Document& document) {
  print(dump(document, -1) + '\n');
  std::fflush(stdout);
}

Document error_document(const Error& error) {
  Document document = {{"type", std::string("urn:bb5-memory:error:") + name_of(error.code)},
                       {"title", error.message},
                       {"code", name_of(error.code)},
                       {"retryable", error.retryable()}};
  if (!error.remedy.empty()) document["fix"] = error.remedy;
  return document;
}

void print_error(const Error& error, bool json) {
  if (json) return print_document({{"error", error_document(error)}});
  std::fflush(stdout);
  fmt::print(stderr, "error: {}\n", error.message);
  if (error.remedy.empty()) {
    fmt::print(stderr, "  ({})\n", name_of(error.code));
  } else {
    fmt::print(stderr, "  fix: {}  ({})\n", error.remedy, name_of(error.code));
  }
}

int exit_code(const Error& error, bool opening) {
  const auto code = [&] {
    switch (error.code) {
      case Errc::invalid_argument:
        return Exit::usage;
      case Errc::not_found:
        return opening ? Exit::no_such_store : Exit::failed;
      case Errc::locked:
        return Exit::locked;
      case Errc::refused:
        return Exit::refused;
      case Errc::unavailable:
        return Exit::unreachable;
      case Errc::corrupt:
        return Exit::corrupt;
      case Errc::cancelled:
        return Exit::interrupted;
      case Errc::conflict:
      case Errc::unsupported:
      case Errc::out_of_space:
      case Errc::internal:
        return Exit::failed;
    }
    return Exit::failed;
  }();
  return static_cast<int>(code);
}

Document merge_document(const EntityMerge& merge) {
  return {{"from", merge.from_key},
          {"into", merge.into_key},
          {"name", merge.name},
          {"reason", merge.reason},
          {"at", to_rfc3339(merge.at)}};
}

Document metadata_document(const std::string& metadata) {
  const auto value = json::parse_text(metadata);
  return value ? document_of(*value) : Document(nullptr);
}

Document memory_document(const Memory& memory) {
  return {{"id", memory.legacy_id},
          {"uuid", memory.id.to_string()},
          {"content", memory.content},
          {"network", memory.network},
          {"confidence", or_null(memory.confidence)},
          {"source", or_null(memory.source)},
          {"source_type", or_null(memory.source_type)},
          {"category", or_null(memory.category)},
          {"created_at", or_null(memory.created_at)},
          {"updated_at", or_null(memory.updated_at)},
          {"valid_from", or_null(memory.valid_from)},
          {"valid_until", or_null(memory.valid_until)},
          {"entities", memory.entities},
          {"author", or_null(memory.author)},
          {"thread", or_null(memory.thread)},
          {"position", or_null(memory.position)},
          {"vector", shown(memory.vector_state)},
          {"metadata", metadata_document(memory.metadata)}};
}

std::string python_text(const Memory& memory, std::string_view key, std::string_view missing) {
  const auto metadata = json::parse_text(memory.metadata);
  const json::Value* value =
      metadata && metadata->object() != nullptr ? metadata->object()->find(key) : nullptr;
  if (value == nullptr) return std::string(missing);
  if (value->is_null()) return "None";
  if (const bool* boolean = value->boolean()) return *boolean ? "True" : "False";
  if (const std::string* string = value->string()) return to_storable_utf8(*string);
  if (const json::Number* number = value->number()) {
    if (number->text == "NaN") return "nan";
    if (number->text == "Infinity") return "inf";
    if (number->text == "-Infinity") return "-inf";
    return number->text;
  }
  return json::write_compact(*value);
}

}  // namespace bb5::cli
