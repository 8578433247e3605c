#include "engine/documents.hpp"

#include <system_error>
#include <utility>

#include "base/digest.hpp"
#include "sources/documents/read_document.hpp"

namespace bb5 {
namespace {

namespace fs = std::filesystem;

constexpr const char* standard_input_name = "-";

/// What is piped in has no place of its own: each text is a document by itself, and the same text
/// again is the same document.
std::string name_of_text(std::string_view bytes) {
  constexpr std::size_t digits = 12;
  return "stdin:" + to_hex(md5(bytes)).substr(0, digits);
}

Result<ReadDocument> read_standard_input(std::istream& in, DocumentFormat format) {
  const auto bytes = read_bytes(in, "standard input");
  if (!bytes) return bytes.error();
  return read_document(*bytes, format, name_of_text(*bytes));
}

}  // namespace

std::string source_name(const fs::path& path) {
  std::error_code error;
  const fs::path real = fs::weakly_canonical(path, error);
  return error ? fs::absolute(path).lexically_normal().string() : real.string();
}

Result<DocumentList> list_documents_of(const std::string& named) {
  if (named == standard_input_name) return DocumentList{{{named}}, false};
  std::error_code error;
  if (!fs::exists(named, error))
    return Error{Errc::not_found, "Source not found: " + named,
                 "name a file, a folder of *.md, or - for standard input"};
  auto paths = list_documents(named);
  if (!paths) return std::move(paths).error();
  DocumentList list{{}, fs::is_directory(named, error)};
  for (fs::path& path : *paths) {
    const auto bytes = fs::file_size(path, error);
    list.documents.push_back({std::move(path), error ? 0 : static_cast<std::int64_t>(bytes)});
  }
  return list;
}

Result<OpenedDocument> open_document(const DocumentPlace& place, const DocumentReading& reading,
                                     std::istream& standard_input) {
  const bool standard = place.path == standard_input_name;
  const DocumentFormat format =
      reading.transcript ? DocumentFormat::transcript : format_of(place.path);
  auto read = standard ? read_standard_input(standard_input, format)
                       : read_document_file(place.path, format);
  if (!read) return std::move(read).error();
  if (!reading.name.empty()) {
    read->document.source = reading.name;
  } else if (!standard) {
    read->document.source = source_name(place.path);
  }
  return OpenedDocument{std::move(read->document), std::move(read->warnings)};
}

}  // namespace bb5
