#pragma once

#include <string_view>

namespace bb5 {

/// A named place where a test may stop the process, as a power cut would: with
/// BB5_FAIL_POINT=NAME:N in the environment the N-th pass (from 1) through fail_point(NAME) raises
/// SIGKILL. BB5_FAIL_POINT=any:N counts the passes through all of them. Without the variable it
/// costs one load.
void fail_point(std::string_view name);

}  // namespace bb5
