#include "extractors/rules/words.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include <unicode/uchar.h>

#include "base/utf8.hpp"

namespace bb5::rules {
namespace {

constexpr std::size_t longest_code_span = 300;

struct Character {
  UChar32 code = -1;  ///< Negative: none, or an ill-formed byte.
  std::size_t length = 0;
};

/// Decodes what is well-formed; of anything else each byte counts as a character of no kind.
Character character_at(std::string_view text, std::size_t at) {
  if (at >= text.size()) return {};
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const UChar32 lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC0 || at + length > text.size()) return {-1, 1};
  UChar32 code = lead & (0x7F >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {-1, 1};
    code = (code << 6) | (byte(i) & 0x3F);
  }
  return {code, length};
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_space(UChar32 code) {
  return code < 0x80 ? code == ' ' || (code >= '\t' && code <= '\r') : u_isUWhiteSpace(code) != 0;
}

/// Letters, digits and the marks that belong to letters.
bool is_word_character(UChar32 code) {
  if (code < 0) return false;
  if (code < 0x80) {
    return (code >= '0' && code <= '9') || (code >= 'a' && code <= 'z') ||
           (code >= 'A' && code <= 'Z') || code == '_';
  }
  return u_isalnum(code) != 0 || (U_GET_GC_MASK(code) & U_GC_M_MASK) != 0;
}

bool word_at(std::string_view text, std::size_t at) {
  return is_word_character(character_at(text, at).code);
}

/// Length of what joins two parts of one word at `at`: `-` in `well-known`, `.` in `a.py`. 0: none.
std::size_t joint_at(std::string_view text, std::size_t at) {
  if (at == 0 || at + 1 >= text.size()) return 0;
  const char before = text[at - 1];
  switch (text[at]) {
    case '.':
    case '-':
    case '/':
    case '@':
    case '\'':
    case '+':
      return word_at(text, at + 1) ? 1 : 0;
    case ',':
      return is_digit(before) && is_digit(text[at + 1]) ? 1 : 0;
    case ':':
      if (is_digit(before) && is_digit(text[at + 1])) return 1;
      return text[at + 1] == ':' && word_at(text, at + 2) ? 2 : 0;
    default:
      return text.substr(at).starts_with("\u2019") && word_at(text, at + 3) ? 3 : 0;
  }
}

class Lexer {
 public:
  Lexer(std::string_view text, std::vector<Token>& tokens) : text_(text), tokens_(tokens) {}

  void run() {
    while (at_ < text_.size()) {
      const Character c = character_at(text_, at_);
      if (is_space(c.code)) {
        if (c.code == '\n') clause_ = true;
        at_ += c.length;
      } else if (!(c.code == '`' && code_span()) && !(c.code == 'h' && url()) &&
                 !(c.code == '@' && handle()) && !(c.code == '#' && issue()) &&
                 !path_start(c.code) && !(is_word_character(c.code) && word(at_))) {
        symbol(c);
      }
    }
  }

 private:
  bool code_span() {
    std::size_t ticks = 0;
    while (at_ + ticks < text_.size() && text_[at_ + ticks] == '`') ++ticks;
    const std::string_view fence = text_.substr(at_, ticks);
    if (ticks > 2) return false;
    const std::string_view window = text_.substr(0, at_ + ticks + longest_code_span);
    const std::size_t close = window.find(fence, at_ + ticks);
    if (close == std::string_view::npos || close == at_ + ticks) return false;
    if (window.substr(at_, close - at_).find('\n') != std::string_view::npos) return false;
    emit(at_ + ticks, close, Token::Kind::code);
    at_ = close + ticks;
    return true;
  }

  bool url() {
    const std::string_view rest = text_.substr(at_);
    if (!rest.starts_with("http://") && !rest.starts_with("https://")) return false;
    std::size_t end = text_.find_first_of(" \t\r\n<>\"`)]}|", at_);
    end = std::min(end, text_.size());
    while (end > at_ && std::string_view(".,;:!?'*").find(text_[end - 1]) != std::string_view::npos)
      --end;
    emit(at_, end, Token::Kind::url);
    at_ = end;
    return true;
  }

  bool handle() {
    if (at_ > 0 && word_at(text_, at_ - 1)) return false;
    std::size_t end = at_ + 1;
    const auto fits = [&](char c) {
      return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
             c == '-';
    };
    while (end < text_.size() && fits(text_[end])) ++end;
    while (end > at_ + 1 && text_[end - 1] == '-') --end;
    if (end - at_ < 3 || end - at_ > 40 || is_digit(text_[at_ + 1])) return false;
    emit(at_, end, Token::Kind::handle);
    at_ = end;
    return true;
  }

  bool issue() {  // #123
    std::size_t end = at_ + 1;
    while (end < text_.size() && is_digit(text_[end])) ++end;
    if (end - at_ < 2 || end - at_ > 8 || word_at(text_, end)) return false;
    emit(at_, end, Token::Kind::word);
    at_ = end;
    return true;
  }

  /// `./a`, `../a`, `~/a`, `/a/b`, `.env.local`
  bool path_start(UChar32 code) {
    if (code != '.' && code != '~' && code != '/') return false;
    if (at_ > 0 && !is_space(static_cast<unsigned char>(text_[at_ - 1])) && text_[at_ - 1] != '(')
      return false;
    std::size_t start = at_;
    while (start < text_.size() && start < at_ + 4 &&
           (text_[start] == '.' || text_[start] == '~' || text_[start] == '/'))
      ++start;
    if (!word_at(text_, start)) return false;
    const std::size_t end = end_of_run(start);
    if (!looks_like_path(text_.substr(at_, end - at_))) return false;
    emit(at_, end, Token::Kind::word);
    at_ = end;
    return true;
  }

  [[nodiscard]] std::size_t end_of_run(std::size_t at) const {
    while (at < text_.size()) {
      const Character c = character_at(text_, at);
      if (is_word_character(c.code)) {
        at += c.length;
      } else if (const std::size_t joint = joint_at(text_, at)) {
        at += joint;
      } else {
        break;
      }
    }
    return at;
  }

  bool word(std::size_t start) {
    std::size_t end = end_of_run(start);
    std::string_view run = text_.substr(start, end - start);
    at_ = end;
    if (run.find('/') == std::string_view::npos || looks_like_path(run)) {
      word_token(start, end, true);
      return true;
    }
    while (!run.empty()) {  // `PostgreSQL/Neo4j` is two words
      const std::size_t length = std::min(run.find('/'), run.size());
      end = start + length;
      if (length > 0) word_token(start, end, length == run.size());
      run.remove_prefix(std::min(length + 1, run.size()));
      start = end + 1;
    }
    return true;
  }

  void word_token(std::size_t start, std::size_t end, bool last) {
    Token token;
    const std::string_view run = text_.substr(start, end - start);
    for (const std::string_view mark : {std::string_view("'s"), std::string_view("\u2019s")}) {
      if (run.size() > mark.size() && run.ends_with(mark)) {
        end -= mark.size();
        token.possessive = true;
        break;
      }
    }
    if (last && !token.possessive) {
      const std::string_view rest = text_.substr(at_);
      if (rest.starts_with("++")) {
        end = at_ += 2;
      } else if (rest.starts_with("#") && end - start == 1 && !word_at(text_, at_ + 1)) {
        end = at_ += 1;  // C#, F#
      } else if (rest.starts_with("()")) {
        token.call = true;
        at_ += 2;
      }
    }
    const bool number = is_digit(text_[start]);
    emit(start, end, number ? Token::Kind::number : Token::Kind::word, token);
  }

  void symbol(const Character& c) {
    emit(at_, at_ + std::max<std::size_t>(c.length, 1), Token::Kind::symbol);
    at_ += std::max<std::size_t>(c.length, 1);
    switch (c.code) {
      case '.':
      case '!':
      case '?':
      case ':':
      case ';':
      case 0x2013:  // –
      case 0x2014:  // —
      case 0x2022:  // •
      case 0x2026:  // …
      case 0x3002:  // 。
      case '|':
        clause_ = true;
        break;
      case ',':
        clause_ = false;
        break;
      default:
        break;  // brackets, quotes, marks of emphasis: what follows stands where they stand
    }
  }

  void emit(std::size_t begin, std::size_t end, Token::Kind kind, Token token = {}) {
    token.begin = static_cast<std::uint32_t>(begin);
    token.end = static_cast<std::uint32_t>(end);
    token.kind = kind;
    token.starts_clause = clause_;
    const UChar32 first = character_at(text_, begin).code;
    token.capital = first >= 0 && (first < 0x80 ? first >= 'A' && first <= 'Z' : u_isupper(first));
    if (kind != Token::Kind::symbol) clause_ = false;
    tokens_.push_back(token);
  }

  std::string_view text_;
  std::vector<Token>& tokens_;
  std::size_t at_ = 0;
  bool clause_ = true;
};

// Sorted.
constexpr std::array<std::string_view, 49> file_endings = {
    "bash",  "c",     "cc",   "cfg",  "conf", "cpp", "css",     "csv",     "cypher",  "db",
    "env",   "go",    "h",    "hpp",  "html", "ini", "ipynb",   "java",    "js",      "json",
    "jsonl", "jsx",   "kt",   "lock", "log",  "md",  "mjs",     "msgpack", "parquet", "pdf",
    "png",   "proto", "py",   "rb",   "rs",   "rst", "service", "sh",      "sql",     "sqlite",
    "svg",   "tf",    "toml", "ts",   "tsx",  "txt", "xml",     "yaml",    "yml"};

}  // namespace

Words::Words(std::string_view text) : text_(text), lowered_(to_lower_ascii(text)) {
  tokens_.reserve(text.size() / 6 + 4);
  Lexer(text_, tokens_).run();
}

std::string to_lower_ascii(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return lowered;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty()) {
    const Character c = character_at(text, 0);
    if (!is_space(c.code)) break;
    text.remove_prefix(c.length);
  }
  while (!text.empty()) {
    std::size_t start = text.size() - 1;
    while (start > 0 && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) --start;
    if (!is_space(character_at(text, start).code)) break;
    text.remove_suffix(text.size() - start);
  }
  return text;
}

std::string one_line(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  bool space = false;
  for (std::size_t at = 0; at < text.size();) {
    const Character c = character_at(text, at);
    const std::size_t length = std::max<std::size_t>(c.length, 1);
    if (is_space(c.code)) {
      space = true;
    } else {
      if (space && !line.empty()) line += ' ';
      space = false;
      line.append(text, at, length);
    }
    at += length;
  }
  return line;
}

bool says_something(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const Character c = character_at(text, at);
    if (c.code >= 0 && c.code != '_' && is_word_character(c.code)) return true;
    at += std::max<std::size_t>(c.length, 1);
  }
  return false;
}

bool looks_like_path(std::string_view word) {
  if (word.find("//") != std::string_view::npos || word.size() > 300) return false;
  const std::size_t slash = word.rfind('/');
  const std::string_view name = slash == std::string_view::npos ? word : word.substr(slash + 1);
  const std::size_t dot = name.rfind('.');
  if (dot != std::string_view::npos && dot + 1 < name.size() && (dot > 0 || slash != word.npos)) {
    const std::string ending = to_lower_ascii(name.substr(dot + 1));
    if (std::binary_search(file_endings.begin(), file_endings.end(), std::string_view(ending)))
      return true;
  }
  if (slash == std::string_view::npos) return false;
  if (word.starts_with("./") || word.starts_with("../") || word.starts_with("~/")) return true;
  const auto slashes = std::count(word.begin(), word.end(), '/');
  if (word.starts_with("/") || word.starts_with(".")) return slashes >= 2;
  static constexpr std::string_view folders[] = {
      "src/",   "lib/",     "docs/", "tests/",  "test/",     "bin/", "scripts/",
      "tools/", "include/", "data/", "config/", "packages/", "app/"};
  return std::any_of(std::begin(folders), std::end(folders),
                     [&](std::string_view folder) { return word.starts_with(folder); });
}

std::size_t count_characters(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string shortened(std::string_view text, std::size_t limit) {
  const std::string_view first = first_code_points(text, limit);
  if (first.size() == text.size()) return std::string(text);
  std::string_view kept = first_code_points(text, limit - 1);
  const std::size_t space = kept.rfind(' ');
  if (space != std::string_view::npos && space > kept.size() / 2) kept = kept.substr(0, space);
  return std::string(trimmed(kept)) + "\u2026";
}

}  // namespace bb5::rules
