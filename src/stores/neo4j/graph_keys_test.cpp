#include "stores/neo4j/graph_keys.hpp"

#include <algorithm>
#include <random>

#include "base/utf8.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_folder.hpp"

namespace bb5::neo4j {
namespace {

/// The words by which Java compares texts.
std::u16string utf16(std::string_view utf8) {
  std::u16string words;
  for (std::size_t i = 0; i < utf8.size();) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    char32_t code = size == 1 ? lead : lead & (0x7FU >> size);
    for (std::size_t k = 1; k < size; ++k)
      code = (code << 6) | (static_cast<unsigned char>(utf8[i + k]) & 0x3F);
    i += size;
    if (code < 0x10000) {
      words += static_cast<char16_t>(code);
    } else {
      words += static_cast<char16_t>(0xD7C0 + (code >> 10));
      words += static_cast<char16_t>(0xDC00 + (code & 0x3FF));
    }
  }
  return words;
}

TEST(GraphKeys, SortableTextsHaveOneOrderInBytesAndInUtf16) {
  std::mt19937_64 random(test_seed());
  const char32_t edges[] = {0x01,   0x20,   0x7F,    0x80,    0x7FF,   0x800,    0x241F, 0xD7FF,
                            0xE000, 0xE00E, 0xE10F,  0x1000,  0xF8FF,  0xFF5E,   0xFFFD, 0xFFFF,
                            0xFFFE, 0xEFFF, 0x10000, 0x10FFF, 0x1F600, 0x10FFFF, 'a',    'b'};
  std::vector<std::string> texts;
  for (int i = 0; i < 600; ++i) {
    std::string text;
    for (std::size_t n = random() % 4; n-- > 0;)
      append_utf8(text, edges[random() % std::size(edges)]);
    texts.push_back(text);
  }
  for (const auto& a : texts) {
    ASSERT_EQ(find_invalid_utf8(sortable(a)), std::nullopt);
    ASSERT_EQ(is_sortable(a), sortable(a) == a);
    for (const auto& b : texts) {
      ASSERT_EQ(a < b, sortable(a) < sortable(b));
      ASSERT_EQ(a < b, utf16(sortable(a)) < utf16(sortable(b)));
    }
  }
}

TEST(GraphKeys, AKeyKeepsItsBankAndIsCutOnlyWhenNoIndexHoldsIt) {
  const StoredKey plain = stored_entity_key("bank", "concept:redis");
  EXPECT_EQ(plain.key, "bank|concept:redis");
  EXPECT_EQ(plain.full, std::nullopt);
  EXPECT_EQ(plain.sort, std::nullopt);
  EXPECT_FALSE(plain.odd());
  EXPECT_EQ(order_key_of(plain), "bank|concept:redis\u241F");

  const StoredKey emoji = stored_entity_key("bank", "concept:\U0001F600");
  EXPECT_EQ(emoji.key, "bank|concept:\U0001F600");
  EXPECT_NE(emoji.sort, std::nullopt);
  EXPECT_FALSE(emoji.odd());

  std::string wide;
  while (wide.size() < 9'000) wide += "\U0001F600";
  const StoredKey cut = stored_entity_key("bank", wide);
  EXPECT_EQ(cut.full, "bank|" + wide);
  EXPECT_LE(cut.key.size(), 4'000U);
  EXPECT_LE(order_key_of(cut).size(), 8'100U);
  EXPECT_EQ(find_invalid_utf8(cut.key), std::nullopt);
  EXPECT_TRUE(cut.odd());
  EXPECT_NE(cut.key, stored_entity_key("bank", wide + "x").key);

  EXPECT_TRUE(stored_entity_key("bank", "a\u241Fb").odd());
}

TEST(GraphKeys, ABanksKeysLieBetweenItsEndsAndNobodyElses) {
  for (const std::string key : {"", "\x01", "z", "\U0010FFFF"}) {
    EXPECT_GE("bank|" + key, bank_start("bank"));
    EXPECT_LT("bank|" + key, bank_end("bank"));
    EXPECT_FALSE("bank_|" + key >= bank_start("bank") && "bank_|" + key < bank_end("bank"));
    EXPECT_FALSE("ban|" + key >= bank_start("bank") && "ban|" + key < bank_end("bank"));
    EXPECT_FALSE("bankz|" + key >= bank_start("bank") && "bankz|" + key < bank_end("bank"));
  }
}

TEST(GraphKeys, ATombstoneIsShortAndOfItsRow) {
  EXPECT_EQ(tombstone_key("b", 'e', "concept:x").size(), 36U);
  EXPECT_NE(tombstone_key("b", 'e', "concept:x"), tombstone_key("b", 'r', "concept:x"));
  EXPECT_NE(tombstone_key("b", 'e', "concept:x"), tombstone_key("b", 'e', "concept:y"));
}

}  // namespace
}  // namespace bb5::neo4j
