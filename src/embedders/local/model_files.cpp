#include "embedders/local/model_files.hpp"

#include <cstdlib>
#include <system_error>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "embedders/local/mapped_file.hpp"

namespace bb5::local {
namespace {

constexpr std::string_view installed_folder = "bb5-memory/models/all-MiniLM-L6-v2";

std::filesystem::path from_environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return value == nullptr ? "" : value;
}

bool has_model(const std::filesystem::path& folder) {
  std::error_code ignored;
  return std::filesystem::exists(folder / weights_file, ignored) &&
         std::filesystem::exists(folder / vocabulary_file, ignored);
}

}  // namespace

std::vector<std::filesystem::path> model_folders() {
  if (auto named = from_environment("BB5_MODEL_DIR"); !named.empty()) return {named};
  std::vector<std::filesystem::path> folders;
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) {
    const auto beside = program.parent_path().parent_path();  // PREFIX/bin/program
    folders.push_back(beside / "share" / installed_folder);
    folders.push_back(beside.parent_path().parent_path() / "third_party/minilm");  // build/PRESET
  }
  auto data = from_environment("XDG_DATA_HOME");
  const auto home = from_environment("HOME");
  if (data.empty() && !home.empty()) data = home / ".local/share";
  if (!data.empty()) folders.push_back(data / installed_folder);
  return folders;
}

Result<std::filesystem::path> find_model() {
  std::string searched;
  for (const auto& folder : model_folders()) {
    if (has_model(folder)) return folder;
    searched += fmt::format("{}{}", searched.empty() ? "" : ", ", folder.string());
  }
  return Error{.code = Errc::not_found,
               .message = fmt::format("the model all-MiniLM-L6-v2 ({} and {}) is not in {}",
                                      weights_file, vocabulary_file, searched),
               .remedy = std::string(model_remedy)};
}

Result<> verify_digest(std::string_view bytes, const std::filesystem::path& file,
                       std::string_view sha256) {
  const std::string found = to_hex(bb5::sha256(bytes));
  if (found == sha256) return ok();
  return Error{
      .code = Errc::corrupt,
      .message = fmt::format("{} is not all-MiniLM-L6-v2's, or damaged: its SHA-256 is {}, "
                             "not {}",
                             file.string(), found, sha256),
      .remedy = std::string(model_remedy)};
}

Result<> verify_model(const std::filesystem::path& folder) {
  for (const auto& [name, digest] :
       {std::pair(weights_file, weights_sha256), std::pair(vocabulary_file, vocabulary_sha256)}) {
    auto file = MappedFile::open(folder / name);
    if (!file) {
      file.error().remedy = model_remedy;
      return file.error();
    }
    BB5_TRY(verify_digest(file->bytes(), folder / name, digest));
  }
  return ok();
}

}  // namespace bb5::local
