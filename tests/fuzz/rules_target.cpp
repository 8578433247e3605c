// Any text, as a document or as turns of a conversation: the extractor loses nothing, invents no
// names and answers the same again.
#include "extractors/rules/extraction_promises.hpp"
#include "extractors/rules/rules_extractor.hpp"
#include "tests/fuzz/targets.hpp"

namespace bb5::fuzz {

void rules(Input input) {
  static const auto extractor = new_rules_extractor();
  std::string_view text = text_of(input);
  Document document{.source = "fuzz"};
  // a first byte of 1 makes a conversation of the lines
  if (text.starts_with('\x01')) {
    document.source_type = "transcript";
    for (std::int64_t position = 0; !text.empty(); ++position) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      document.turns.push_back({.text = std::string(text.substr(0, end)),
                                .author = position % 2 == 0 ? "Ann" : "Bo",
                                .said_at = parse_time("2026-03-01"),
                                .position = position});
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  } else {
    document.turns.push_back({.text = std::string(text)});
  }
  const auto made = extractor->extract(document);
  require(made.has_value(), "rules never fail");
  const std::string broken = bb5::rules::broken_promise(document, *made);
  require(broken.empty(), broken);
  require(*extractor->extract(document) == *made, "the same text gives the same");
}

}  // namespace bb5::fuzz
