#include "embedders/local/kernels_body.hpp"

namespace bb5::local {

extern const Kernels kernels_plain;
const Kernels kernels_plain = KernelsOf<4, 6>::named("plain");

}  // namespace bb5::local
