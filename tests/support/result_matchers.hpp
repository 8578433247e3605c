#pragma once

#include <ostream>

#include <gmock/gmock.h>

#include "base/result.hpp"

namespace bb5 {

inline void PrintTo(Errc code, std::ostream* out) {
  *out << name_of(code);
}
inline void PrintTo(const Error& error, std::ostream* out) {
  *out << name_of(error.code) << ": " << error.message << " [" << error.detail << "]";
}
template <class T>
void PrintTo(const Result<T>& result, std::ostream* out) {
  if (result) {
    *out << "a value";
  } else {
    PrintTo(result.error(), out);
  }
}

MATCHER(Succeeds, "is a value") {
  return arg.has_value();
}
MATCHER_P(FailsWith, code, "fails with the given code") {
  return !arg.has_value() && arg.error().code == code;
}
MATCHER_P(HasValue, matcher, "is a value that matches") {
  return arg.has_value() &&
         testing::ExplainMatchResult(testing::SafeMatcherCast<decltype(*arg)>(matcher), *arg,
                                     result_listener);
}

}  // namespace bb5
