#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

namespace bb5 {

/// What went wrong, as far as a caller can act on it.
enum class Errc {
  invalid_argument,  ///< The caller must change something.
  not_found,
  conflict,      ///< Something else is there already.
  locked,        ///< Another process works on it; later it may go.
  refused,       ///< Credentials or rights.
  unavailable,   ///< The backend is away; trying again may help.
  unsupported,   ///< The backend cannot do this (missing or too old extension, newer schema).
  corrupt,       ///< Stored bytes contradict themselves.
  out_of_space,  ///< Disk or quota full; nothing was written.
  cancelled,
  internal
};

/// Lower-case name of the code: the `code` of every JSON error.
[[nodiscard]] constexpr const char* name_of(Errc code) noexcept {
  switch (code) {
    case Errc::invalid_argument:
      return "invalid_argument";
    case Errc::not_found:
      return "not_found";
    case Errc::conflict:
      return "conflict";
    case Errc::locked:
      return "locked";
    case Errc::refused:
      return "refused";
    case Errc::unavailable:
      return "unavailable";
    case Errc::unsupported:
      return "unsupported";
    case Errc::corrupt:
      return "corrupt";
    case Errc::out_of_space:
      return "out_of_space";
    case Errc::cancelled:
      return "cancelled";
    case Errc::internal:
      return "internal";
  }
  return "internal";
}

struct Error {
  Errc code{};
  std::string message;      ///< For a person: what and where, in one line; never parsed.
  std::string remedy = {};  ///< What the person can do about it; may be empty.
  std::string detail = {};  ///< The backend's own words (SQLSTATE…): logged, not shown.
  [[nodiscard]] bool retryable() const noexcept { return code == Errc::unavailable; }
};

/// A value or the Error that stood in its way. Result<> is success without a value.
/// Reading the wrong half throws std::logic_error: a bug, never a condition to handle.
/// A temporary gives its value away, not a reference into itself: `for (auto& x : *read())` is
/// safe.
template <class T = std::monostate>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result() requires std::is_default_constructible_v<T> : state_(std::in_place_index<0>) {}
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit by design
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  T& value() & { return value_of(state_); }
  const T& value() const& { return value_of(state_); }
  T value() && { return std::move(value_of(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  Error& error() & { return error_of(state_); }
  const Error& error() const& { return error_of(state_); }
  Error error() && { return std::move(error_of(state_)); }

 private:
  template <class State>  // const or not
  static auto& value_of(State& state) {
    if (auto* value = std::get_if<0>(&state)) return *value;
    throw std::logic_error("Result without a value: " + std::get<1>(state).message);
  }
  template <class State>
  static auto& error_of(State& state) {
    if (auto* error = std::get_if<1>(&state)) return *error;
    throw std::logic_error("Result without an error");
  }
  std::variant<T, Error> state_;
};

/// A shared "done" for functions that return Result<>.
[[nodiscard]] inline Result<> ok() {
  return {};
}

}  // namespace bb5

/// Returns the Error of `expression` from the enclosing function, or goes on.
#define BB5_TRY(expression)                                                          \
  do {                                                                               \
    if (auto bb5_try_ = (expression); !bb5_try_) return std::move(bb5_try_).error(); \
  } while (false)
