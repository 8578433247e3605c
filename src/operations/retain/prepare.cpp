#include "operations/retain/prepare.hpp"

#include <utility>

#include "base/digest.hpp"
#include "operations/retain/recalled_text.hpp"
#include "operations/retain/secrets.hpp"

namespace bb5 {
namespace {

bool says_nothing(const Turn& turn) {
  return turn.text.find_first_not_of(" \t\n\r\f\v") == std::string::npos;
}

std::string digest_of(const Document& document, std::string_view extractor) {
  Sha256Stream stream;
  stream.add_field('e', extractor);
  stream.add_field('k', document.source_type);
  for (const Turn& turn : document.turns) {
    stream.add_field('t', turn.text);
    if (turn.author) stream.add_field('a', *turn.author);
    if (turn.said_at) stream.add_field('s', to_rfc3339(*turn.said_at));
  }
  const Sha256 digest = stream.finish();
  return {digest.begin(), digest.end()};
}

}  // namespace

PreparedDocument prepare_document(Document document, std::string_view extractor,
                                  bool keep_secrets) {
  PreparedDocument prepared;
  for (Turn& turn : document.turns) {
    OwnText own = without_recalled(turn.text);
    prepared.recalled_blocks += own.blocks;
    turn.text = std::move(own.text);
    if (keep_secrets) continue;
    MaskedText masked = mask_secrets(turn.text);
    for (const auto& [kind, count] : masked.found) prepared.secrets[kind] += count;
    turn.text = std::move(masked.text);
  }
  std::erase_if(document.turns, says_nothing);
  prepared.digest = digest_of(document, extractor);
  prepared.document = std::move(document);
  return prepared;
}

}  // namespace bb5
