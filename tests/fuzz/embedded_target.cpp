// What the embedded store reads back from its files: lists of texts, words for the full-text index,
// and the file of codes, which may be torn or another's.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/utf8.hpp"
#include "stores/embedded/codes_file.hpp"
#include "stores/embedded/float_blob.hpp"
#include "stores/embedded/keyword_search.hpp"
#include "stores/embedded/string_list.hpp"
#include "tests/fuzz/targets.hpp"

namespace bb5::fuzz {
namespace {

constexpr std::size_t dimension = 5;
constexpr std::size_t rows = 300;  // more than one block

/// One folder for the whole process, in memory where there is such a place.
const std::filesystem::path& folder() {
  static const struct Folder {
    Folder() {
      std::string pattern =
          std::filesystem::exists("/dev/shm") ? "/dev/shm/bb5-fuzz-XXXXXX" : "/tmp/bb5-fuzz-XXXXXX";
      require(mkdtemp(pattern.data()) != nullptr, "a folder can be made");
      path = pattern;
    }
    ~Folder() { std::filesystem::remove_all(path); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::filesystem::path path;
  } one;
  return one.path;
}

/// The bytes of a sound file of codes.
std::string sound_file() {
  const auto path = folder() / "sound";
  embedded::CodesFile file(path);
  const auto built = file.rebuild(
      dimension,
      [](const auto& take) -> Result<> {
        for (std::size_t i = 0; i < rows; ++i) {
          const std::vector<float> vector(dimension, 1.0F + static_cast<float>(i));
          take({.vec_id = static_cast<std::int64_t>(2 * i + 1),
                .label = static_cast<std::int64_t>(i % 7),
                .stamp = 42,
                .embedding = embedded::bytes_of(vector)});
        }
        return ok();
      },
      2 * rows);
  require(built && *built, "a file of codes can be made");
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void check_codes(std::string_view changes) {
  static const std::string sound = sound_file();
  std::string bytes = sound;
  for (; changes.size() >= 4; changes.remove_prefix(4)) {
    std::uint16_t where = 0;
    std::memcpy(&where, changes.data(), sizeof where);
    // The header and what says how far the file counts more often than the rows.
    const std::size_t wanted = where % 3 == 0   ? where % 64
                               : where % 3 == 1 ? 512 + where % 32
                                                : where;
    const std::size_t at = wanted % bytes.size();
    bytes[at] = changes[2];
    if (changes[3] == 'T') bytes.resize(std::max<std::size_t>(1, at));
  }
  const auto path = folder() / "changed";
  {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  embedded::CodesFile file(path);
  for (const std::size_t other : {dimension, dimension + 1}) {
    const auto view = file.view(other);
    if (!view) continue;
    require(other == dimension && view->count() <= rows, "a view holds no more than was written");
    std::size_t seen = 0;
    for (std::size_t block = 0; block < view->blocks(); ++block) seen += view->block(block).rows;
    require(seen == view->count(), "blocks add up");
    // A row is looked at when it is used: whoever reads all asks for all.
    const bool all_sound = file.verify(*view);
    for (std::size_t row = 0; row < view->count(); ++row) {
      if (!view->is_sound(row)) continue;
      require(view->vec_id(row) == static_cast<std::int64_t>(2 * row + 1),
              "rows are those written");
      if (all_sound) require(view->find(view->vec_id(row)) == row, "a row is found by its number");
    }
  }
  std::filesystem::remove(path);
}

}  // namespace

void embedded(Input input) {
  const std::string_view text = text_of(input);
  for (const std::string& item : bb5::embedded::read_string_list(text))
    require(item.size() <= text.size(), "a list holds no more than its text");
  std::vector<std::string> list;
  for (std::size_t from = 0; from < text.size(); from += 5)
    list.push_back(to_storable_utf8(text.substr(from, 5)));
  const auto written = bb5::embedded::write_string_list(list);
  require(written.has_value() == !list.empty(), "an empty list is NULL");
  require(!written || bb5::embedded::read_string_list(*written) == list,
          "a list is read as it was written");
  const std::string words = bb5::embedded::match_expression(bb5::ranking::asked_words(text));
  require(std::count(words.begin(), words.end(), '"') % 2 == 0, "quotes in a query are paired");
  check_codes(text);
}

}  // namespace bb5::fuzz
