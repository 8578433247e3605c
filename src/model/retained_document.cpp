#include "model/retained_document.hpp"

#include <string_view>
#include <unordered_set>

#include <fmt/format.h>

#include "base/utf8.hpp"

namespace bb5 {
namespace {

constexpr std::size_t digest_bytes = 32;

Error names_nothing(const RetainedDocument& document, const char* what, const std::string& id) {
  return Error{Errc::invalid_argument,
               fmt::format("document {} names the {} {}, which is neither in the bank nor in the "
                           "batch",
                           to_storable_utf8(document.source), what, id),
               "retain the document again"};
}

Result<> validate(const RetainedDocument& document) {
  if (document.source.empty() || !is_storable_utf8(document.source)) {
    return Error{Errc::invalid_argument,
                 "a document's source must be UTF-8 text without NUL characters, and not empty"};
  }
  if (!is_storable_utf8(document.extractor)) {
    return Error{Errc::invalid_argument,
                 fmt::format("the extractor's name of document {} must be UTF-8 text without NUL "
                             "characters",
                             document.source)};
  }
  if (document.digest.size() != digest_bytes) {
    return Error{Errc::invalid_argument,
                 fmt::format("the digest of document {} has {} bytes, not {}", document.source,
                             document.digest.size(), digest_bytes)};
  }
  return ok();
}

}  // namespace

Result<> validate(std::span<const DocumentChange> changes) {
  std::unordered_set<std::string_view> sources;
  for (const DocumentChange& change : changes) {
    BB5_TRY(validate(change.document));
    if (!sources.insert(change.document.source).second) {
      return Error{Errc::invalid_argument,
                   fmt::format("document {} is in the batch twice", change.document.source)};
    }
  }
  return ok();
}

Result<> check_follows(const DocumentChange& change,
                       const std::optional<std::string>& held_digest) {
  if (held_digest == change.previous_digest) return ok();
  return Error{Errc::conflict,
               fmt::format("document {} {}", change.document.source,
                           held_digest ? "was retained by somebody else meanwhile"
                                       : "is not known to the bank any more"),
               "retain it again"};
}

Error names_nothing(const RetainedDocument& document, const MemoryId& memory) {
  return names_nothing(document, "memory", memory.to_string());
}
Error names_nothing(const RetainedDocument& document, const FactId& fact) {
  return names_nothing(document, "fact", fact.to_string());
}

}  // namespace bb5
