#pragma once

#include <string>

namespace bb5 {

/// The environment variable's value; empty where it is unset, since one set to nothing counts as
/// unset. Safe from several threads: nothing of ours changes the environment.
[[nodiscard]] std::string environment(const char* name);

}  // namespace bb5
