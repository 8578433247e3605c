#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "model/extraction.hpp"

namespace bb5 {

/// A document as an extractor reads it, and what was taken out of it.
struct PreparedDocument {
  Document document;
  /// 32 bytes: of what the document says and of the extractor's name. Its date is no part of it, so
  /// that a file which was only touched is unchanged.
  std::string digest;
  std::map<std::string, std::int64_t> secrets;  ///< Masked ones, by kind.
  std::int64_t recalled_blocks = 0;             ///< Cut out (recalled_text.hpp).
};

/// Masks secrets, unless told not to, and cuts out what was recalled. Turns that then say nothing
/// are left out.
[[nodiscard]] PreparedDocument prepare_document(Document document, std::string_view extractor,
                                                bool keep_secrets = false);

}  // namespace bb5
