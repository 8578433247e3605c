#include "embedders/local/safetensors.hpp"

#include <algorithm>
#include <bit>
#include <iterator>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace bb5::local {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "numbers are used as the file has them");

constexpr std::uint64_t length_bytes = 8;
/// A hundred times that of the model used here; the format allows more.
constexpr std::uint64_t longest_header = 1U << 20U;

Error damaged(std::string_view file, std::string_view what) {
  return {.code = Errc::corrupt, .message = fmt::format("{} is damaged: {}", file, what)};
}

std::uint64_t size_of(std::string_view dtype) {
  static constexpr std::pair<std::string_view, std::uint64_t> sizes[] = {
      {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1},
      {"I16", 2},  {"U16", 2}, {"F16", 2}, {"BF16", 2},    {"I32", 4},
      {"U32", 4},  {"F32", 4}, {"I64", 8}, {"U64", 8},     {"F64", 8}};
  const auto* const known = std::find_if(std::begin(sizes), std::end(sizes),
                                         [&](const auto& entry) { return entry.first == dtype; });
  return known == std::end(sizes) ? 0 : known->second;
}

/// An array of whole numbers, none negative; nothing when it is anything else.
std::optional<std::vector<std::uint64_t>> numbers(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_array()) return std::nullopt;
  std::vector<std::uint64_t> values;
  for (const json& value : *found) {
    if (!value.is_number_unsigned()) return std::nullopt;
    values.push_back(value.get<std::uint64_t>());
  }
  return values;
}

/// Bytes of a tensor; nothing when they cannot be counted in 64 bits.
std::optional<std::uint64_t> bytes_of(std::span<const std::uint64_t> shape, std::uint64_t each) {
  std::uint64_t bytes = each;
  for (const std::uint64_t extent : shape)
    if (__builtin_mul_overflow(bytes, extent, &bytes)) return std::nullopt;
  return bytes;
}

std::string shown(std::span<const std::uint64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

}  // namespace

Result<SafeTensors> SafeTensors::parse(std::string_view file, std::string name) {
  const auto bad = [&](std::string_view what) { return damaged(name, what); };
  if (file.size() < length_bytes)
    return bad(fmt::format("{} bytes, not even the length of its header", file.size()));
  std::uint64_t header_bytes = 0;
  std::copy_n(file.data(), length_bytes, reinterpret_cast<char*>(&header_bytes));
  if (header_bytes > longest_header)
    return bad(fmt::format("a header of {} bytes (at most {})", header_bytes, longest_header));
  if (header_bytes > file.size() - length_bytes) {
    return bad(fmt::format("{} bytes, but its header alone takes {}", file.size(),
                           length_bytes + header_bytes));
  }
  const json header = json::parse(file.substr(length_bytes, header_bytes), nullptr, false);
  if (!header.is_object()) return bad("its header is no JSON object");
  const std::string_view data = file.substr(length_bytes + header_bytes);

  SafeTensors found;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> places;
  for (const auto& [tensor, entry] : header.items()) {
    if (tensor == "__metadata__") continue;
    const auto dtype = entry.is_object() ? entry.find("dtype") : entry.end();
    if (!entry.is_object() || dtype == entry.end() || !dtype->is_string())
      return bad(fmt::format("tensor {} has no dtype", tensor));
    const auto& type = dtype->get_ref<const std::string&>();
    const std::uint64_t each = size_of(type);
    if (each == 0) return bad(fmt::format("tensor {} is of unknown dtype {}", tensor, type));
    auto shape = numbers(entry, "shape");
    if (!shape) return bad(fmt::format("tensor {} has no shape", tensor));
    const auto offsets = numbers(entry, "data_offsets");
    if (!offsets || offsets->size() != 2)
      return bad(fmt::format("tensor {} has no data_offsets", tensor));
    const std::uint64_t from = (*offsets)[0];
    const std::uint64_t to = (*offsets)[1];
    if (from > to || to > data.size()) {
      return bad(fmt::format("tensor {} lies at bytes {} to {} of {}: was the file cut off?",
                             tensor, from, to, data.size()));
    }
    if (bytes_of(*shape, each) != to - from) {
      return bad(
          fmt::format("tensor {}, {} {}, has {} bytes", tensor, type, shown(*shape), to - from));
    }
    places.emplace_back(from, to);
    found.tensors_.emplace(tensor, Tensor{type, std::move(*shape), data.substr(from, to - from)});
  }
  std::sort(places.begin(), places.end());
  std::uint64_t end = 0;
  for (const auto& [from, to] : places) {
    if (from != end)
      return bad(fmt::format("bytes {} to {} belong to no or two tensors", end, from));
    end = to;
  }
  if (end != data.size())
    return bad(fmt::format("{} bytes behind the last tensor", data.size() - end));
  found.name_ = std::move(name);
  return found;
}

Result<std::span<const float>> SafeTensors::floats(
    std::string_view tensor, std::initializer_list<std::uint64_t> shape) const {
  const auto found = tensors_.find(tensor);
  if (found == tensors_.end()) return damaged(name_, fmt::format("it has no tensor {}", tensor));
  const Tensor& is = found->second;
  if (is.dtype != "F32" ||
      !std::equal(shape.begin(), shape.end(), is.shape.begin(), is.shape.end())) {
    return damaged(name_, fmt::format("tensor {} is {} {}, not F32 [{}]", tensor, is.dtype,
                                      shown(is.shape), fmt::join(shape, ", ")));
  }
  if (reinterpret_cast<std::uintptr_t>(is.bytes.data()) % alignof(float) != 0)
    return damaged(name_, fmt::format("tensor {} does not start at a multiple of 4", tensor));
  return std::span(reinterpret_cast<const float*>(is.bytes.data()),
                   is.bytes.size() / sizeof(float));
}

Result<std::span<const float>> SafeTensors::rows(std::string_view tensor,
                                                 std::uint64_t columns) const {
  const auto found = tensors_.find(tensor);
  const bool has_rows = found != tensors_.end() && !found->second.shape.empty();
  return floats(tensor, {has_rows ? found->second.shape.front() : 0, columns});
}

}  // namespace bb5::local
