#include "extractors/rules/markdown.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include <md4c.h>

#include "base/utf8.hpp"
#include "extractors/rules/words.hpp"

namespace bb5::rules {
namespace {

// The parser takes quadratic time for some paragraphs (`_*a_*a_*a…`). No person writes one of this
// length; what is longer is cut, which makes the time linear again.
constexpr std::size_t longest_paragraph = 4096;

/// The text with a blank line wherever a paragraph would grow past longest_paragraph, at line ends
/// and, inside longer lines, at spaces. Lines of a table stay together: each cell is a paragraph.
std::string with_bounded_paragraphs(std::string_view text) {
  std::string bounded;
  bounded.reserve(text.size() + text.size() / 64 + 16);
  std::size_t paragraph = 0;
  bool after_text = false;  // a table may follow a line of text; the parser wants a blank line
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t newline = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, newline - at);
    at = newline + 1;
    const bool in_table = trimmed(line).starts_with('|');
    if (in_table && after_text) bounded += '\n';
    after_text = !in_table && !trimmed(line).empty();
    if (trimmed(line).empty()) paragraph = 0;
    if (paragraph + line.size() > longest_paragraph && !in_table) {
      if (paragraph > 0) bounded += '\n';
      paragraph = 0;
    }
    while (line.size() > longest_paragraph) {
      std::size_t cut = line.rfind(' ', longest_paragraph);
      if (cut == std::string_view::npos || cut < longest_paragraph / 2) {
        cut = longest_paragraph;
        while (cut > 0 && (static_cast<unsigned char>(line[cut]) & 0xC0) == 0x80) --cut;
        if (cut == 0) cut = longest_paragraph;  // not UTF-8
      }
      bounded.append(line.substr(0, cut)).append("\n\n");
      line.remove_prefix(cut);
      while (line.starts_with(' ')) line.remove_prefix(1);
    }
    bounded.append(line) += '\n';
    paragraph += line.size() + 1;
  }
  return bounded;
}

/// What stands between the tags and comments of a piece of HTML.
std::string without_tags(std::string_view html) {
  std::string text;
  for (std::size_t at = 0; at < html.size();) {
    const std::size_t open = std::min(html.find('<', at), html.size());
    text.append(html.substr(at, open - at));
    if (open == html.size()) break;
    const bool comment = html.substr(open).starts_with("<!--");
    const std::size_t close = html.find(comment ? "-->" : ">", open);
    if (close == std::string_view::npos) break;
    at = close + (comment ? 3 : 1);
    text += ' ';
  }
  return text;
}

/// Takes the parser's events and makes blocks of them.
class BlockBuilder {
 public:
  std::vector<Block> blocks;

  void enter(MD_BLOCKTYPE type, void* detail) {
    switch (type) {
      case MD_BLOCK_UL:
      case MD_BLOCK_OL:
        finish();
        ++depth_;
        list_starts_ = true;
        break;
      case MD_BLOCK_LI: {
        finish();
        const auto* item = static_cast<MD_BLOCK_LI_DETAIL*>(detail);
        begin(Block::Kind::item, depth_);
        current_.starts_list = std::exchange(list_starts_, false);
        if (item->is_task)
          current_.task = item->task_mark == ' ' ? Block::Task::open : Block::Task::done;
        break;
      }
      case MD_BLOCK_H:
        finish();
        begin(Block::Kind::heading,
              static_cast<int>(static_cast<MD_BLOCK_H_DETAIL*>(detail)->level));
        break;
      case MD_BLOCK_P:
        // the first paragraph of an item is the item
        if (!open_ || current_.kind != Block::Kind::item || has_text()) {
          finish();
          begin(Block::Kind::paragraph, depth_);
        }
        break;
      case MD_BLOCK_CODE:
        finish();
        begin(Block::Kind::code, depth_);
        break;
      case MD_BLOCK_HTML:
        finish();
        begin(Block::Kind::paragraph, depth_);
        html_.clear();
        break;
      case MD_BLOCK_THEAD:
        table_starts_ = true;
        break;
      case MD_BLOCK_TR:
        finish();
        begin(Block::Kind::row, depth_);
        current_.starts_list = std::exchange(table_starts_, false);
        break;
      case MD_BLOCK_TH:
      case MD_BLOCK_TD:
        line_.clear();
        break;
      case MD_BLOCK_DOC:
      case MD_BLOCK_QUOTE:
      case MD_BLOCK_HR:
      case MD_BLOCK_TABLE:
      case MD_BLOCK_TBODY:
        break;
    }
  }

  void leave(MD_BLOCKTYPE type) {
    switch (type) {
      case MD_BLOCK_UL:
      case MD_BLOCK_OL:
        finish();
        --depth_;
        break;
      case MD_BLOCK_HTML:
        line_ = without_tags(html_);
        if (std::count(line_.begin(), line_.end(), ' ') < 4) line_.clear();  // a caption, a badge
        finish();
        break;
      case MD_BLOCK_TH:
      case MD_BLOCK_TD:
        current_.cells.push_back(one_line(line_));
        line_.clear();
        break;
      case MD_BLOCK_P:
      case MD_BLOCK_H:
      case MD_BLOCK_LI:
      case MD_BLOCK_CODE:
      case MD_BLOCK_TR:
      case MD_BLOCK_QUOTE:
        finish();
        break;
      case MD_BLOCK_DOC:
      case MD_BLOCK_HR:
      case MD_BLOCK_TABLE:
      case MD_BLOCK_THEAD:
      case MD_BLOCK_TBODY:
        break;
    }
  }

  void enter(MD_SPANTYPE type, void* detail) {
    switch (type) {
      case MD_SPAN_STRONG:
        if (strong_depth_++ == 0) {
          if (!has_text_in_line()) {
            start_labelled_line();
            label_from_ = line_.size();
          }
        }
        break;
      case MD_SPAN_CODE:
        line_ += '`';
        break;
      case MD_SPAN_A: {
        const auto* link = static_cast<MD_SPAN_A_DETAIL*>(detail);
        link_target_.assign(link->href.text == nullptr ? "" : link->href.text, link->href.size);
        link_from_ = line_.size();
        ++links_;
        break;
      }
      case MD_SPAN_IMG:
        ++links_;
        image_from_ = line_.size();
        break;
      case MD_SPAN_EM:
      case MD_SPAN_DEL:
      case MD_SPAN_LATEXMATH:
      case MD_SPAN_LATEXMATH_DISPLAY:
      case MD_SPAN_WIKILINK:
      case MD_SPAN_U:
        break;
    }
  }

  void leave(MD_SPANTYPE type) {
    switch (type) {
      case MD_SPAN_STRONG:
        if (--strong_depth_ == 0 && label_from_ != none && label_to_ == none)
          label_to_ = line_.size();
        break;
      case MD_SPAN_CODE:
        line_ += '`';
        break;
      case MD_SPAN_A:
        leave_link();
        break;
      case MD_SPAN_IMG:
        link_characters_ += line_.size() - std::min(image_from_, line_.size());
        break;
      case MD_SPAN_EM:
      case MD_SPAN_DEL:
      case MD_SPAN_LATEXMATH:
      case MD_SPAN_LATEXMATH_DISPLAY:
      case MD_SPAN_WIKILINK:
      case MD_SPAN_U:
        break;
    }
  }

  void text(MD_TEXTTYPE type, std::string_view part) {
    switch (type) {
      case MD_TEXT_BR:
      case MD_TEXT_SOFTBR:
        line_ += '\n';
        break;
      case MD_TEXT_NULLCHAR:
        line_ += "\uFFFD";
        break;
      case MD_TEXT_ENTITY:
        line_ += entity(part);
        break;
      case MD_TEXT_HTML:
        if (open_ && current_.kind == Block::Kind::paragraph && !has_text_in_line())
          html_.append(part);
        if (part.starts_with("<br")) line_ += ' ';
        break;
      case MD_TEXT_NORMAL:
      case MD_TEXT_CODE:
      case MD_TEXT_LATEXMATH:
        line_.append(part);
        break;
    }
  }

  void finish() {
    if (!open_) return;
    finish_line();
    open_ = false;
  }

 private:
  static constexpr std::size_t none = std::string::npos;

  void begin(Block::Kind kind, int level) {
    current_ = {};
    current_.kind = kind;
    current_.level = level;
    open_ = true;
    start_line();
  }

  void start_line() {
    line_.clear();
    label_from_ = label_to_ = none;
    links_ = 0;
    link_characters_ = 0;
    image_from_ = none;
  }

  [[nodiscard]] bool has_text() const { return says_something(line_); }

  [[nodiscard]] bool has_text_in_line() const {
    return !trimmed(std::string_view(line_).substr(line_start())).empty();
  }
  [[nodiscard]] std::size_t line_start() const {
    const std::size_t newline = line_.rfind('\n');
    return newline == none ? 0 : newline + 1;
  }

  /// `**Label:** text` in a further line of a paragraph starts a block of its own.
  void start_labelled_line() {
    if (trimmed(line_).empty() || current_.kind == Block::Kind::row ||
        current_.kind == Block::Kind::heading)
      return;
    const Block::Kind kind =
        current_.kind == Block::Kind::item ? Block::Kind::paragraph : current_.kind;
    const int level = current_.level;
    finish_line();
    begin(kind, level);
    current_.same_paragraph = true;
  }

  void leave_link() {
    const std::string_view shown =
        std::string_view(line_).substr(std::min(link_from_, line_.size()));
    link_characters_ += link_target_.starts_with('#') ? shown.size() : 0;
    if (image_from_ == link_from_ && !shown.empty()) link_target_.clear();  // a badge
    if (link_target_.starts_with("http") && shown.find(link_target_) == none)
      line_ += " (" + link_target_ + ")";
    link_target_.clear();
  }

  static std::string entity(std::string_view name) {
    if (name == "&amp;") return "&";
    if (name == "&lt;") return "<";
    if (name == "&gt;") return ">";
    if (name == "&quot;") return "\"";
    if (name == "&nbsp;") return " ";
    if (name == "&mdash;") return "\u2014";
    if (name == "&ndash;") return "\u2013";
    return std::string(name);
  }

  void finish_line() {
    if (current_.kind == Block::Kind::code) {
      while (line_.ends_with('\n')) line_.pop_back();
      current_.text = line_;
    } else if (current_.kind != Block::Kind::row) {
      if (label_to_ != none) take_label();
      current_.text = one_line(line_);
      const std::size_t characters = current_.text.size() + current_.label.size();
      current_.only_link = links_ > 0 && link_characters_ + 4 >= characters;
    }
    const bool empty = current_.text.empty() && current_.label.empty() && current_.cells.empty();
    // an item may be empty and still hold others
    if (!empty || current_.kind == Block::Kind::item) blocks.push_back(current_);
    start_line();
  }

  /// `Label:` and `Label –` at the start, or nothing but bold text.
  void take_label() {
    std::string label =
        one_line(std::string_view(line_).substr(label_from_, label_to_ - label_from_));
    std::string_view rest = trimmed(std::string_view(line_).substr(label_to_));
    bool colon = false;
    bool dash = false;
    if (label.ends_with(':')) {
      label.pop_back();
      colon = true;
    } else if (rest.starts_with(':')) {
      rest.remove_prefix(1);
      colon = true;
    } else {
      for (const std::string_view mark : {"\u2013", "\u2014", "- ", "-- "}) {
        if (!rest.starts_with(mark)) continue;
        rest.remove_prefix(mark.size());
        dash = true;
        break;
      }
    }
    if (label.empty() || count_characters(label) > 80) return;
    if (!colon && !dash && !(rest.empty() && current_.kind == Block::Kind::paragraph)) return;
    if (current_.kind == Block::Kind::heading) return;
    current_.label = std::move(label);
    current_.label_has_colon = colon;
    line_ = std::string(trimmed(rest));
  }

  Block current_;
  bool open_ = false;
  int depth_ = 0;
  bool list_starts_ = false;
  bool table_starts_ = false;
  std::string line_;  ///< The text of the current block, or cell, so far.
  std::string html_;
  int strong_depth_ = 0;
  std::size_t label_from_ = none;
  std::size_t label_to_ = none;
  std::string link_target_;
  std::size_t link_from_ = 0;
  std::size_t image_from_ = 0;
  int links_ = 0;
  std::size_t link_characters_ = 0;
};

BlockBuilder& builder_of(void* data) {
  return *static_cast<BlockBuilder*>(data);
}

}  // namespace

std::vector<Block> parse_markdown(std::string_view text) {
  const std::string bounded = with_bounded_paragraphs(text);
  MD_PARSER parser{};
  parser.flags =
      MD_FLAG_TABLES | MD_FLAG_TASKLISTS | MD_FLAG_STRIKETHROUGH | MD_FLAG_NOINDENTEDCODEBLOCKS;
  parser.enter_block = [](MD_BLOCKTYPE type, void* detail, void* data) {
    return builder_of(data).enter(type, detail), 0;
  };
  parser.leave_block = [](MD_BLOCKTYPE type, void*, void* data) {
    return builder_of(data).leave(type), 0;
  };
  parser.enter_span = [](MD_SPANTYPE type, void* detail, void* data) {
    return builder_of(data).enter(type, detail), 0;
  };
  parser.leave_span = [](MD_SPANTYPE type, void*, void* data) {
    return builder_of(data).leave(type), 0;
  };
  parser.text = [](MD_TEXTTYPE type, const MD_CHAR* part, MD_SIZE size, void* data) {
    return builder_of(data).text(type, {part, size}), 0;
  };
  BlockBuilder builder;
  // Fails only without memory, or when a callback says so.
  if (md_parse(bounded.data(), static_cast<MD_SIZE>(bounded.size()), &parser, &builder) != 0)
    throw std::bad_alloc();
  builder.finish();
  return std::move(builder.blocks);
}

}  // namespace bb5::rules
