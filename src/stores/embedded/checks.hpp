#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "stores/embedded/connection.hpp"
#include "stores/embedded/vector_search.hpp"

namespace bb5::embedded {

/// What is wrong with the bank, one line each. thorough: reads everything.
Result<std::vector<std::string>> check_bank(Connection& connection, VectorSearch& vectors,
                                            bool thorough);

}  // namespace bb5::embedded
