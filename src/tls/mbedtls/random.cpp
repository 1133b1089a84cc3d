// The engine `mbedtls`: random numbers. One generator for all contexts and connections: each of its own would take 400
// bytes. It is seeded anew for each.
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

#if !defined(USOCKET_SMALL)
// A fork takes both first: the library's own locks, as a key's, which a step of a handshake had, nobody frees in a
// child.
void before_fork() noexcept {
    handshakes.lock();
    lock.lock();
}
void after_fork() noexcept {
    lock.unlock();
    handshakes.unlock();
}
[[maybe_unused]] const bool knows_forks = (sys::on_fork(2, before_fork, after_fork), true);
#endif

// The source of entropy is needed for the moment only.
int gather(void* /*unused*/, unsigned char* into, std::size_t size) noexcept {
    mbedtls_entropy_context entropy;
    mbedtls_entropy_init(&entropy);
    const int code = mbedtls_entropy_func(&entropy, into, size);
    mbedtls_entropy_free(&entropy);
    return code;
}

// With the lock.
int seed() noexcept {
    mbedtls_ctr_drbg_free(&generator);
    mbedtls_ctr_drbg_init(&generator);
    const int code = mbedtls_ctr_drbg_seed(&generator, gather, nullptr, nullptr, 0);
    seeded_by = code == 0 ? 1 + sys::process_generation() : 0;
    return code;
}

}  // namespace

int get(void* /*unused*/, unsigned char* into, std::size_t size) noexcept {
    const Locked locked(lock);
    const bool is_seeded = seeded_by == 1 + sys::process_generation();
    if (const int code = is_seeded ? 0 : seed(); code != 0) return code;
    return mbedtls_ctr_drbg_random(&generator, into, size);
}

Error prepare() noexcept {
    const Locked locked(lock);
    if (seed() == 0) return Error();
    return Error(has_memory() ? EIO : ENOMEM);
}

}  // namespace usocket::tls::mbedtls::random
