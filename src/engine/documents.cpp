#include "engine/documents.hpp"

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "base/file_error.hpp"
#include "sources/documents/read_document.hpp"

namespace bb5 {
namespace {

namespace fs = std::filesystem;

constexpr const char* standard_input_name = "-";

std::string all_of(std::istream& in) {
  return {(std::istreambuf_iterator<char>(in)), {}};
}

/// A file whose name does not say that it is a transcript.
Result<ReadDocument> read_as_transcript(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes = all_of(file);
  if (!file.is_open() || file.bad()) return file_error("read", path, errno);
  return read_document(bytes, DocumentFormat::transcript, path.string());
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
  const bool unexpected_transcript =
      reading.transcript && format_of(place.path) != DocumentFormat::transcript;
  auto read = standard ? read_document(
                             all_of(standard_input),
                             reading.transcript ? DocumentFormat::transcript : DocumentFormat::text,
                             "stdin")
              : unexpected_transcript ? read_as_transcript(place.path)
                                      : read_document_file(place.path);
  if (!read) return std::move(read).error();
  if (!reading.name.empty()) {
    read->document.source = reading.name;
  } else if (!standard) {
    read->document.source = source_name(place.path);
  }
  return OpenedDocument{std::move(read->document), std::move(read->warnings)};
}

}  // namespace bb5
