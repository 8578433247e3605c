#include "cli/help.hpp"

#include <algorithm>
#include <sstream>
#include <string>

namespace bb5::cli {
namespace {

constexpr std::size_t left_width = 30;
constexpr std::size_t line_width = 100;

/// Code points: all but the bytes that continue one.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) >> 6) != 2; }));
}

/// What to put in an option's place: N for numbers, else its own word.
std::string placeholder(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::string word = type.substr(0, type.find(':'));
  return word == "UINT" || word == "INT" || word == "FLOAT" ? "N" : word;
}

std::string description_of(const CLI::Option& option) {
  std::string notes;
  const auto note = [&](const std::string& text) { notes += (notes.empty() ? "" : "; ") + text; };
  if (option.get_required()) note("required");
  if (!option.get_default_str().empty()) note("default " + option.get_default_str());
  if (!option.get_envname().empty()) note("or " + option.get_envname() + " in the environment");
  return option.get_description() + (notes.empty() ? "" : " (" + notes + ")");
}

/// `left` in its column, `text` wrapped in the other.
std::string two_columns(const std::string& left, const std::string& text) {
  std::string line = "  " + left;
  if (width_of(line) + 2 > left_width) {
    line += '\n';
    line.append(left_width, ' ');
  } else {
    line.append(left_width - width_of(line), ' ');
  }
  std::string out;
  std::size_t used = left_width;
  std::istringstream words(text);
  std::string word;
  while (words >> word) {
    if (used > left_width && used + 1 + width_of(word) > line_width) {
      out += line + '\n';
      line.assign(left_width, ' ');
      used = left_width;
    }
    if (used > left_width) {
      line += ' ';
      ++used;
    }
    line += word;
    used += width_of(word);
  }
  return out + line + '\n';
}

class HelpLayout final : public CLI::Formatter {
 public:
  std::string make_option(const CLI::Option* option, bool is_positional) const override {
    std::string left = is_positional ? option->get_name(true) : option->get_name(false, true);
    if (!is_positional && option->get_type_size() != 0) left += ' ' + placeholder(*option);
    return two_columns(left, description_of(*option));
  }
  std::string make_subcommand(const CLI::App* verb) const override {
    return two_columns(verb->get_name(), verb->get_description());
  }
  /// Without what CLI11 adds about how many verbs there must be.
  std::string make_description(const CLI::App* verb) const override {
    return verb->get_description() + '\n';
  }
};

}  // namespace

std::shared_ptr<CLI::Formatter> new_help_layout() {
  auto layout = std::make_shared<HelpLayout>();
  layout->label("SUBCOMMAND", "VERB");
  layout->label("Subcommands", "Verbs");
  layout->label("Positionals", "Arguments");
  return layout;
}

}  // namespace bb5::cli
