#include "stores/embedded/cosine_kernels.hpp"

#include <array>
#include <cmath>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace bb5::embedded {
namespace {

// The compiler turns this loop into the vector instructions of the base architecture (SSE2, NEON).
void dot_plain(const std::int8_t* codes, std::size_t rows, std::size_t width,
               const std::int16_t* query, std::int32_t* sums) {
  for (std::size_t row = 0; row < rows; ++row, codes += width) {
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < width; ++i) sum += std::int32_t{codes[i]} * std::int32_t{query[i]};
    sums[row] = sum;
  }
}

#if defined(__x86_64__)

// Both kernels take four rows at a time: each piece of the query is loaded once for four.

__attribute__((target("avx2"))) inline std::int32_t sum_of(__m256i lanes) {
  __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4E));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xB1));
  return _mm_cvtsi128_si32(sum);
}

__attribute__((target("avx2"))) inline __m256i widen_16(const std::int8_t* codes) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes)));
}

__attribute__((target("avx2"))) void dot_avx2(const std::int8_t* codes, std::size_t rows,
                                              std::size_t width, const std::int16_t* query,
                                              std::int32_t* sums) {
  std::size_t row = 0;
  for (; row + 4 <= rows; row += 4, codes += 4 * width) {
    __m256i a = _mm256_setzero_si256();
    __m256i b = a;
    __m256i c = a;
    __m256i d = a;
    for (std::size_t i = 0; i < width; i += 16) {
      const __m256i q = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(query + i));
      a = _mm256_add_epi32(a, _mm256_madd_epi16(widen_16(codes + i), q));
      b = _mm256_add_epi32(b, _mm256_madd_epi16(widen_16(codes + width + i), q));
      c = _mm256_add_epi32(c, _mm256_madd_epi16(widen_16(codes + 2 * width + i), q));
      d = _mm256_add_epi32(d, _mm256_madd_epi16(widen_16(codes + 3 * width + i), q));
    }
    sums[row] = sum_of(a);
    sums[row + 1] = sum_of(b);
    sums[row + 2] = sum_of(c);
    sums[row + 3] = sum_of(d);
  }
  for (; row < rows; ++row, codes += width) {
    __m256i a = _mm256_setzero_si256();
    for (std::size_t i = 0; i < width; i += 16) {
      const __m256i q = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(query + i));
      a = _mm256_add_epi32(a, _mm256_madd_epi16(widen_16(codes + i), q));
    }
    sums[row] = sum_of(a);
  }
}

__attribute__((target("avx512bw"))) inline __m512i widen_32(const std::int8_t* codes) {
  return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes)));
}

__attribute__((target("avx512bw"))) void dot_avx512bw(const std::int8_t* codes, std::size_t rows,
                                                      std::size_t width, const std::int16_t* query,
                                                      std::int32_t* sums) {
  std::size_t row = 0;
  for (; row + 4 <= rows; row += 4, codes += 4 * width) {
    __m512i a = _mm512_setzero_si512();
    __m512i b = a;
    __m512i c = a;
    __m512i d = a;
    for (std::size_t i = 0; i < width; i += 32) {
      const __m512i q = _mm512_loadu_si512(query + i);
      a = _mm512_add_epi32(a, _mm512_madd_epi16(widen_32(codes + i), q));
      b = _mm512_add_epi32(b, _mm512_madd_epi16(widen_32(codes + width + i), q));
      c = _mm512_add_epi32(c, _mm512_madd_epi16(widen_32(codes + 2 * width + i), q));
      d = _mm512_add_epi32(d, _mm512_madd_epi16(widen_32(codes + 3 * width + i), q));
    }
    sums[row] = _mm512_reduce_add_epi32(a);
    sums[row + 1] = _mm512_reduce_add_epi32(b);
    sums[row + 2] = _mm512_reduce_add_epi32(c);
    sums[row + 3] = _mm512_reduce_add_epi32(d);
  }
  for (; row < rows; ++row, codes += width) {
    __m512i a = _mm512_setzero_si512();
    for (std::size_t i = 0; i < width; i += 32) {
      const __m512i q = _mm512_loadu_si512(query + i);
      a = _mm512_add_epi32(a, _mm512_madd_epi16(widen_32(codes + i), q));
    }
    sums[row] = _mm512_reduce_add_epi32(a);
  }
}

#endif

struct KernelList {
  std::array<NamedKernel, 3> kernels{};
  std::size_t count = 0;
  void add(std::string_view name, DotKernel run) { kernels[count++] = {name, run}; }
};

KernelList find_kernels() {
  KernelList list;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bw")) list.add("avx512bw", dot_avx512bw);
  if (__builtin_cpu_supports("avx2")) list.add("avx2", dot_avx2);
#endif
  list.add("plain", dot_plain);
  return list;
}

}  // namespace

std::span<const NamedKernel> available_kernels() {
  static const KernelList list = find_kernels();
  return {list.kernels.data(), list.count};
}

double cosine(std::span<const float> a, std::span<const float> b) {
  double dot = 0;
  double aa = 0;
  double bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = a[i];
    const double y = b[i];
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa == 0 || bb == 0 ? 0 : dot / (std::sqrt(aa) * std::sqrt(bb));
}

}  // namespace bb5::embedded
