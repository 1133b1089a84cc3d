// TLS-3 TLS-4: memory that is there in small pieces only, and memory that runs out: ENOMEM, and not the peer's or a
// certificate's fault.
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "secure.hpp"
#include "usocket/usocket.h"

// An allocator of one's own is too early for ThreadSanitizer.
#if defined(USOCKET_TESTS_MBEDTLS) && defined(__GLIBC__) && !defined(__SANITIZE_THREAD__)
#define OWN_CALLOC
#endif

#if defined(USOCKET_TESTS_MBEDTLS)
#include "tls/mbedtls/common.hpp"
#endif

#if defined(USOCKET_TESTS_OPENSSL)
#include <openssl/err.h>
#include <openssl/evp.h>

#include <climits>

#include "tls/openssl/common.hpp"
#endif

namespace usocket::tests {
namespace {

// What the core itself gets in one piece, at most.
constinit std::atomic<std::size_t> largest_piece{SIZE_MAX};

void* in_pieces(void* memory, std::size_t size) {
    if (size > largest_piece) return nullptr;
    if (size != 0) return std::realloc(memory, size);
    std::free(memory);
    return nullptr;
}

std::string read_all(Socket& from, std::size_t size) {
    std::string all(size, '\0');
    std::size_t begin = 0;
    for (std::size_t got = 1; got != 0 && begin != size; begin += got) {
        got = must(from.recv_into(MutableBuffer(all.data() + begin, size - begin)));
    }
    all.resize(begin);
    return all;
}

// A collector's heap that has much free may have no 16 KiB of it together.
TEST(TlsMemory, TLS_3_small_pieces_will_do) {
    std::string much(300'000, 'm');
    for (std::size_t i = 0; i < much.size(); i += 7) much[i] = static_cast<char>(i);
    usocket_set_resize(in_pieces);
    largest_piece = 2000;
    {
        Pair pair = secure_pair();
        Background echo([&] { must(pair.there.sendall(std::string_view(read_all(pair.there, much.size())))); });
        must(pair.here.sendall(std::string_view(much)));
        EXPECT_TRUE(read_all(pair.here, much.size()) == much);
    }
    largest_piece = SIZE_MAX;
}

// The library's memory: how many more allocations of this thread succeed before one fails. Counted down, below 0 as
// well.
[[maybe_unused]] constinit thread_local long allocations_left = -1;

#if defined(USOCKET_TESTS_OPENSSL)

// And how many more bytes it may have at once, as if all the rest of the machine's memory were in use.
constinit thread_local long bytes_left = LONG_MAX / 2;

// Each block begins with its size.
constexpr std::size_t header = alignof(std::max_align_t);

std::size_t size_of(const char* block) {
    std::size_t size = 0;
    std::memcpy(&size, block, sizeof size);
    return size;
}

void* resize(void* memory, std::size_t size) {
    char* old = memory != nullptr ? static_cast<char*>(memory) - header : nullptr;
    const std::size_t old_size = old != nullptr ? size_of(old) : 0;
    if (size != 0) {
        if (allocations_left-- == 0) return nullptr;
        if (static_cast<long>(size) > bytes_left) return nullptr;  // a block that grows is moved
    }
    bytes_left += static_cast<long>(old_size) - static_cast<long>(size);
    if (size == 0) {
        std::free(old);
        return nullptr;
    }
    char* block = static_cast<char*>(std::realloc(old, header + size));
    std::memcpy(block, &size, sizeof size);
    return block + header;
}

// Before OpenSSL has any.
const int counts_allocations =
    CRYPTO_set_mem_functions([](std::size_t size, const char*, int) { return resize(nullptr, size); },
                             [](void* memory, std::size_t size, const char*, int) { return resize(memory, size); },
                             [](void* memory, const char*, int) { (void)resize(memory, 0); });

// As OpenSSL does: deep inside there is no memory, and each layer above says what has failed for it.
void run_out_of_memory() {
    ERR_clear_error();
    ERR_raise(ERR_LIB_SSL, ERR_R_EVP_LIB);
    ERR_raise(ERR_LIB_EVP, ERR_R_MALLOC_FAILURE);
    ERR_raise(ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED);
}

TEST(TlsMemory, TLS_4_in_the_middle_of_a_call) {
    SSL_CTX* context = SSL_CTX_new(TLS_method());
    SSL* ssl = SSL_new(context);
    const tls::openssl::Circumstances around{.is_tls = true};
    run_out_of_memory();
    EXPECT_EQ(tls::openssl::reason(ssl, around), Error(ENOMEM));
    EXPECT_EQ(ERR_peek_error(), 0u);
    EXPECT_EQ(tls::openssl::reason(ssl, around), Error(TlsFailure::failed));
    // It did not get on, and does not say why: neither the peer nor a certificate is to blame.
    ERR_raise(ERR_LIB_EVP, EVP_R_DECODE_ERROR);
    ERR_raise(ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED);
    EXPECT_EQ(tls::openssl::reason(ssl, around), Error(TlsFailure::library));
    ERR_raise(ERR_LIB_EVP, EVP_R_INITIALIZATION_ERROR);
    ERR_raise(ERR_LIB_SSL, ERR_R_INTERNAL_ERROR);
    EXPECT_EQ(tls::openssl::reason(ssl, around), Error(TlsFailure::library));
    EXPECT_EQ(Error(TlsFailure::library).code(), ENOMEM);
    SSL_set_verify_result(ssl, X509_V_ERR_OUT_OF_MEM);
    ERR_raise(ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED);
    EXPECT_EQ(tls::openssl::reason(ssl, around), Error(ENOMEM));
    SSL_free(ssl);
    SSL_CTX_free(context);
}

TEST(TlsMemory, TLS_4_in_a_context) {
    run_out_of_memory();
    EXPECT_EQ(tls::openssl::memory_or(TlsFailure::bad_key), Error(ENOMEM));
    EXPECT_EQ(ERR_peek_error(), 0u);
    EXPECT_EQ(tls::openssl::memory_or(TlsFailure::bad_key), Error(TlsFailure::bad_key));
    ERR_raise(ERR_LIB_EVP, EVP_R_DECODE_ERROR);
    ERR_raise(ERR_LIB_SSL, SSL_R_EE_KEY_TOO_SMALL);
    EXPECT_EQ(tls::openssl::memory_or(TlsFailure::key_mismatch), Error(TlsFailure::library));
}

// OpenSSL 3.0 goes on with the check of a certificate where it could not take over whom it has to be for.
void expect_refusals(std::string_view name) {
    constexpr long many = 1'000'000;
    TlsContext client = client_context();
    TlsContext server = server_context();
    long all = 0;  // how many it takes
    const auto refusal = [&](long fails_at) {
        Pair pair = tcp_pair();
        Background other([&] { (void)pair.there.wrap(server, {.server_side = true}); });
        allocations_left = fails_at;
        const Error error = pair.here.wrap(client, {.server_hostname = name}).error();
        all = fails_at - std::exchange(allocations_left, -1);
        (void)pair.here.close();
        return error;
    };
    ASSERT_EQ(refusal(many), Error(TlsFailure::certificate_name));
    ASSERT_EQ(refusal(many), Error(TlsFailure::certificate_name));
    const long last = all;
    constexpr long checked = 300;  // of them, which are those of the check
    ASSERT_GT(last, checked);
    for (long n = last - checked; n < last; ++n) EXPECT_NE(refusal(n), Error()) << "of " << last << ", after " << n;
}

TEST(TlsMemory, TLS_4_a_wrong_name_is_never_taken_for_lack_of_memory) {
    ASSERT_EQ(counts_allocations, 1);
    expect_refusals("elsewhere.example");
    expect_refusals("127.0.0.9");
}

// The error of a call for which so much memory is left; what is left out then is there again.
template <class Call> Error with_bytes_left(long left, Call call) {
    const long before = std::exchange(bytes_left, left);
    const Error error = call().error();
    bytes_left = before;
    return error;
}

// libssl gives a connection up once it finds no memory in the middle of a record.
TEST(TlsMemory, TIME_6_a_call_that_lacks_memory_ends_no_connection) {
    ASSERT_EQ(counts_allocations, 1);
    long lacking = 0;
    long enough = 0;
    for (long left = 0; left <= 80'000; left += 800) {
        Pair pair = secure_pair();
        // Once with so much memory, and if that fails, with all of it.
        const auto make = [&](const char* what, auto call) {
            const Error error = with_bytes_left(left, call);
            EXPECT_TRUE(error == Error() || error == Error(ENOMEM)) << what << ", " << left << ": " << error.message();
            ++(error == Error() ? enough : lacking);
            if (error != Error()) must(call());
        };
        make("send", [&] { return pair.here.send(std::string_view("hello")); });
        EXPECT_EQ(read_all(pair.there, 5), "hello");
        // Before what it says, the server has sent tickets.
        must(pair.there.sendall(std::string_view("world")));
        char got[5] = {};
        make("read", [&] { return pair.here.readinto(MutableBuffer(got, sizeof got)); });
        EXPECT_EQ(std::string(got, sizeof got), "world");
        make("shutdown", [&] { return pair.here.shutdown(SHUT_WR); });
        EXPECT_EQ(read_all(pair.there, 1), "");
    }
    EXPECT_GT(lacking, 0);
    EXPECT_GT(enough, 0);
}

#endif

#if defined(OWN_CALLOC)

constinit thread_local bool fails_ever_since = false;

bool may_allocate() {
    if (allocations_left == 0 && fails_ever_since) return false;
    return allocations_left-- != 0;
}

// The client's error of a handshake in which there is nothing wrong but that so many of its allocations succeed, and
// then one fails, or each; and how many it had.
struct Lacking {
    Error error;
    long made = 0;
};

Lacking lacking_handshake(TlsContext& client, TlsContext& server, long fails_at, bool fails_for_good) {
    Pair pair = tcp_pair();
    Background other([&] { (void)pair.there.wrap(server, {.server_side = true}); });
    Lacking found;
    fails_ever_since = fails_for_good;
    allocations_left = fails_at;
    found.error = pair.here.wrap(client, {.server_hostname = "localhost"}).error();
    found.made = fails_at - std::exchange(allocations_left, -1);
    fails_ever_since = false;
    (void)pair.here.close();
    return found;
}

// The library takes a signature that it could not check for a wrong one, and more of the kind. There are ten thousands
// of allocations, most of them alike.
TEST(TlsMemory, TLS_4_memory_that_runs_out_is_not_the_peers_fault) {
    constexpr long many = 1'000'000;
    TlsContext client = client_context();
    TlsContext server = server_context();
    ASSERT_EQ(lacking_handshake(client, server, many, false).error, Error());
    const long last = lacking_handshake(client, server, many, false).made;
    ASSERT_GT(last, 1000);
    for (long n = 0; n < last - last / 20; n += last / 397) {
        const Error once = lacking_handshake(client, server, n, false).error;
        EXPECT_NE(once.code(), EACCES) << "of " << last << ", after " << n << ": " << once.message();
        const Error ever = lacking_handshake(client, server, n, true).error;
        EXPECT_EQ(ever.code(), ENOMEM) << "of " << last << ", after " << n << ": " << ever.message();
    }
}

int parse(mbedtls_x509_crt& into, const std::string& text) {
    mbedtls_x509_crt_init(&into);
    return mbedtls_x509_crt_parse(&into, reinterpret_cast<const unsigned char*>(text.c_str()), text.size() + 1);
}

// The same for the check of a certificate alone.
TEST(TlsMemory, TLS_4_an_issuer_that_cannot_be_checked_is_not_a_wrong_one) {
    namespace engine = tls::mbedtls;
    mbedtls_x509_crt one;
    mbedtls_x509_crt issuers;
    ASSERT_EQ(parse(one, trusted_issuer().issue().certificate), 0);
    ASSERT_EQ(parse(issuers, trusted_issuer().certificate()), 0);
    const auto check = [&](long fails_at, bool fails_for_good) {
        engine::Verdict verdict{.name = "localhost", .trusted = &issuers, .is_servers = true};
        std::uint32_t flags = 0;
        fails_ever_since = fails_for_good;
        allocations_left = fails_at;
        const int code = mbedtls_x509_crt_verify_with_profile(&one, &issuers, nullptr, &engine::strong, nullptr, &flags,
                                                              engine::Verdict::look_at, &verdict);
        fails_ever_since = false;
        return code;
    };
    constexpr long many = 1'000'000;
    ASSERT_EQ(check(many, false), 0);
    const long last = many - std::exchange(allocations_left, -1);
    ASSERT_GT(last, 1000);
    for (long n = 0; n < last - last / 20; n += last / 397) {
        const int once = check(n, false);
        EXPECT_TRUE(once == 0 || engine::is_out_of_memory(once)) << "of " << last << ", after " << n << ": " << once;
        const int ever = check(n, true);
        EXPECT_TRUE(engine::is_out_of_memory(ever)) << "of " << last << ", after " << n << ": " << ever;
    }
    allocations_left = -1;
    mbedtls_x509_crt_free(&one);
    mbedtls_x509_crt_free(&issuers);
}

#endif

}  // namespace
}  // namespace usocket::tests

#if defined(OWN_CALLOC)
// The library's allocator, among others'.
extern "C" void* calloc(std::size_t count, std::size_t size) noexcept {
    std::size_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes) || !usocket::tests::may_allocate()) return nullptr;
    void* memory = std::malloc(bytes);
    if (memory != nullptr) std::memset(memory, 0, bytes);
    return memory;
}
#endif
