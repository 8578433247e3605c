#if defined(__x86_64__)

#include "embedders/local/kernels_body.hpp"

namespace bb5::local {

extern const Kernels kernels_avx2;
const Kernels kernels_avx2 = KernelsOf<8, 6>::named("avx2");

}  // namespace bb5::local

#endif
