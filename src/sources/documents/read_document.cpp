#include "sources/documents/read_document.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <system_error>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unicode/ucnv.h>
#include <unicode/unistr.h>

#include "base/file_error.hpp"
#include "base/utf8.hpp"
#include "sources/documents/transcript.hpp"

namespace bb5 {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t largest_document = std::uintmax_t{64} << 20;

std::string lower_ascii(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

std::string from_utf16(std::string_view bytes, const char* converter) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::UnicodeString text(bytes.data(), static_cast<std::int32_t>(bytes.size()), converter);
  std::string utf8;
  text.toUTF8String(utf8);
  return U_SUCCESS(status) ? utf8 : std::string();
}

Result<std::string> decoded(std::string_view bytes, const std::string& source) {
  if (bytes.starts_with("\xFF\xFE")) return from_utf16(bytes.substr(2), "UTF-16LE");
  if (bytes.starts_with("\xFE\xFF")) return from_utf16(bytes.substr(2), "UTF-16BE");
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  if (const auto at = find_invalid_utf8(bytes)) {
    return Error{Errc::invalid_argument, fmt::format("{}: byte {} is not UTF-8", source, *at),
                 "convert it, for instance with iconv -f WINDOWS-1252 -t UTF-8"};
  }
  return to_storable_utf8(bytes);
}

/// \r\n and \r become \n.
std::string with_plain_line_ends(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') {
      plain += text[i];
    } else if (i + 1 == text.size() || text[i + 1] != '\n') {
      plain += '\n';
    }
  }
  return plain;
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\n\f\v") == std::string_view::npos;
}

Result<> list_folder(const fs::path& folder, std::vector<fs::path>& files) {
  std::error_code failure;
  for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    std::error_code ignored;
    if (entry->is_directory(ignored) && !entry->is_symlink(ignored)) {
      if (entry->path().filename() != ".git") BB5_TRY(list_folder(entry->path(), files));
    } else if (entry->path().extension() == ".md" && entry->is_regular_file(ignored)) {
      files.push_back(entry->path());
    }
  }
  if (!failure) return ok();
  return file_error("read", folder, failure.value());
}

std::optional<Timestamp> changed_at(const fs::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return std::nullopt;
  return Timestamp(std::chrono::seconds(status.st_mtim.tv_sec) +
                   std::chrono::microseconds(status.st_mtim.tv_nsec / 1000));
}

}  // namespace

Result<std::string> read_bytes(std::istream& in, const std::string& source) {
  std::string bytes;
  char piece[1 << 16];
  while (in.read(piece, sizeof piece) || in.gcount() > 0) {
    bytes.append(piece, static_cast<std::size_t>(in.gcount()));
    if (bytes.size() > largest_document) {
      return Error{Errc::invalid_argument,
                   fmt::format("{} is larger than {} MiB", source, largest_document >> 20),
                   "split it, or leave it out"};
    }
  }
  if (in.eof()) return bytes;
  return file_error("read", source, errno);
}

DocumentFormat format_of(const fs::path& path) {
  const std::string ending = lower_ascii(path.extension().string());
  return ending == ".jsonl" || ending == ".ndjson" ? DocumentFormat::transcript
                                                   : DocumentFormat::text;
}

Result<std::vector<fs::path>> list_documents(const fs::path& path) {
  std::error_code failure;
  const fs::file_status status = fs::status(path, failure);
  if (!fs::exists(status)) {
    return Error{Errc::not_found, fmt::format("there is no {}", path.string()),
                 "name a file or a folder that is there"};
  }
  if (!fs::is_directory(status)) return std::vector<fs::path>{path};
  std::vector<fs::path> files;
  BB5_TRY(list_folder(path, files));
  std::sort(files.begin(), files.end());
  return files;
}

Result<ReadDocument> read_document(std::string_view bytes, DocumentFormat format,
                                   std::string source) {
  auto text = decoded(bytes, source);
  if (!text) return std::move(text).error();
  std::string plain = with_plain_line_ends(*text);
  if (format == DocumentFormat::transcript) return read_transcript(plain, std::move(source));
  ReadDocument read;
  read.document.source = std::move(source);
  if (!is_blank(plain)) read.document.turns.push_back({.text = std::move(plain)});
  return read;
}

Result<ReadDocument> read_document_file(const fs::path& path, DocumentFormat format) {
  std::ifstream in(path, std::ios::binary);
  auto bytes = read_bytes(in, path.string());
  if (!bytes) return std::move(bytes).error();
  auto read = read_document(*bytes, format, path.string());
  if (!read) return read;
  if (format == DocumentFormat::text) read->document.source_type = source_type_of(path);
  read->document.written_at = changed_at(path);
  return read;
}

std::string source_type_of(const fs::path& path) {
  const std::string name = lower_ascii(path.filename().string());
  for (const char* type : {"thoughts", "decisions", "results", "task"}) {
    if (name.find(type) != std::string::npos) return type;
  }
  return "generic";
}

}  // namespace bb5
