// TLS-4: which certificates end a handshake, and that the error says why.
#include <gtest/gtest.h>

#include "raw_tls.hpp"
#include "secure.hpp"
#include "tls_engine.hpp"

namespace usocket::tests {
namespace {

Error connect_to(const Identity& identity, std::string_view name) {
    Pair pair = tcp_pair();
    TlsContext client = client_context();
    TlsContext server = server_context(identity);
    return handshake(pair, client, server, {.server_hostname = name}).client;
}

Error connect_to(const CertificateSpec& spec, std::string_view name = "localhost") {
    return connect_to(trusted_issuer().issue(spec), name);
}

Error refusal(TlsFailure failure) { return Error(failure); }
TEST(TlsCertificates, RightName) { EXPECT_EQ(connect_to(CertificateSpec{}), Error()); }

TEST(TlsCertificates, WrongName) {
    EXPECT_EQ(connect_to(CertificateSpec{}, "elsewhere.example"), refusal(TlsFailure::certificate_name));
}

TEST(TlsCertificates, NoNameAtAll) {
    EXPECT_EQ(connect_to({.names = "email:somebody@example.org"}), refusal(TlsFailure::certificate_name));
}

// RFC 9525: the subject's common name, which is "localhost" here, is no host name.
TEST(TlsCertificates, TLS_4_a_common_name_is_none) {
    EXPECT_EQ(connect_to({.names = "email:somebody@example.org"}, "localhost"), refusal(TlsFailure::certificate_name));
}

TEST(TlsCertificates, TLS_7_a_name_with_the_dot_of_the_root) {
    EXPECT_EQ(connect_to(CertificateSpec{}, "localhost."), Error());
}

TEST(TlsCertificates, Wildcard) {
    const CertificateSpec spec{.names = "DNS:*.example.org"};
    EXPECT_EQ(connect_to(spec, "www.example.org"), Error());
    EXPECT_EQ(connect_to(spec, "example.org"), refusal(TlsFailure::certificate_name));
    EXPECT_EQ(connect_to(spec, "*.example.org"), Error());
    EXPECT_EQ(connect_to(spec, "a.b.example.org"), refusal(TlsFailure::certificate_name));
    EXPECT_EQ(connect_to({.names = "DNS:w*.example.org"}, "www.example.org"), refusal(TlsFailure::certificate_name));
}

// An underscore is in no host name, though in many names: it stands for itself alone.
TEST(TlsCertificates, TLS_4_underscores) {
    EXPECT_EQ(connect_to({.names = "DNS:my_host.example.org"}, "my_host.example.org"), Error());
    EXPECT_EQ(connect_to({.names = "DNS:*.example.org"}, "my_host.example.org"), refusal(TlsFailure::certificate_name));
    EXPECT_EQ(connect_to({.names = "DNS:*.my_zone.example"}, "www.my_zone.example"),
              refusal(TlsFailure::certificate_name));
}

TEST(TlsCertificates, TLS_4_what_is_no_name_at_all) {
    TlsContext client = client_context();
    Pair pair = tcp_pair();
    for (const char* name : {" localhost", "localhost ", "local host", "localhost\n", "loc\x7flhost", " 127.0.0.1",
                             "b\xc3\xbc"
                             "cher.example",
                             ".", ".localhost"}) {
        EXPECT_EQ(pair.here.wrap(client, {.server_hostname = name}).error(), refusal(TlsFailure::bad_hostname)) << name;
    }
}

TEST(TlsCertificates, TLS_4_dots_at_the_end_and_numbers_of_other_forms) {
    const CertificateSpec spec{.names = "DNS:localhost, IP:127.0.0.1"};
    EXPECT_EQ(connect_to(spec, "127.0.0.1."), Error());
    for (const char* name : {"localhost..", "+127.0.0.1", "127.1", "127.0.0.01", "127.0.0.1..", "4294967423.0.0.1",
                             "2130706433", "0x7f.0.0.1"}) {
        EXPECT_EQ(connect_to(spec, name), refusal(TlsFailure::certificate_name)) << name;
    }
}

TEST(TlsCertificates, Address) {
    const CertificateSpec spec{.names = "IP:127.0.0.1, IP:::1"};
    EXPECT_EQ(connect_to(spec, "127.0.0.1"), Error());
    EXPECT_EQ(connect_to(spec, "::1"), Error());
    EXPECT_EQ(connect_to(spec, "127.0.0.2"), refusal(TlsFailure::certificate_name));
    EXPECT_EQ(connect_to({.names = "DNS:127.0.0.1"}, "127.0.0.1"), refusal(TlsFailure::certificate_name));
}

TEST(TlsCertificates, Expired) {
    EXPECT_EQ(connect_to({.valid_from = -7200, .valid_until = -3600}), refusal(TlsFailure::certificate_expired));
}

TEST(TlsCertificates, NotYetValid) {
    EXPECT_EQ(connect_to({.valid_from = 3600, .valid_until = 7200}), refusal(TlsFailure::certificate_not_yet_valid));
}

TEST(TlsCertificates, SelfSigned) {
    EXPECT_EQ(connect_to({.is_self_signed = true}), refusal(TlsFailure::certificate_self_signed));
}

// A certificate that is trusted itself needs no issuer.
TEST(TlsCertificates, SelfSignedAndTrusted) {
    const Identity identity = trusted_issuer().issue({.is_self_signed = true});
    Pair pair = tcp_pair();
    TlsContext client = must(TlsContext::make());
    must(client.load_verify_locations(std::string_view(identity.certificate)));
    TlsContext server = server_context(identity);
    EXPECT_EQ(handshake(pair, client, server).client, Error());
}

TEST(TlsCertificates, UnknownIssuer) {
    const Identity identity = Issuer("somebody").issue();
    EXPECT_EQ(connect_to(identity, "localhost"), refusal(TlsFailure::certificate_issuer));
}

// It names a trusted issuer, and is signed by another of that name.
TEST(TlsCertificates, TLS_4_an_issuer_that_has_but_the_name) {
    const Identity identity = Issuer("the trusted issuer").issue();
    EXPECT_EQ(connect_to(identity, "localhost"), refusal(TlsFailure::certificate_issuer));
}

TEST(TlsCertificates, TLS_4_an_address_is_written_as_inet_pton_takes_it) {
    EXPECT_EQ(connect_to({.names = "IP:127.0.0.1"}, "127.000.000.001"), refusal(TlsFailure::certificate_name));
}

TEST(TlsCertificates, NotOfTheSystemsIssuers) {
    Pair pair = tcp_pair();
    TlsContext client = must(TlsContext::make());
    TlsContext server = server_context();
    EXPECT_EQ(handshake(pair, client, server).client, refusal(TlsFailure::certificate_issuer));
}

TEST(TlsCertificates, WrongPurpose) {
    EXPECT_EQ(connect_to({.purpose = "clientAuth"}), refusal(TlsFailure::certificate_purpose));
    EXPECT_EQ(connect_to({.purpose = "serverAuth"}), Error());
    EXPECT_EQ(connect_to({.purpose = "anyExtendedKeyUsage"}), refusal(TlsFailure::certificate_purpose));
}

// Of all that stand between the peer's certificate and the end of its chain, that included.
TEST(TlsCertificates, TLS_4_issuers_whose_purpose_is_another) {
    const auto connect = [](const std::string& purpose, bool trusts_it) {
        const Issuer between = trusted_issuer().between("between", purpose);
        Identity identity = between.issue();
        identity.certificate += between.certificate();
        Pair pair = tcp_pair();
        TlsContext client = must(TlsContext::make());
        must(client.load_verify_locations(std::string_view((trusts_it ? between : trusted_issuer()).certificate())));
        TlsContext server = server_context(identity);
        return handshake(pair, client, server).client;
    };
    for (const bool trusts_it : {false, true}) {
        EXPECT_EQ(connect("", trusts_it), Error());
        EXPECT_EQ(connect("clientAuth,serverAuth", trusts_it), Error());
        EXPECT_EQ(connect("clientAuth", trusts_it), refusal(TlsFailure::certificate_purpose));
        EXPECT_EQ(connect("emailProtection", trusts_it), refusal(TlsFailure::certificate_purpose));
    }
}

// The one who would show it is told at once.
TEST(TlsCertificates, WeakKeyOfOurOwn) {
    const Identity weak = trusted_issuer().issue({.rsa_bits = 1024});
    TlsContext context = must(TlsContext::make());
    const auto set = context.set_cert_key(std::string_view(weak.certificate), std::string_view(weak.key));
    EXPECT_EQ(set.error(), refusal(TlsFailure::certificate_weak));
}

TEST(TlsCertificates, NobodyIsAskedForOne) {
    Pair pair = tcp_pair();
    TlsContext client = must(TlsContext::make());
    must(client.set_cert_reqs(CertReqs::none));
    TlsContext server = server_context(Issuer("somebody").issue());
    EXPECT_EQ(handshake(pair, client, server, {}).client, Error());
}

TEST(TlsCertificates, AClientNeedsANameToCheck) {
    Pair pair = tcp_pair();
    TlsContext client = client_context();
    EXPECT_EQ(pair.here.wrap(client, {}).error(), refusal(TlsFailure::no_hostname));
    EXPECT_EQ(pair.here.wrap(client, {.server_hostname = std::string_view("a\0b", 3)}).error(),
              refusal(TlsFailure::bad_hostname));
}

TEST(TlsCertificates, ARefusalSaysWhichInWords) {
    const Error error = connect_to({.is_self_signed = true});
    EXPECT_EQ(error.code(), EACCES);
    EXPECT_NE(std::string(error.message()).find("self-signed"), std::string::npos);
}

TEST(TlsCertificates, TheServerLearnsThatItsCertificateWasRefused) {
    Pair pair = tcp_pair();
    TlsContext client = client_context();
    TlsContext server = server_context(Issuer("somebody").issue());
    EXPECT_EQ(handshake(pair, client, server).server, refusal(TlsFailure::refused_by_peer));
}

// --- Of clients (TLS-7)

TlsContext asking_server(CertReqs reqs) {
    TlsContext server = server_context();
    must(server.load_verify_locations(std::string_view(trusted_issuer().certificate())));
    must(server.set_cert_reqs(reqs));
    return server;
}

TlsContext client_with(const Identity& identity) {
    TlsContext client = client_context();
    must(client.set_cert_key(std::string_view(identity.certificate), std::string_view(identity.key)));
    return client;
}

TEST(TlsCertificates, ClientRequiredAndShown) {
    Pair pair = tcp_pair();
    TlsContext server = asking_server(CertReqs::required);
    TlsContext client = client_with(trusted_issuer().issue({.names = "DNS:client", .purpose = "clientAuth"}));
    EXPECT_EQ(handshake(pair, client, server).server, Error());
    EXPECT_NE(must(pair.there.getpeercert()).size(), 0u);
}

TEST(TlsCertificates, ClientRequiredAndMissing) {
    Pair pair = tcp_pair();
    TlsContext server = asking_server(CertReqs::required);
    TlsContext client = client_context();
    EXPECT_EQ(handshake(pair, client, server).server, refusal(TlsFailure::certificate_missing));
    EXPECT_EQ(pair.here.read().error(), refusal(TlsFailure::wanted_by_peer));
}

// Of whatever library the server is.
TEST(TlsCertificates, TLS_4_a_server_that_asks_for_one_in_vain_is_named_in_each_version) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        if (version == TLS1_3_VERSION && std::string_view(newest_version) != "TLSv1.3") continue;
        const Identity one = trusted_issuer().issue();
        Pair pair = tcp_pair();
        TlsContext client = client_context();
        Background server([&] {
            RawPeer peer(pair.there.fileno(), {true, version, &one});
            SSL_set_verify(peer.ssl(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
            EXPECT_NE(peer.shake_hands(), 1);
        });
        const Error error = pair.here.wrap(client, {.server_hostname = "localhost"}).error();
        EXPECT_EQ(error == Error() ? pair.here.read(1).error() : error, refusal(TlsFailure::wanted_by_peer)) << version;
    }
}

// Who it was is known in the next connection, too.
TEST(TlsCertificates, TLS_7_a_client_that_comes_again_is_known_to_its_server) {
    TlsContext server = asking_server(CertReqs::required);
    TlsContext client = client_with(trusted_issuer().issue({.purpose = "clientAuth"}));
    Bytes session;
    for (int i = 0; i < 2; ++i) {
        Pair pair = tcp_pair();
        const TlsOptions options{.server_hostname = "localhost", .session = session.view()};
        EXPECT_EQ(handshake(pair, client, server, options).server, Error());
        EXPECT_NE(must(pair.there.getpeercert()).size(), 0u);
        must(pair.there.write("x"));
        EXPECT_EQ(text(pair.here.read(1)), "x");
        session = must(pair.here.tls_session());
    }
}

TEST(TlsCertificates, ClientOptionalAndMissing) {
    Pair pair = tcp_pair();
    TlsContext server = asking_server(CertReqs::optional);
    TlsContext client = client_context();
    EXPECT_EQ(handshake(pair, client, server).server, Error());
    EXPECT_EQ(must(pair.there.getpeercert()).size(), 0u);
}

TEST(TlsCertificates, ClientOfAnUnknownIssuer) {
    Pair pair = tcp_pair();
    TlsContext server = asking_server(CertReqs::optional);
    TlsContext client = client_with(Issuer("somebody").issue());
    EXPECT_EQ(handshake(pair, client, server).server, refusal(TlsFailure::certificate_issuer));
    EXPECT_EQ(pair.here.read().error(), refusal(TlsFailure::refused_by_peer));
}

// With OpenSSL a client of TLS 1.3 says so in the clear.
TEST(TlsCertificates, TLS_4_a_client_of_another_library_refuses_the_server) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        if (version == TLS1_3_VERSION && std::string_view(newest_version) != "TLSv1.3") continue;
        Pair pair = tcp_pair();
        TlsContext server = server_context();
        Background client([&] {
            RawPeer peer(pair.here.fileno(), {false, version});
            SSL_set_verify(peer.ssl(), SSL_VERIFY_PEER, nullptr);
            EXPECT_NE(peer.shake_hands(), 1);
        });
        const Error error = pair.there.wrap(server, {.server_side = true}).error();
        EXPECT_EQ(error, refusal(TlsFailure::refused_by_peer)) << version << error.message();
    }
}

// --- Our own

// The one that was set last, though its key is of another kind.
TEST(TlsCertificates, TLS_1_set_cert_key_replaces) {
    const Identity first = Issuer("somebody").issue();
    const Identity second = trusted_issuer().issue({.rsa_bits = 2048});
    TlsContext server = server_context(first);
    must(server.set_cert_key(std::string_view(second.certificate), std::string_view(second.key)));
    TlsContext client = client_context();
    Pair pair = tcp_pair();
    EXPECT_EQ(handshake(pair, client, server).client, Error());
}

TEST(TlsCertificates, TLS_1_one_that_cannot_be_used_replaces_nothing) {
    const Identity one = trusted_issuer().issue();
    TlsContext server = server_context(one);
    EXPECT_EQ(server.set_cert_key("nonsense", std::string_view(one.key)).error(), refusal(TlsFailure::bad_certificate));
    EXPECT_EQ(server.set_cert_key(std::string_view(one.certificate), std::string_view(Issuer("x").issue().key)).error(),
              refusal(TlsFailure::key_mismatch));
    TlsContext client = client_context();
    Pair pair = tcp_pair();
    EXPECT_EQ(handshake(pair, client, server).client, Error());
}

// An engine that does not know a kind of key says what would be right.
TEST(TlsCertificates, TLS_1_Ed25519) {
    const Identity one = trusted_issuer().issue({.is_ed25519 = true});
    const Issuer issuer("of another kind", true);
    TlsContext context = must(TlsContext::make());
    const Error expected = knows_ed25519 ? Error() : refusal(TlsFailure::unknown_kind);
    EXPECT_EQ(context.set_cert_key(std::string_view(one.certificate), std::string_view(one.key)).error(), expected);
    EXPECT_EQ(context.load_verify_locations(std::string_view(issuer.certificate())).error(), expected);
    const Identity signed_so = issuer.issue();
    EXPECT_EQ(context.set_cert_key(std::string_view(signed_so.certificate), std::string_view(signed_so.key)).error(),
              expected);
}

// The other end shows one, or one that such an issuer has signed.
TEST(TlsCertificates, TLS_4_Ed25519_of_the_peer) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        if (version == TLS1_3_VERSION && std::string_view(newest_version) != "TLSv1.3") continue;
        const Identity one = trusted_issuer().issue({.is_ed25519 = true});
        const Identity other = Issuer("of another kind", true).issue();
        for (const Identity* shown : {&one, &other}) {
            Pair pair = tcp_pair();
            TlsContext client = client_context();
            Background server([&] { (void)raw_handshake(pair.there.fileno(), {true, version, shown}); });
            const Error error = pair.here.wrap(client, {.server_hostname = "localhost"}).error();
            if (shown == &one) {
                EXPECT_EQ(error, knows_ed25519 ? Error() : refusal(TlsFailure::nothing_in_common)) << version;
            } else if (knows_ed25519 || version == TLS1_2_VERSION) {
                EXPECT_EQ(error, refusal(TlsFailure::certificate_issuer)) << version;
            } else {
                EXPECT_EQ(error, refusal(TlsFailure::certificate_bad)) << version;
            }
        }
    }
}

// Of whatever size.
TEST(TlsCertificates, TLS_1_junk) {
    const Identity one = trusted_issuer().issue();
    const std::size_t size = 3'000'000;
    for (const std::string& junk :
         {std::string(size, 'x'), std::string(size, '\0'), std::string(size, '0'),
          "\x30\x83\x2d\xc6\xbb" + std::string(size - 5, '0'),
          "-----BEGIN CERTIFICATE-----\n" + std::string(size, 'A') + "\n-----END CERTIFICATE-----\n",
          "-----BEGIN CERTIFICATE-----\n" + std::string(size, 'A'),
          "-----BEGIN CERTIFICATE-----\n" + std::string(size, '\n') + "-----END CERTIFICATE-----\n"}) {
        TlsContext context = must(TlsContext::make());
        EXPECT_EQ(context.load_verify_locations(std::string_view(junk)).error(), refusal(TlsFailure::bad_certificate))
            << junk.substr(0, 40);
        EXPECT_EQ(context.set_cert_key(std::string_view(junk), std::string_view(one.key)).error(),
                  refusal(TlsFailure::bad_certificate))
            << junk.substr(0, 40);
        EXPECT_EQ(context.set_cert_key(std::string_view(one.certificate), std::string_view(junk)).error(),
                  refusal(TlsFailure::bad_key))
            << junk.substr(0, 40);
    }
}

// A number that was cast: what was demanded before still is.
TEST(TlsCertificates, TLS_1_a_demand_that_is_none_is_EINVAL) {
    const Identity one = Issuer("somebody").issue();
    TlsContext server = server_context(one), client = client_context();
    for (const int wrong : {3, 99, 255}) {
        EXPECT_EQ(client.set_cert_reqs(static_cast<CertReqs>(wrong)).error(), Error(EINVAL)) << wrong;
    }
    Pair pair = tcp_pair();
    EXPECT_EQ(handshake(pair, client, server).client, refusal(TlsFailure::certificate_issuer));
}

// The first of them counts.
TEST(TlsCertificates, TLS_1_a_file_with_several_keys) {
    const Identity one = trusted_issuer().issue(), other = trusted_issuer().issue();
    TlsContext context = must(TlsContext::make());
    const auto set_with = [&](const std::string& keys) {
        return context.set_cert_key(std::string_view(one.certificate), std::string_view(keys)).error();
    };
    EXPECT_EQ(set_with(one.key + other.key), Error());
    EXPECT_EQ(set_with(other.key + one.key), refusal(TlsFailure::key_mismatch));
}

// What begins in the middle of a line is none of it.
TEST(TlsCertificates, TLS_1_a_file_with_comments) {
    const Identity one = trusted_issuer().issue();
    for (const std::string comment : {"# what is between -----BEGIN CERTIFICATE----- and -----END CERTIFICATE-----\n",
                                      "Bag Attributes\n    localKeyID: 01\n", "\xef\xbb\xbf"}) {
        TlsContext context = must(TlsContext::make());
        EXPECT_EQ(context.set_cert_key(std::string_view(comment + one.certificate), std::string_view(comment + one.key))
                      .error(),
                  Error())
            << comment;
        EXPECT_EQ(context.load_verify_locations(std::string_view(comment + one.certificate)).error(), Error());
    }
}

// All of a file, or none of it: an issuer that is missing would be noticed only by who cannot connect.
TEST(TlsCertificates, TLS_1_a_file_that_is_damaged_in_the_middle) {
    std::string damaged = Issuer("somebody").certificate() + trusted_issuer().certificate();
    damaged[damaged.rfind("-----BEGIN") + 100] = '!';
    TlsContext context = must(TlsContext::make());
    EXPECT_EQ(context.load_verify_locations(std::string_view(damaged)).error(), refusal(TlsFailure::bad_certificate));
    const Identity one = trusted_issuer().issue();
    const std::string cut = one.certificate + damaged.substr(damaged.rfind("-----BEGIN"), 300);
    EXPECT_EQ(context.set_cert_key(std::string_view(cut), std::string_view(one.key)).error(),
              refusal(TlsFailure::bad_certificate));
}

TEST(TlsCertificates, TLS_6_a_context_that_was_moved_from_is_EINVAL) {
    TlsContext context = server_context();
    const TlsContext other = std::move(context);
    const Identity identity = trusted_issuer().issue();
    const std::string_view certificate(identity.certificate);
    EXPECT_EQ(context.set_cert_key(certificate, std::string_view(identity.key)).error(), Error(EINVAL));
    EXPECT_EQ(context.load_verify_locations(certificate).error(), Error(EINVAL));
    EXPECT_EQ(context.set_cert_reqs(CertReqs::none).error(), Error(EINVAL));
    EXPECT_EQ(context.set_alpn_protocols("h2").error(), Error(EINVAL));
}

TEST(TlsCertificates, WhatIsNone) {
    const Identity one = trusted_issuer().issue();
    const Identity other = trusted_issuer().issue();
    TlsContext context = must(TlsContext::make());
    EXPECT_EQ(context.set_cert_key("nonsense", std::string_view(one.key)).error(),
              refusal(TlsFailure::bad_certificate));
    EXPECT_EQ(context.set_cert_key(std::string_view(one.certificate), "nonsense").error(),
              refusal(TlsFailure::bad_key));
    EXPECT_EQ(context.set_cert_key(std::string_view(one.certificate), std::string_view(other.key)).error(),
              refusal(TlsFailure::key_mismatch));
    EXPECT_EQ(context.load_verify_locations("nonsense").error(), refusal(TlsFailure::bad_certificate));
    Pair pair = tcp_pair();
    EXPECT_EQ(pair.there.wrap(context, {.server_side = true}).error(), refusal(TlsFailure::no_certificate));
}

}  // namespace
}  // namespace usocket::tests
