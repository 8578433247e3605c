#include "embedders/local/kernels.hpp"

#include <array>

namespace bb5::local {

extern const Kernels kernels_plain;
#if defined(__x86_64__)
extern const Kernels kernels_avx2;
extern const Kernels kernels_avx512;
#endif

namespace {

struct KernelList {
  std::array<Kernels, 3> kernels{};
  std::size_t count = 0;
  void add(const Kernels& of) { kernels[count++] = of; }
};

KernelList find_kernels() {
  KernelList list;
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
  if (avx2 && __builtin_cpu_supports("avx512f") != 0) list.add(kernels_avx512);
  if (avx2) list.add(kernels_avx2);
#endif
  list.add(kernels_plain);
  return list;
}

}  // namespace

std::span<const Kernels> available_kernels() {
  static const KernelList list = find_kernels();
  return {list.kernels.data(), list.count};
}

}  // namespace bb5::local
