// The engine `mbedtls`: random numbers. One generator for all contexts and connections: each of its own would take 400
// bytes and a seed.
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>

#include <cerrno>

#include "sys/sys.hpp"
#include "tls/mbedtls/common.hpp"

namespace usocket::tls::mbedtls::random {
namespace {

constinit Lock lock;
mbedtls_ctr_drbg_context generator;
std::uint32_t seeded_by = 0;  // 1 + the process generation: a child of fork has no use for its parent's

// The source of entropy is needed for the moment only.
int gather(void* /*unused*/, unsigned char* into, std::size_t size) noexcept {
    mbedtls_entropy_context entropy;
    mbedtls_entropy_init(&entropy);
    const int code = mbedtls_entropy_func(&entropy, into, size);
    mbedtls_entropy_free(&entropy);
    return code;
}

}  // namespace

int get(void* /*unused*/, unsigned char* into, std::size_t size) noexcept {
    const Locked locked(lock);
    const std::uint32_t mine = 1 + sys::process_generation();
    if (seeded_by != mine) {
        mbedtls_ctr_drbg_init(&generator);
        const int code = mbedtls_ctr_drbg_seed(&generator, gather, nullptr, nullptr, 0);
        if (code != 0) return code;
        seeded_by = mine;
    }
    return mbedtls_ctr_drbg_random(&generator, into, size);
}

Error prepare() noexcept {
    unsigned char one = 0;
    if (get(nullptr, &one, 1) == 0) return Error();
    return Error(has_memory() ? EIO : ENOMEM);
}

}  // namespace usocket::tls::mbedtls::random
