// Contexts for TLS, and connected sockets with TLS on both.
#pragma once

#include <functional>
#include <string>

#include "background.hpp"
#include "certificates.hpp"
#include "loopback.hpp"
#include "usocket/tls.hpp"

namespace usocket::tests {

inline TlsContext server_context(const Identity& identity = trusted_issuer().issue()) {
    TlsContext context = must(TlsContext::make());
    must(context.set_cert_key(std::string_view(identity.certificate), std::string_view(identity.key)));
    return context;
}

// One that trusts the tests' issuer.
inline TlsContext client_context() {
    TlsContext context = must(TlsContext::make());
    must(context.load_verify_locations(std::string_view(trusted_issuer().certificate())));
    return context;
}

struct Outcomes {
    Error client, server;
};

// Both ends of the pair: `here` is the client.
inline Outcomes handshake(Pair& pair, TlsContext& client, TlsContext& server,
                          const TlsOptions& options = {.server_hostname = "localhost"}) {
    Outcomes outcomes;
    Background other([&] { outcomes.server = pair.there.wrap(server, {.server_side = true}).error(); });
    outcomes.client = pair.here.wrap(client, options).error();
    // A client's certificate is looked at after the client is through.
    other.join();
    return outcomes;
}

inline Pair secure_pair() {
    static TlsContext client = client_context();
    static TlsContext server = server_context();
    Pair pair = tcp_pair();
    const Outcomes outcomes = handshake(pair, client, server);
    must(Result<void>(outcomes.client));
    must(Result<void>(outcomes.server));
    return pair;
}

inline std::string text(const Result<Bytes>& bytes) { return bytes ? std::string(bytes->view()) : "error"; }

}  // namespace usocket::tests
