#pragma once

#include <filesystem>
#include <istream>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/extraction.hpp"

namespace bb5 {

/// A document as it was found, and what was passed over in it, one sentence each.
struct ReadDocument {
  Document document;
  std::vector<std::string> warnings;
};

/// How the bytes of a document are to be understood.
enum class DocumentFormat { text, transcript };

/// By the name's ending: `.jsonl` and `.ndjson` are transcripts, all others text.
[[nodiscard]] DocumentFormat format_of(const std::filesystem::path& path);

/// The documents that a path names: the file itself; of a folder every `*.md` below it, hidden
/// folders included as in the old system (but `.git`), links to folders not followed, in bytewise
/// order. Errors: not_found, unavailable (a folder that may not be read).
[[nodiscard]] Result<std::vector<std::filesystem::path>> list_documents(
    const std::filesystem::path& path);

/// All bytes of a stream, for read_document(). Errors: invalid_argument (more than 64 MiB),
/// not_found, refused, unavailable; they name `source`.
[[nodiscard]] Result<std::string> read_bytes(std::istream& in, const std::string& source);

/// Makes a document of bytes: UTF-8 with or without a byte order mark, or UTF-16 with one. Line
/// ends become \n, U+0000 becomes U+2400. A text of white space alone gives no turn. Errors:
/// invalid_argument naming the byte that is no UTF-8, or what is wrong with a transcript.
[[nodiscard]] Result<ReadDocument> read_document(std::string_view bytes, DocumentFormat format,
                                                 std::string source);

/// Reads a file: its source is the path as given, its time that of the file's last change, its type
/// that which the old system gave (source_type_of). Errors: those above; not_found, refused;
/// invalid_argument for a folder and for a file of more than 64 MiB.
[[nodiscard]] Result<ReadDocument> read_document_file(const std::filesystem::path& path,
                                                      DocumentFormat format);
inline Result<ReadDocument> read_document_file(const std::filesystem::path& path) {
  return read_document_file(path, format_of(path));
}

/// `thoughts`, `decisions`, `results` or `task`, the first of these words that the file's name
/// holds, in whatever case; else `generic`.
[[nodiscard]] std::string source_type_of(const std::filesystem::path& path);

}  // namespace bb5
