#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bb5::ranking {

/// The texts whose vectors stand for a memory's sentences: cut behind `.`, `!`, `?` (and 。！？),
/// each with the label that the content starts with before it (`Ann: `, `Decision: `), since a
/// sentence without it does not say whose or what it is. Trimmed, none empty. Of a content of one
/// sentence: that, as it stands.
[[nodiscard]] std::vector<std::string> sentence_texts(std::string_view content);

}  // namespace bb5::ranking
