// Times: what can be read can be written in both forms and read back.
#include <algorithm>

#include "base/time.hpp"
#include "tests/fuzz/targets.hpp"

namespace bb5::fuzz {

void time(Input input) {
  const auto time = parse_time(text_of(input));
  if (!time) return;
  const auto first = parse_time("0001-01-01");
  const auto last = parse_time("9999-12-31T23:59:59.999999");
  const auto shown = std::clamp(*time, *first, *last);  // an offset may lead out of these years
  require(parse_time(to_legacy_text(*time)) == shown, "a time in the old system's form reads back");
  require(parse_time(to_rfc3339(*time)) == shown, "a time in RFC 3339 reads back");
}

}  // namespace bb5::fuzz
