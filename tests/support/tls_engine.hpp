// What the engine under the tests of TLS can do: the one list by which they differ.
#pragma once

#if defined(USOCKET_TESTS_MBEDTLS)
#include <mbedtls/version.h>
#endif

namespace usocket::tests {

#if defined(USOCKET_TESTS_MBEDTLS) && MBEDTLS_VERSION_MAJOR < 3
inline constexpr const char* newest_version = "TLSv1.2";
inline constexpr bool client_ends_the_handshake = false;
#else
inline constexpr const char* newest_version = "TLSv1.3";
inline constexpr bool client_ends_the_handshake = true;
#endif

// OpenSSL ends nothing in the middle of a ticket. mbedTLS 3.6 does, and 2.28 takes no message in several records.
#if defined(USOCKET_TESTS_MBEDTLS)
inline constexpr bool waits_for_tickets = false;
#else
inline constexpr bool waits_for_tickets = true;
#endif

// KeyUpdate of TLS 1.3. Certificates that do not fit one record, and those of Ed25519. A stray ChangeCipherSpec of TLS
// 1.3 and all warnings are passed over.
#if defined(USOCKET_TESTS_MBEDTLS)
inline constexpr bool takes_new_keys = false;
inline constexpr bool shows_long_chains = false;
inline constexpr bool knows_ed25519 = false;
inline constexpr bool passes_over_more = true;
#else
inline constexpr bool takes_new_keys = true;
inline constexpr bool shows_long_chains = true;
inline constexpr bool knows_ed25519 = true;
inline constexpr bool passes_over_more = false;
#endif

// Those of TLS 1.3 do not, over mbedTLS 3.6.
#if defined(USOCKET_TESTS_MBEDTLS) && MBEDTLS_VERSION_MAJOR >= 3
inline constexpr bool sessions_hold_certificates = false;
#else
inline constexpr bool sessions_hold_certificates = true;
#endif

}  // namespace usocket::tests
