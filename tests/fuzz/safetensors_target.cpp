// A file of weights of any bytes: what is accepted lies within the file, and no part of an accepted
// file is accepted too.
#include "embedders/local/safetensors.hpp"
#include "tests/fuzz/targets.hpp"

namespace bb5::fuzz {

void safetensors(Input input) {
  const std::string_view file = text_of(input);
  const auto parsed = local::SafeTensors::parse(file, "file");
  if (!parsed) {
    require(parsed.error().code == Errc::corrupt && !parsed.error().message.empty(),
            "what is refused is called damaged, in words");
    return;
  }
  for (const char* name : {"t", "a", "b", ""}) {
    for (const std::uint64_t columns : {1U, 2U, 4U}) {
      const auto rows = parsed->rows(name, columns);
      if (!rows || rows->empty()) continue;
      const auto* begin = reinterpret_cast<const char*>(rows->data());
      require(begin >= file.data() && begin + rows->size_bytes() <= file.data() + file.size(),
              "a tensor lies within the file");
      require(rows->size() % columns == 0, "rows are whole");
    }
  }
  for (std::size_t length = file.size(); length-- > 0 && length + 40 > file.size();) {
    require(!local::SafeTensors::parse(file.substr(0, length), "file"),
            "a file that was cut off is damaged");
  }
}

}  // namespace bb5::fuzz
