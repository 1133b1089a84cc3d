// TLS over the stack that injects faults: OpenSSL by itself at the other end, and the contexts of both.
#pragma once

#include <openssl/ssl.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "certificates.hpp"
#include "faulty.hpp"
#include "gtest/gtest.h"
#include "raw_tls.hpp"
#include "usocket/tls.hpp"

namespace usocket::tests {

// What each side says, without an end; lines of different lengths.
inline char pattern(bool is_peers, std::size_t at) {
    const std::size_t mixed = (at + (is_peers ? 77 : 0)) * 2654435761U >> 7;
    return mixed % 23 == 0 ? '\n' : static_cast<char>('a' + mixed % 26);
}
inline std::string pattern(bool is_peers, std::size_t at, std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[i] = pattern(is_peers, at + i);
    return text;
}

// The other end: OpenSSL over memory, which is moved when it is told to.
class MemoryPeer {
public:
    MemoryPeer(SSL_CTX* ctx, faulty::Peer peer, bool is_server) : peer_(std::move(peer)), ssl_(SSL_new(ctx)) {
        SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        if (is_server) {
            SSL_set_accept_state(ssl_);
        } else {
            SSL_set_connect_state(ssl_);
        }
    }
    MemoryPeer(const MemoryPeer&) = delete;
    MemoryPeer& operator=(const MemoryPeer&) = delete;
    ~MemoryPeer() { SSL_free(ssl_); }

    // Takes up to `most` bytes that have arrived, thinks, and lets up to `most` bytes go. False: nothing has changed.
    bool move(std::size_t most) {
        const std::string in = peer_.take(most);
        if (!in.empty()) BIO_write(SSL_get_rbio(ssl_), in.data(), static_cast<int>(in.size()));
        const bool is_fresh = SSL_is_init_finished(ssl_) == 0;
        if (is_fresh) (void)SSL_do_handshake(ssl_);
        if (SSL_is_init_finished(ssl_) == 1) take_plaintext();
        std::string out(std::min(most, BIO_ctrl_pending(SSL_get_wbio(ssl_))), '\0');
        if (!out.empty()) BIO_read(SSL_get_wbio(ssl_), out.data(), static_cast<int>(out.size()));
        if (!out.empty()) peer_.feed(out);
        return !in.empty() || !out.empty() || (is_fresh && SSL_is_init_finished(ssl_) == 1);
    }
    [[nodiscard]] const SSL* ssl() const { return ssl_; }
    [[nodiscard]] bool is_ready() const { return SSL_is_init_finished(ssl_) == 1; }
    void say(std::size_t size) {
        const std::string text = pattern(true, said_, size);
        if (SSL_write(ssl_, text.data(), static_cast<int>(size)) > 0) said_ += size;
    }
    // What is to be answered: new keys of TLS 1.3, or a server's wish to negotiate anew.
    void ask() {
        if (SSL_version(ssl_) == TLS1_3_VERSION) {
            (void)SSL_key_update(ssl_, SSL_KEY_UPDATE_REQUESTED);
        } else {
            (void)SSL_renegotiate(ssl_);
        }
        (void)SSL_do_handshake(ssl_);
    }
    void speak_only(int version) { SSL_set_max_proto_version(ssl_, version); }
    void say_end() { (void)SSL_shutdown(ssl_); }

    [[nodiscard]] std::size_t said() const { return said_; }
    [[nodiscard]] const std::string& heard() const { return heard_; }
    [[nodiscard]] bool has_heard_end() const { return (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0; }
    faulty::Peer& wire() { return peer_; }

private:
    void take_plaintext() {
        char room[4096];
        for (int got = 1; got > 0;) {
            got = SSL_read(ssl_, room, sizeof room);
            if (got > 0) heard_.append(room, static_cast<std::size_t>(got));
        }
    }

    faulty::Peer peer_;
    SSL* ssl_;
    std::size_t said_ = 0;
    std::string heard_;
};

// Made once: keys take longer than all the rest.
struct Contexts {
    Contexts() {
        const Identity identity = trusted_issuer().issue();
        auto made_client = TlsContext::make();
        auto made_server = TlsContext::make();
        client.emplace(std::move(*made_client));
        server.emplace(std::move(*made_server));
        EXPECT_TRUE(client->load_verify_locations(std::string_view(trusted_issuer().certificate())));
        EXPECT_TRUE(server->set_cert_key(std::string_view(identity.certificate), std::string_view(identity.key)));
        raw = SSL_CTX_new(TLS_method());
        use_identity(raw, identity);
    }
    Contexts(const Contexts&) = delete;
    Contexts& operator=(const Contexts&) = delete;
    ~Contexts() { SSL_CTX_free(raw); }

    std::optional<TlsContext> client, server;
    SSL_CTX* raw = nullptr;
};
inline Contexts& contexts() {
    static Contexts made;
    return made;
}

}  // namespace usocket::tests
