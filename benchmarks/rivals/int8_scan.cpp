#include "benchmarks/rivals/int8_scan.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace bb5::bench {
namespace {

/// A query in the two forms that the kernels take.
struct CodedQuery {
  std::vector<std::uint8_t> shifted;  ///< Code + 128, for VNNI.
  std::vector<std::int16_t> wide;
};

/// Dot products of the codes with the query, `corrections` taken off where the query is shifted.
using Kernel = void (*)(const std::int8_t* codes, std::size_t rows, std::size_t width,
                        const CodedQuery& query, const std::int32_t* corrections,
                        std::int32_t* sums);

void plain(const std::int8_t* codes, std::size_t rows, std::size_t width, const CodedQuery& query,
           const std::int32_t*, std::int32_t* sums) {
  const std::int16_t* numbers = query.wide.data();
  for (std::size_t row = 0; row < rows; ++row, codes += width) {
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < width; ++i) sum += codes[i] * numbers[i];
    sums[row] = sum;
  }
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) void avx2(const std::int8_t* codes, std::size_t rows,
                                          std::size_t width, const CodedQuery& query,
                                          const std::int32_t*, std::int32_t* sums) {
  for (std::size_t row = 0; row < rows; ++row, codes += width) {
    __m256i sum[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(),
                      _mm256_setzero_si256()};
    for (std::size_t i = 0; i < width; i += 64) {
      for (std::size_t j = 0; j < 4; ++j) {
        const std::size_t at = i + 16 * j;
        const __m256i numbers =
            _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes + at)));
        const __m256i factors =
            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(query.wide.data() + at));
        sum[j] = _mm256_add_epi32(sum[j], _mm256_madd_epi16(numbers, factors));
      }
    }
    const __m256i all =
        _mm256_add_epi32(_mm256_add_epi32(sum[0], sum[1]), _mm256_add_epi32(sum[2], sum[3]));
    __m128i half = _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
    half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4E));
    half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0xB1));
    sums[row] = _mm_cvtsi128_si32(half);
  }
}

__attribute__((target("avx512bw"))) void avx512bw(const std::int8_t* codes, std::size_t rows,
                                                  std::size_t width, const CodedQuery& query,
                                                  const std::int32_t*, std::int32_t* sums) {
  for (std::size_t row = 0; row < rows; ++row, codes += width) {
    __m512i even = _mm512_setzero_si512();
    __m512i odd = even;
    for (std::size_t i = 0; i < width; i += 64) {
      const auto products = [&](std::size_t at) __attribute__((target("avx512bw"))) {
        return _mm512_madd_epi16(
            _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes + at))),
            _mm512_loadu_si512(query.wide.data() + at));
      };
      even = _mm512_add_epi32(even, products(i));
      odd = _mm512_add_epi32(odd, products(i + 32));
    }
    sums[row] = _mm512_reduce_add_epi32(_mm512_add_epi32(even, odd));
  }
}

__attribute__((target("avx512vnni,avx512bw"))) void avx512vnni(const std::int8_t* codes,
                                                               std::size_t rows, std::size_t width,
                                                               const CodedQuery& query,
                                                               const std::int32_t* corrections,
                                                               std::int32_t* sums) {
  for (std::size_t row = 0; row < rows; ++row, codes += width) {
    __m512i even = _mm512_setzero_si512();
    __m512i odd = even;
    std::size_t i = 0;
    for (; i + 128 <= width; i += 128) {
      even = _mm512_dpbusd_epi32(even, _mm512_loadu_si512(query.shifted.data() + i),
                                 _mm512_loadu_si512(codes + i));
      odd = _mm512_dpbusd_epi32(odd, _mm512_loadu_si512(query.shifted.data() + i + 64),
                                _mm512_loadu_si512(codes + i + 64));
    }
    if (i < width)
      even = _mm512_dpbusd_epi32(even, _mm512_loadu_si512(query.shifted.data() + i),
                                 _mm512_loadu_si512(codes + i));
    sums[row] = _mm512_reduce_add_epi32(_mm512_add_epi32(even, odd)) - corrections[row];
  }
}
#endif

std::pair<const char*, Kernel> best_kernel() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw"))
    return {"AVX-512 VNNI", avx512vnni};
  if (__builtin_cpu_supports("avx512bw")) return {"AVX-512BW", avx512bw};
  if (__builtin_cpu_supports("avx2")) return {"AVX2", avx2};
#endif
  return {"plain", plain};
}
const std::pair<const char*, Kernel> kernel_in_use = best_kernel();

/// Eight sums at once, which the compiler turns into vector instructions.
float dot(const float* a, const float* b, std::size_t count) {
  float sums[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    for (std::size_t j = 0; j < 8; ++j) sums[j] += a[i + j] * b[i + j];
  }
  float sum = 0;
  for (; i < count; ++i) sum += a[i] * b[i];
  for (const float part : sums) sum += part;
  return sum;
}

/// The best `kept` rows, by a heap with the worst in front.
class Best {
 public:
  explicit Best(std::size_t kept) : kept_(kept) { heap_.reserve(kept); }
  void add(float score, std::size_t row) {
    if (heap_.size() == kept_) {
      if (score <= heap_.front().first) return;
      std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
      heap_.back() = {score, row};
    } else {
      heap_.emplace_back(score, row);
    }
    std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
  }
  [[nodiscard]] float worst() const { return heap_.size() < kept_ ? -1e30F : heap_.front().first; }
  std::vector<std::pair<float, std::size_t>> sorted() && {
    std::sort(heap_.begin(), heap_.end(), std::greater<>());
    return std::move(heap_);
  }

 private:
  std::size_t kept_;
  std::vector<std::pair<float, std::size_t>> heap_;
};

std::vector<std::size_t> rows_of(std::vector<std::pair<float, std::size_t>> best, std::size_t k) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < std::min(k, best.size()); ++i) rows.push_back(best[i].second);
  return rows;
}

}  // namespace

Int8Scan::Int8Scan(std::span<const float> matrix, std::size_t dimension)
    : matrix_(matrix),
      dimension_(dimension),
      width_((dimension + 63) / 64 * 64),
      rows_(matrix.size() / dimension),
      codes_(rows_ * width_),
      scales_(rows_),
      corrections_(rows_) {
  for (std::size_t row = 0; row < rows_; ++row) {
    const float* numbers = matrix.data() + row * dimension;
    float largest = 0;
    for (std::size_t i = 0; i < dimension; ++i) largest = std::max(largest, std::fabs(numbers[i]));
    scales_[row] = largest / 127;
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < dimension; ++i) {
      const auto code = static_cast<std::int8_t>(std::lround(numbers[i] / largest * 127));
      codes_[row * width_ + i] = code;
      sum += code;
    }
    corrections_[row] = 128 * sum;
  }
}

std::vector<std::size_t> Int8Scan::nearest(std::span<const float> query, std::size_t k) const {
  CodedQuery coded{std::vector<std::uint8_t>(width_, 128), std::vector<std::int16_t>(width_)};
  float largest = 0;
  for (const float number : query) largest = std::max(largest, std::fabs(number));
  for (std::size_t i = 0; i < dimension_; ++i) {
    const auto code = static_cast<std::int16_t>(std::lround(query[i] / largest * 127));
    coded.wide[i] = code;
    coded.shifted[i] = static_cast<std::uint8_t>(code + 128);
  }
  constexpr std::size_t piece = 256;
  std::int32_t sums[piece];
  Best best(std::max<std::size_t>(40, 4 * k));
  for (std::size_t from = 0; from < rows_; from += piece) {
    const std::size_t count = std::min(piece, rows_ - from);
    kernel_in_use.second(codes_.data() + from * width_, count, width_, coded,
                         corrections_.data() + from, sums);
    for (std::size_t i = 0; i < count; ++i) {
      const float score = scales_[from + i] * static_cast<float>(sums[i]);
      if (score > best.worst()) best.add(score, from + i);
    }
  }
  auto found = std::move(best).sorted();
  for (auto& [score, row] : found)
    score = dot(matrix_.data() + row * dimension_, query.data(), dimension_);
  std::sort(found.begin(), found.end(), std::greater<>());
  return rows_of(std::move(found), k);
}

const char* Int8Scan::kernel() {
  return kernel_in_use.first;
}

std::vector<std::size_t> brute_force(std::span<const float> matrix, std::span<const float> query,
                                     std::size_t k) {
  Best best(k);
  const std::size_t dimension = query.size();
  for (std::size_t row = 0; row < matrix.size() / dimension; ++row)
    best.add(dot(matrix.data() + row * dimension, query.data(), dimension), row);
  return rows_of(std::move(best).sorted(), k);
}

}  // namespace bb5::bench
