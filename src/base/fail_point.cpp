#include "base/fail_point.hpp"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>

#include "base/environment.hpp"

namespace bb5 {
namespace {

struct Armed {
  std::string name;
  std::atomic<long> passes_left{0};
};

Armed* armed() {
  static Armed state;
  static Armed* const result = [&]() -> Armed* {
    const std::string text = environment("BB5_FAIL_POINT");
    const auto colon = text.rfind(':');
    if (colon == std::string::npos) return nullptr;
    state.name = text.substr(0, colon);
    state.passes_left = std::strtol(text.c_str() + colon + 1, nullptr, 10);
    return &state;
  }();
  return result;
}

}  // namespace

void fail_point(std::string_view name) {
  Armed* state = armed();
  if (state == nullptr || (state->name != "any" && state->name != name)) return;
  if (state->passes_left.fetch_sub(1) == 1) std::raise(SIGKILL);
}

}  // namespace bb5
