// libFuzzer's way into one target: compiled once for each, BB5_FUZZ_TARGET naming it.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  bb5::fuzz::BB5_FUZZ_TARGET({data, size});
  return 0;
}
