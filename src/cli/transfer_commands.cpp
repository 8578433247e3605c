#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "base/file_error.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "operations/transfer/copy.hpp"
#include "operations/transfer/export.hpp"
#include "operations/transfer/import.hpp"

namespace bb5::cli {
namespace {

using Document = nlohmann::ordered_json;

int fail(const Error& error, bool json) {
  print_error(error, json);
  return exit_code(error, false);
}

/// A file that appears under its name only when it is complete and on the disk.
class NewFile {
 public:
  explicit NewFile(std::string path) : path_(std::move(path)), unfinished_(path_ + ".unfinished") {}
  ~NewFile() {
    if (file_ != nullptr) {
      std::fclose(file_);
      std::remove(unfinished_.c_str());
    }
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  Result<> open() {
    file_ = std::fopen(unfinished_.c_str(), "wb");
    return file_ != nullptr ? ok() : Result<>(error("create"));
  }
  Result<> write(std::string_view bytes) {
    return std::fwrite(bytes.data(), 1, bytes.size(), file_) == bytes.size()
               ? ok()
               : Result<>(error("write"));
  }
  Result<> finish() {
    const bool flushed = std::fflush(file_) == 0 && fsync(fileno(file_)) == 0;
    if (!flushed) return error("flush");
    std::fclose(file_);
    file_ = nullptr;
    if (std::rename(unfinished_.c_str(), path_.c_str()) != 0) return error("name");
    return ok();
  }

 private:
  [[nodiscard]] Error error(const char* verb) const { return file_error(verb, path_, errno); }
  std::string path_;
  std::string unfinished_;
  std::FILE* file_ = nullptr;
};

/// On standard error: which vectors stand in the file, where that goes without saying no more.
void tell_vectors(const ExportReport& report, bool quiet) {
  if (quiet || (report.vectors.size() < 2 && report.dropped == 0)) return;
  std::string models;
  for (const auto& [model, count] : report.vectors)
    models += fmt::format("{}{} of {}", models.empty() ? "" : ", ", count, model);
  fmt::print(stderr, "Vectors in the file: {}{}\n", models,
             report.dropped > 0
                 ? fmt::format("; {} in the place of those that reembed dropped", report.dropped)
                 : "");
}

int export_bank(const Context& context, const std::string& output) {
  int code = 0;
  const auto bank = context.open(OpenMode::existing, code);
  if (!bank) return code;
  if (output == "-") {
    const auto report = export_legacy(*bank, [](std::string_view bytes) {
      print(bytes);
      return ok();
    });
    if (!report) return fail(report.error(), context.json);
    tell_vectors(*report, context.quiet);
    return static_cast<int>(Exit::good);
  }
  NewFile file(output);
  if (auto opened = file.open(); !opened) return fail(opened.error(), context.json);
  const auto report =
      export_legacy(*bank, [&](std::string_view bytes) { return file.write(bytes); });
  if (!report) return fail(report.error(), context.json);
  if (auto finished = file.finish(); !finished) return fail(finished.error(), context.json);
  if (context.json) {
    print_document({{"exported", report->memories},
                    {"file", output},
                    {"vectors", report->vectors},
                    {"dropped_vectors", report->dropped}});
  } else {
    print(fmt::format("Exported {} memories to {}\n", report->memories, output));
    tell_vectors(*report, context.quiet);
  }
  return static_cast<int>(Exit::good);
}

int import_file(const Context& context, const std::string& path, const std::string& source_model) {
  auto source = open_source(path);
  if (!source) {
    Error error = std::move(source).error();
    if (error.code == Errc::not_found) error.message = "File not found: " + path;
    return fail(error, context.json);
  }
  int code = 0;
  const auto bank = context.open(OpenMode::create, code);
  if (!bank) return code;
  const auto report = import_records(**source, *bank, source_model);
  if (!report) return fail(report.error(), context.json);
  context.update_graph(*bank);
  if (context.json) {
    print_document({{"read", report->read},
                    {"inserted", report->inserted},
                    {"replaced", report->replaced},
                    {"identical", report->identical},
                    {"facts", report->facts},
                    {"cached_embeddings", report->cached_embeddings},
                    {"failures", report->failures}});
  } else {
    for (const std::string& failure : report->failures)
      print(fmt::format("  Error importing memory: {}\n", failure));
    print(fmt::format("Imported {} memories from {}\n",
                      report->inserted + report->replaced + report->identical, path));
  }
  return static_cast<int>(report->failures.empty() ? Exit::good : Exit::failed);
}

/// Copies one bank into another and proves the copy.
int copy_and_prove(const Context& context, const Bank& from, Bank& to, const char* done,
                   const std::string& where) {
  const auto copied = copy_bank(from, to, {});
  if (!copied) return fail(copied.error(), context.json);
  const auto differences = compare_banks(from, to, {});
  if (!differences) return fail(differences.error(), context.json);
  const bool equal = differences->empty();
  if (context.json) {
    Document list = Document::array();
    for (const Difference& difference : *differences)
      list.push_back({{"id", difference.id},
                      {"field", difference.field},
                      {"source", difference.source},
                      {"target", difference.target}});
    print_document(
        {{"memories", *copied}, {"file", where}, {"verified", equal}, {"differences", list}});
  } else {
    print(fmt::format("{} {}: {}\n", done, counted(*copied, "memory", "memories"), where));
    for (const Difference& difference : *differences)
      print(fmt::format("  {}  {}: {} / {}\n", difference.id, difference.field, difference.source,
                        difference.target));
    print(equal ? "Verified: the copy is equal.\n" : "FAILED: the copy differs.\n");
  }
  return static_cast<int>(equal ? Exit::good : Exit::failed);
}

/// A backup of any store is an embedded store: one file that can be opened, searched and copied
/// like any other.
int backup(const Context& context, const std::string& file) {
  int code = 0;
  const auto bank = context.open(OpenMode::existing, code);
  if (!bank) return code;
  if (std::filesystem::exists(file))
    return fail({Errc::conflict, fmt::format("{} is there already", file),
                 "name a file that does not exist yet"},
                context.json);
  auto copy = open_bank({.store = "embedded:" + file}, OpenMode::create);
  if (!copy) return fail(copy.error(), context.json);
  return copy_and_prove(context, *bank, **copy, "Backed up", file);
}

int restore(const Context& context, const std::string& file) {
  auto copy = open_bank({.store = "embedded:" + file}, OpenMode::existing);
  if (!copy) return fail(copy.error(), context.json);
  int code = 0;
  const auto bank = context.open(OpenMode::create, code);
  if (!bank) return code;
  return copy_and_prove(context, **copy, *bank, "Restored", file);
}

}  // namespace

void add_transfer_commands(CLI::App& app, Context& context, Action& action) {
  auto output = std::make_shared<std::string>("./memories_export.json");
  CLI::App* export_command =
      app.add_subcommand("export", "Write a bank as the old system's memories.json");
  export_command->fallthrough();
  export_command->add_option("--output", *output, "File to write, - for standard output")
      ->type_name("FILE")
      ->capture_default_str();
  export_command->callback([&context, &action, output] {
    action = [&context, output] { return export_bank(context, *output); };
  });

  auto input = std::make_shared<std::string>();
  auto model = std::make_shared<std::string>();
  CLI::App* import_command =
      app.add_subcommand("import", "Add the memories of a file or folder of the old system");
  import_command->fallthrough();
  import_command->add_option("file", *input, "memories.json, an export, or a folder")->required();
  import_command->add_option("--source-model", *model, "Model of vectors whose file names none")
      ->type_name("MODEL");
  import_command->callback([&context, &action, input, model] {
    action = [&context, input, model] { return import_file(context, *input, *model); };
  });

  auto to = std::make_shared<std::string>();
  CLI::App* backup_command =
      app.add_subcommand("backup", "Copy a bank into one file, and prove the copy");
  backup_command->fallthrough();
  backup_command->add_option("--to,file", *to, "File to write; with or without --to")
      ->type_name("FILE")
      ->required();
  backup_command->callback(
      [&context, &action, to] { action = [&context, to] { return backup(context, *to); }; });

  auto from = std::make_shared<std::string>();
  CLI::App* restore_command =
      app.add_subcommand("restore", "Bring a backup into an empty bank, and prove it");
  restore_command->fallthrough();
  restore_command->add_option("--from,file", *from, "File of a backup; with or without --from")
      ->type_name("FILE")
      ->required();
  restore_command->callback(
      [&context, &action, from] { action = [&context, from] { return restore(context, *from); }; });
}

}  // namespace bb5::cli
