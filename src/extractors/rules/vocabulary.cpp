#include "extractors/rules/vocabulary.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "extractors/rules/words.hpp"

namespace bb5::rules {
namespace {

using WordSet = std::unordered_set<std::string_view>;

const WordSet& stop_words() {
  static const WordSet words = {
      // articles, pronouns, conjunctions, prepositions, auxiliaries
      "a", "an", "the", "this", "that", "these", "those", "it", "its", "i", "i'm", "i've", "i'd",
      "i'll", "we", "we've", "we're", "we'll", "you", "you're", "he", "she", "they", "them",
      "their", "his", "her", "my", "our", "your", "me", "us", "who", "what", "when", "where", "why",
      "how", "which", "and", "or", "but", "nor", "so", "yet", "for", "if", "then", "else",
      "because", "as", "at", "by", "from", "in", "into", "of", "off", "on", "onto", "out", "over",
      "to", "up", "with", "without", "within", "under", "after", "before", "between", "during",
      "while", "since", "until", "about", "against", "all", "any", "both", "each", "every", "few",
      "more", "most", "no", "none", "not", "only", "other", "others", "own", "same", "some", "such",
      "than", "too", "very", "can", "could", "will", "would", "shall", "should", "may", "might",
      "must", "do", "does", "did", "done", "is", "are", "was", "were", "be", "been", "has", "have",
      "had", "yes", "ok", "okay", "now", "here", "there", "also", "however", "never", "always",
      "just", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
      "first", "second", "third", "last", "next", "new", "old", "hey", "hi", "hello", "wow",
      "thanks", "thank", "oh", "well", "please", "let", "let's", "that's", "it's", "there's",
      "don't", "doesn't", "didn't", "can't", "won't", "isn't",
      // times
      "january", "february", "march", "april", "june", "july", "august", "september", "october",
      "november", "december", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct",
      "nov", "dec", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
      "mon", "tue", "wed", "thu", "fri", "sat", "sun", "today", "tomorrow", "yesterday",
      "christmas", "easter", "am", "pm", "utc", "gmt", "cet", "est", "pst", "q1", "q2", "q3", "q4",
      // what documents are made of
      "todo", "fixme", "note", "notes", "warning", "important", "tip", "example", "examples", "faq",
      "readme", "changelog", "license", "section", "chapter", "figure", "table", "page", "step",
      "steps", "phase", "stage", "option", "options", "decision", "decisions", "context",
      "rationale", "status", "summary", "result", "results", "goal", "goals", "objective", "task",
      "tasks", "issue", "issues", "problem", "question", "questions", "answer", "answers", "part",
      "appendix", "version", "date", "name", "type", "id", "ids", "yes/no", "n/a", "tbd", "high",
      "medium", "low", "true", "false", "null", "pass", "fail", "passed", "failed", "error",
      "errors", "api", "apis", "ui", "url", "urls", "uri", "cpu", "gpu", "ram", "ssd", "os", "pr",
      "prs", "ci", "cd", "llm", "llms", "ai", "ml", "cli", "sdk", "ide", "db", "io", "etc", "eg",
      "ie", "vs", "asap", "fyi", "imo", "god", "mom", "dad", "mum", "english", "german", "french",
      "spanish", "american", "european",
      // first words of German, French, Spanish sentences
      "der", "die", "das", "ein", "eine", "und", "oder", "wir", "ich", "sie", "es", "le", "la",
      "les", "un", "une", "el", "los", "las", "una"};
  return words;
}

const WordSet& past_verbs() {
  static const WordSet words = {
      "ran",   "tried",      "made",  "built", "wrote",   "found",   "got",     "took",   "went",
      "saw",   "read",       "began", "broke", "did",     "hit",     "kept",    "left",   "lost",
      "met",   "sent",       "spent", "told",  "gave",    "came",    "brought", "bought", "caught",
      "drew",  "drove",      "ate",   "fell",  "felt",    "flew",    "forgot",  "grew",   "heard",
      "held",  "knew",       "led",   "paid",  "sold",    "spoke",   "stood",   "swam",   "taught",
      "threw", "understood", "woke",  "won",   "rewrote", "rebuilt", "reran",   "undid",  "split",
      "shut",  "cut",        "put",   "set",   "sat",     "slept",   "started", "had",    "was",
      "were",  "said",       "sang",  "became"};
  return words;
}

const WordSet& finite_verbs() {
  static const WordSet words = {
      "is",       "are",     "was",     "were",    "am",       "be",       "has",     "have",
      "had",      "do",      "does",    "did",     "can",      "cannot",   "can't",   "could",
      "will",     "would",   "shall",   "should",  "may",      "might",    "must",    "isn't",
      "aren't",   "wasn't",  "weren't", "doesn't", "don't",    "didn't",   "won't",   "hasn't",
      "haven't",  "it's",    "that's",  "there's", "i'm",      "we're",    "they're", "uses",
      "needs",    "means",   "makes",   "takes",   "gives",    "keeps",    "holds",   "returns",
      "runs",     "reads",   "writes",  "calls",   "works",    "fails",    "costs",   "became",
      "becomes",  "breaks",  "loses",   "stores",  "contains", "requires", "depends", "supports",
      "provides", "stays",   "stands",  "comes",   "goes",     "gets",     "lets",    "helps",
      "wins",     "beats",   "shows",   "says",    "knows",    "wants",    "allows",  "prevents",
      "causes",   "creates", "happens", "remains", "handles",  "ist",      "sind",    "war",
      "hat",      "haben",   "wird",    "est",     "sont"};
  return words;
}

const WordSet& prepositions() {
  static const WordSet words = {
      "of",   "in",      "on",     "at",      "by",     "for",    "from",   "with",    "to",
      "into", "onto",    "over",   "under",   "about",  "after",  "before", "between", "through",
      "via",  "against", "within", "without", "behind", "across", "per",    "than",    "like",
      "as",   "inside",  "around", "near",    "upon",   "unlike", "despite"};
  return words;
}

const WordSet& code_words() {
  static const WordSet words = {
      "true",      "false",     "null",   "none",     "nil",     "undefined", "nan",     "inf",
      "int",       "float",     "double", "bool",     "boolean", "string",    "str",     "char",
      "void",      "long",      "short",  "byte",     "bytes",   "list",      "dict",    "map",
      "set",       "array",     "object", "number",   "integer", "text",      "date",    "time",
      "timestamp", "id",        "ids",    "name",     "type",    "value",     "values",  "key",
      "keys",      "data",      "self",   "this",     "return",  "if",        "else",    "for",
      "while",     "and",       "or",     "not",      "in",      "is",        "as",      "from",
      "import",    "class",     "def",    "function", "const",   "let",       "var",     "new",
      "async",     "await",     "try",    "catch",    "public",  "private",   "static",  "default",
      "yes",       "no",        "ok",     "error",    "errors",  "warning",   "info",    "debug",
      "get",       "post",      "put",    "delete",   "patch",   "head",      "select",  "insert",
      "update",    "where",     "limit",  "asc",      "desc",    "todo",      "x",       "y",
      "z",         "n",         "k",      "i",        "a",       "b",         "c",       "e",
      "s",         "t",         "p",      "foo",      "bar",     "baz",       "content", "source",
      "path",      "file",      "all",    "high",     "low",     "medium",    "open",    "done",
      "pending",   "completed", "active", "failed",   "passed",  "message",   "query",   "result",
      "results",   "status",    "code",   "title",    "count",   "size",      "on",      "off",
      "root",      "user",      "main",   "test",     "tests",   "world",     "concept", "person",
      "section",   "document",  "env",    "src",      "out"};
  return words;
}

struct KnownNames {
  std::unordered_map<std::string, KnownName> by_spelling;
  std::unordered_map<std::string, std::size_t> words_by_first;
};

KnownNames read_known_names() {
  KnownNames names;
  std::string_view text = known_names_text();
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view row = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (row.empty() || row.starts_with('#')) continue;
    KnownName known;
    const std::size_t tab = row.find('\t');
    known.spelling = known.name = row.substr(0, tab);
    row.remove_prefix(tab + 1);
    known.exact = row.starts_with('=');
    if (known.exact) row.remove_prefix(1);
    const std::size_t alias = row.find('\t');
    known.type = row.substr(0, alias);
    if (alias != std::string_view::npos) known.name = row.substr(alias + 1);
    const std::string low = to_lower_ascii(known.spelling);
    std::size_t& words = names.words_by_first[low.substr(0, low.find(' '))];
    words = std::max(words, 1 + static_cast<std::size_t>(std::count(low.begin(), low.end(), ' ')));
    names.by_spelling.emplace(low, known);
  }
  return names;
}

const KnownNames& known_names() {
  static const KnownNames names = read_known_names();
  return names;
}

}  // namespace

bool is_stop_word(std::string_view low) {
  return stop_words().contains(low);
}

bool is_past_verb(std::string_view low) {
  if (low.size() > 4 && low.ends_with("ed") && !low.ends_with("eed")) return true;
  return past_verbs().contains(low);
}

bool is_finite_verb(std::string_view low) {
  return finite_verbs().contains(low) || is_past_verb(low);
}

bool is_preposition(std::string_view low) {
  return prepositions().contains(low);
}

bool is_code_word(std::string_view low) {
  return code_words().contains(low);
}

std::optional<KnownName> known_name(std::string_view low) {
  const auto found = known_names().by_spelling.find(std::string(low));
  if (found == known_names().by_spelling.end()) return {};
  return found->second;
}

std::size_t known_name_words(std::string_view low_first_word) {
  const auto& words = known_names().words_by_first;
  const auto found = words.find(std::string(low_first_word));
  return found == words.end() ? 0 : found->second;
}

}  // namespace bb5::rules
