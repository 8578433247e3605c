#if defined(__x86_64__)

#include "embedders/local/kernels_body.hpp"

namespace bb5::local {

extern const Kernels kernels_avx512;
const Kernels kernels_avx512 = KernelsOf<16, 12>::named("avx512");

}  // namespace bb5::local

#endif
