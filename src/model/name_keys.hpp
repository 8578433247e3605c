#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "model/name_form.hpp"

/// How names that may be one are found among many without comparing all with all: names of which
/// match_names() says something have a key of the other. A key says no more than that they are
/// worth comparing.
namespace bb5 {

/// Hashes. Mostly the two are equal; a short form has one for itself and seeks long ones.
struct NameKey {
  std::uint64_t own;
  std::uint64_t sought;  ///< `own` of what may be one with it; this holds in both directions.
};

/// Makes the keys of one name after the other. For one thread at a time.
class NameKeys {
 public:
  enum class Reach : std::uint8_t {
    same,    ///< Finds all that are `same`, and little else.
    perhaps  ///< Finds most that are `perhaps` too.
  };
  explicit NameKeys(Reach reach) : reach_(reach) {}

  /// In no order, some more than once; they live until the next call.
  std::span<const NameKey> of(std::string_view name, std::string_view type);

 private:
  enum class Tag : std::uint8_t;
  void add_spelling(std::string_view plain, TypeSort sort);
  void add_as_file(std::string_view plain);
  void add_whole_name();
  void add_core(TypeSort sort);
  void add_slips();
  void add_hints();
  void add_equal(Tag tag);  // of text_
  void add_short(Tag tag, std::string_view text);
  void add_long(Tag tag, std::string_view text);

  Reach reach_;
  std::string type_;  // of the name before: mostly the next one's too
  TypeSort sort_ = TypeSort::concept_;
  NameForm form_;
  std::string text_;
  std::string ascii_;
  std::vector<WordRange> cores_;
  std::vector<NameKey> keys_;
};

/// Some names, and which others may be `same` as one of them: few are let through besides.
class AlikeNames {
 public:
  void add(std::string_view name, std::string_view type);
  [[nodiscard]] bool may_hold(std::string_view name, std::string_view type);

 private:
  static constexpr std::size_t bits = std::size_t{1} << 18;
  NameKeys keys_{NameKeys::Reach::same};
  std::vector<bool> seen_ = std::vector<bool>(bits);  // most others are turned away here
  std::unordered_set<std::uint64_t> sought_;
};

}  // namespace bb5
