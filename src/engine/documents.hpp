#pragma once

#include <cstdint>
#include <filesystem>
#include <istream>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/extraction.hpp"

namespace bb5 {

/// A document that a person names, not yet read.
struct DocumentPlace {
  std::filesystem::path path;  ///< `-`: standard input.
  std::int64_t bytes = 0;      ///< 0: not known.
};

struct DocumentList {
  std::vector<DocumentPlace> documents;
  bool folder = false;  ///< They are all `*.md` below the place named.
};

/// What is read: a file, a folder's `*.md`, or standard input (`-`). Errors: not_found (`Source not
/// found: …`), unavailable.
[[nodiscard]] Result<DocumentList> list_documents_of(const std::string& named);

struct DocumentReading {
  std::string name;         ///< In the bank; empty: source_name(), or `stdin:` and 12 hex digits
                            ///< of the text's MD5.
  bool transcript = false;  ///< Also when the file's name does not say so.
};

struct OpenedDocument {
  Document document;
  std::vector<std::string> warnings;  ///< What was passed over in it.
};

/// Errors: those of sources/documents.
[[nodiscard]] Result<OpenedDocument> open_document(const DocumentPlace& place,
                                                   const DocumentReading& reading,
                                                   std::istream& standard_input);

/// How a bank names a file: its absolute path without links, so that the same file is the same
/// document wherever the program is run from.
[[nodiscard]] std::string source_name(const std::filesystem::path& path);

}  // namespace bb5
