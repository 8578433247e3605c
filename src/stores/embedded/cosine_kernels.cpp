#include "stores/embedded/cosine_kernels.hpp"

#include <array>

#if defined(__x86_64__)
// g++ 12 warns of its own header (bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace bb5::embedded {
namespace {

// One row after the other, as memory delivers them: taking four rows at a time to load the query
// once for four was a quarter slower, and prefetching by hand a tenth (100 k × 384).
//
// Each architecture has two loops, over a row and a query and over two rows; what runs the first
// over many rows is the same everywhere, but has to be compiled for the same target to inline it.
#define BB5_KERNELS(NAME, TARGET)                                                                  \
  TARGET void dot_##NAME(const std::int8_t* codes, std::size_t rows, std::size_t width,            \
                         const std::int16_t* query, std::int32_t* sums) {                          \
    for (std::size_t row = 0; row < rows; ++row, codes += width)                                   \
      sums[row] = row_##NAME(codes, width, query);                                                 \
  }                                                                                                \
  TARGET void gather_##NAME(const std::int8_t* const* codes, std::size_t rows, std::size_t width,  \
                            const std::int16_t* query, std::int32_t* sums) {                       \
    for (std::size_t row = 0; row < rows; ++row) sums[row] = row_##NAME(codes[row], width, query); \
  }

// The compiler turns these loops into the vector instructions of the base architecture.
inline std::int32_t row_plain(const std::int8_t* codes, std::size_t width,
                              const std::int16_t* query) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < width; ++i) sum += std::int32_t{codes[i]} * std::int32_t{query[i]};
  return sum;
}
std::int32_t pair_plain(const std::int8_t* a, const std::int8_t* b, std::size_t width) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < width; ++i) sum += std::int32_t{a[i]} * std::int32_t{b[i]};
  return sum;
}
BB5_KERNELS(plain, )

#if defined(__x86_64__)

#define BB5_AVX2 __attribute__((target("avx2")))
#define BB5_AVX512BW __attribute__((target("avx512bw")))
#define BB5_AVX512VNNI __attribute__((target("avx512bw,avx512vnni")))

BB5_AVX2 inline std::int32_t sum_of(__m256i lanes) {
  __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4E));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xB1));
  return _mm_cvtsi128_si32(sum);
}

BB5_AVX2 inline __m256i wide_16(const std::int8_t* codes) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes)));
}

BB5_AVX2 inline __m256i products_16(const std::int8_t* codes, const std::int16_t* query) {
  return _mm256_madd_epi16(wide_16(codes),
                           _mm256_loadu_si256(reinterpret_cast<const __m256i*>(query)));
}

BB5_AVX2 inline std::int32_t row_avx2(const std::int8_t* codes, std::size_t width,
                                      const std::int16_t* query) {
  __m256i even = _mm256_setzero_si256();
  __m256i odd = even;
  for (std::size_t i = 0; i < width; i += 32) {
    even = _mm256_add_epi32(even, products_16(codes + i, query + i));
    odd = _mm256_add_epi32(odd, products_16(codes + i + 16, query + i + 16));
  }
  return sum_of(_mm256_add_epi32(even, odd));
}

BB5_AVX2 std::int32_t pair_avx2(const std::int8_t* a, const std::int8_t* b, std::size_t width) {
  __m256i even = _mm256_setzero_si256();
  __m256i odd = even;
  for (std::size_t i = 0; i < width; i += 32) {
    even = _mm256_add_epi32(even, _mm256_madd_epi16(wide_16(a + i), wide_16(b + i)));
    odd = _mm256_add_epi32(odd, _mm256_madd_epi16(wide_16(a + i + 16), wide_16(b + i + 16)));
  }
  return sum_of(_mm256_add_epi32(even, odd));
}
BB5_KERNELS(avx2, BB5_AVX2)

BB5_AVX512BW inline __m512i wide_32(const std::int8_t* codes) {
  return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes)));
}

BB5_AVX512BW inline __m512i products_32(const std::int8_t* codes, const std::int16_t* query) {
  return _mm512_madd_epi16(wide_32(codes), _mm512_loadu_si512(query));
}

BB5_AVX512BW inline std::int32_t row_avx512bw(const std::int8_t* codes, std::size_t width,
                                              const std::int16_t* query) {
  __m512i even = _mm512_setzero_si512();
  __m512i odd = even;
  std::size_t i = 0;
  for (; i + 64 <= width; i += 64) {
    even = _mm512_add_epi32(even, products_32(codes + i, query + i));
    odd = _mm512_add_epi32(odd, products_32(codes + i + 32, query + i + 32));
  }
  if (i < width) even = _mm512_add_epi32(even, products_32(codes + i, query + i));
  return _mm512_reduce_add_epi32(_mm512_add_epi32(even, odd));
}

BB5_AVX512BW std::int32_t pair_avx512bw(const std::int8_t* a, const std::int8_t* b,
                                        std::size_t width) {
  __m512i even = _mm512_setzero_si512();
  __m512i odd = even;
  std::size_t i = 0;
  for (; i + 64 <= width; i += 64) {
    even = _mm512_add_epi32(even, _mm512_madd_epi16(wide_32(a + i), wide_32(b + i)));
    odd = _mm512_add_epi32(odd, _mm512_madd_epi16(wide_32(a + i + 32), wide_32(b + i + 32)));
  }
  if (i < width) even = _mm512_add_epi32(even, _mm512_madd_epi16(wide_32(a + i), wide_32(b + i)));
  return _mm512_reduce_add_epi32(_mm512_add_epi32(even, odd));
}
BB5_KERNELS(avx512bw, BB5_AVX512BW)

// The query stays at 16 bits here too: dpwssd multiplies and adds in one go, and the integers are
// those of the other kernels.
BB5_AVX512VNNI inline std::int32_t row_avx512vnni(const std::int8_t* codes, std::size_t width,
                                                  const std::int16_t* query) {
  __m512i even = _mm512_setzero_si512();
  __m512i odd = even;
  std::size_t i = 0;
  for (; i + 64 <= width; i += 64) {
    even = _mm512_dpwssd_epi32(even, wide_32(codes + i), _mm512_loadu_si512(query + i));
    odd = _mm512_dpwssd_epi32(odd, wide_32(codes + i + 32), _mm512_loadu_si512(query + i + 32));
  }
  if (i < width)
    even = _mm512_dpwssd_epi32(even, wide_32(codes + i), _mm512_loadu_si512(query + i));
  return _mm512_reduce_add_epi32(_mm512_add_epi32(even, odd));
}

BB5_AVX512VNNI std::int32_t pair_avx512vnni(const std::int8_t* a, const std::int8_t* b,
                                            std::size_t width) {
  __m512i even = _mm512_setzero_si512();
  __m512i odd = even;
  std::size_t i = 0;
  for (; i + 64 <= width; i += 64) {
    even = _mm512_dpwssd_epi32(even, wide_32(a + i), wide_32(b + i));
    odd = _mm512_dpwssd_epi32(odd, wide_32(a + i + 32), wide_32(b + i + 32));
  }
  if (i < width) even = _mm512_dpwssd_epi32(even, wide_32(a + i), wide_32(b + i));
  return _mm512_reduce_add_epi32(_mm512_add_epi32(even, odd));
}
BB5_KERNELS(avx512vnni, BB5_AVX512VNNI)

#elif defined(__aarch64__)

inline std::int32_t row_neon(const std::int8_t* codes, std::size_t width,
                             const std::int16_t* query) {
  int32x4_t even = vdupq_n_s32(0);
  int32x4_t odd = even;
  for (std::size_t i = 0; i < width; i += 16) {
    const int8x16_t row = vld1q_s8(codes + i);
    const int16x8_t low = vmovl_s8(vget_low_s8(row));
    const int16x8_t high = vmovl_high_s8(row);
    const int16x8_t first = vld1q_s16(query + i);
    const int16x8_t second = vld1q_s16(query + i + 8);
    even = vmlal_s16(even, vget_low_s16(low), vget_low_s16(first));
    odd = vmlal_high_s16(odd, low, first);
    even = vmlal_s16(even, vget_low_s16(high), vget_low_s16(second));
    odd = vmlal_high_s16(odd, high, second);
  }
  return vaddvq_s32(vaddq_s32(even, odd));
}

std::int32_t pair_neon(const std::int8_t* a, const std::int8_t* b, std::size_t width) {
  int32x4_t even = vdupq_n_s32(0);
  int32x4_t odd = even;
  for (std::size_t i = 0; i < width; i += 16) {
    const int8x16_t x = vld1q_s8(a + i);
    const int8x16_t y = vld1q_s8(b + i);
    even = vpadalq_s16(even, vmull_s8(vget_low_s8(x), vget_low_s8(y)));
    odd = vpadalq_s16(odd, vmull_high_s8(x, y));
  }
  return vaddvq_s32(vaddq_s32(even, odd));
}
BB5_KERNELS(neon, )

#endif

struct KernelList {
  std::array<NamedKernel, 4> kernels{};
  std::size_t count = 0;
  void add(const NamedKernel& kernel) { kernels[count++] = kernel; }
};

#define BB5_NAMED(NAME)                           \
  NamedKernel {                                   \
#NAME, dot_##NAME, gather_##NAME, pair_##NAME \
  }

KernelList find_kernels() {
  KernelList list;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vnni"))
    list.add(BB5_NAMED(avx512vnni));
  if (__builtin_cpu_supports("avx512bw")) list.add(BB5_NAMED(avx512bw));
  if (__builtin_cpu_supports("avx2")) list.add(BB5_NAMED(avx2));
#elif defined(__aarch64__)
  list.add(BB5_NAMED(neon));  // part of the architecture
#endif
  list.add(BB5_NAMED(plain));
  return list;
}

}  // namespace

std::span<const NamedKernel> available_kernels() {
  static const KernelList list = find_kernels();
  return {list.kernels.data(), list.count};
}

}  // namespace bb5::embedded
