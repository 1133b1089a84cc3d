// TLS-4: peers that do not keep to the protocol which error ends the connection, in the same words
// over every engine. The other end is OpenSSL by itself, with records that it would not send.
#include <gtest/gtest.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <chrono>
#include <string>

#include "raw_tls.hpp"
#include "sealed_records.hpp"
#include "secure.hpp"
#include "tls_engine.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using namespace std::string_view_literals;

std::string from_hex(std::string_view digits) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
        bytes += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
    }
    return bytes;
}

// An agreed connection whose other end can say anything.
struct Agreed {
    Agreed(bool as_client, int spoken) : is_client(as_client), version(spoken) {
        SSL_CTX* ctx = SSL_get_SSL_CTX(peer.ssl());
        SSL_CTX_set_app_data(ctx, this);
        SSL_CTX_set_keylog_callback(ctx, [](const SSL* ssl, const char* line) {
            auto* self = static_cast<Agreed*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
            const std::string_view text(line);
            if (text.starts_with(self->is_client ? "SERVER_TRAFFIC_SECRET_0 " : "CLIENT_TRAFFIC_SECRET_0 ")) {
                self->secret = from_hex(text.substr(text.rfind(' ') + 1));
            }
        });
        SSL_set_num_tickets(peer.ssl(), 0);
        SSL_set_cipher_list(peer.ssl(), "ECDHE-ECDSA-AES128-GCM-SHA256");
        SSL_set_ciphersuites(peer.ssl(), "TLS_AES_128_GCM_SHA256");
        Background other([&] { EXPECT_EQ(peer.shake_hands(), 1); });
        must(pair.here.wrap(is_client ? client : server,
                            is_client ? TlsOptions{.server_hostname = "localhost"} : TlsOptions{.server_side = true}));
        must(pair.here.settimeout(10s));
    }

    Sealer sealer() const {
        if (version == TLS1_3_VERSION) return Sealer::tls_1_3(secret);
        unsigned char master[48], client_random[32], server_random[32];
        SSL_SESSION_get_master_key(SSL_get_session(peer.ssl()), master, sizeof master);
        SSL_get_client_random(peer.ssl(), client_random, sizeof client_random);
        SSL_get_server_random(peer.ssl(), server_random, sizeof server_random);
        const auto view = [](auto& bytes) { return std::string_view(reinterpret_cast<char*>(bytes), sizeof bytes); };
        return Sealer::tls_1_2(view(master), view(client_random), view(server_random), !is_client);
    }

    const bool is_client;
    const int version;
    const Identity identity = trusted_issuer().issue();
    TlsContext client = client_context();
    TlsContext server = server_context();
    Pair pair = tcp_pair();
    RawPeer peer{pair.there.fileno(), {is_client, version, &identity}};
    std::string secret;
};

// What a read comes to after this, with "hello" behind it.
Result<std::string> read_behind(const std::string& clear, Content content, const std::string& sealed, bool is_client,
                                int version) {
    Agreed agreed(is_client, version);
    Sealer sealer = agreed.sealer();
    std::string bytes = clear;
    if (!sealed.empty() || clear.empty()) bytes += sealer.seal(content, sealed);
    bytes += sealer.seal(Content::data, "hello");
    must(agreed.pair.there.write(bytes));
    const auto read = agreed.pair.here.read(5);
    if (!read) return read.error();
    return std::string(read->view());
}

// On either side and in each version: the connection ends with the error; none: it goes on.
void expect(Error error, const std::string& clear, Content content = Content::data, const std::string& sealed = {}) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        if (version == TLS1_3_VERSION && std::string_view(newest_version) != "TLSv1.3") continue;
        for (const bool is_client : {true, false}) {
            const auto read = read_behind(clear, content, sealed, is_client, version);
            EXPECT_EQ(read.error(), error) << is_client << std::hex << version << ": " << read.error().message();
            EXPECT_EQ(read.value_or(std::string("hello")), "hello");
        }
    }
}

const Error not_right = Error(TlsFailure::bad_record);

TEST(TlsPeers, TLS_4_what_is_no_record_in_the_middle) {
    expect(not_right, "GET / HTTP/1.0\r\n\r\n");
    expect(not_right, std::string(100, '\0'));
    expect(not_right, "\x80\x2e\x01"s + std::string(100, 'n'));
    expect(not_right, "\x63\x03\x03\x00\x28"s + std::string(40, 'x'));
    expect(not_right, "\x17\x03\x01\x00\x28"s + std::string(40, 'x'));
    expect(not_right, "\x17\x04\x03\x00\x28"s + std::string(40, 'x'));
}

TEST(TlsPeers, TLS_4_records_that_are_not_the_peers) {
    expect(not_right, "\x17\x03\x03\x00\x28"s + std::string(40, 'x'));
    expect(not_right, "\x17\x03\x03\x00\x04xxxx"s);
    expect(not_right, "\x17\x03\x03\x00\x00"s);
    expect(not_right, "\x16\x03\x03\x00\x04\0\0\0\0"s);
    expect(not_right, "\x15\x03\x03\x00\x02\x02\x28"s);
}

TEST(TlsPeers, TLS_4_a_record_that_is_longer_than_allowed) {
    expect(not_right, "\x17\x03\x03\x41\x01"s + std::string(16641, 'x'));
    expect(not_right, "\x17\x03\x03\x48\x01"s + std::string(18433, 'x'));
    expect(not_right, "\x17\x03\x03\xff\xff"s + std::string(1000, 'x'));
    expect(not_right, "", Content::data, std::string(16385, 'x'));
    expect(not_right, "", Content::data, std::string(17000, 'x'));
}

// Some libraries send records that have nothing in them. More than three in a row mbedTLS refuses.
TEST(TlsPeers, POLL_5_records_of_the_stream_with_nothing_in_them) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        if (version == TLS1_3_VERSION && newest_version != "TLSv1.3"sv) continue;
        for (const bool is_client : {true, false}) {
            Agreed agreed(is_client, version);
            Sealer sealer = agreed.sealer();
            const auto say = [&](std::string_view text) {
                std::string bytes;
                for (int i = 0; i < 3; ++i) bytes += sealer.seal(Content::data, "");
                must(agreed.pair.there.write(bytes + (text.empty() ? "" : sealer.seal(Content::data, text))));
            };
            say("hello");
            EXPECT_EQ(text(agreed.pair.here.read(5)), "hello");
            say("");
            EXPECT_EQ(agreed.pair.here.poll_now(POLLIN), 0u);
            must(agreed.pair.there.write(sealer.seal(Content::data, "world")));
            EXPECT_EQ(text(agreed.pair.here.read(5)), "world");
        }
    }
}

TEST(TlsPeers, TLS_4_messages_that_do_not_belong_there) {
    expect(not_right, "", Content{99}, "xx");
    expect(not_right, "", Content::handshake, "\x14\0\0\x0cxxxxxxxxxxxx"s);
    expect(not_right, "", Content::handshake, "\x18\0\0\x01\x07"s);
    expect(not_right, "", Content::alert, "\x01");
    expect(not_right, "", Content::alert, "\x01\x70\x01\x70");
}

TEST(TlsPeers, TLS_4_a_stray_ChangeCipherSpec) {
    const Error newer = passes_over_more ? Error() : not_right;
    for (const bool is_client : {true, false}) {
        for (const std::string& clear : {"\x14\x03\x03\x00\x01\x01"s, ""s}) {
            const std::string sealed = clear.empty() ? "\x01" : "";
            const auto read = [&](int version) {
                return read_behind(clear, Content::change_cipher_spec, sealed, is_client, version).error();
            };
            EXPECT_EQ(read(TLS1_2_VERSION), not_right);
            if (newest_version != "TLSv1.3"sv) continue;
            EXPECT_EQ(read(TLS1_3_VERSION), newer);
        }
    }
}

TEST(TlsPeers, TLS_4_alerts_that_end_it) {
    expect(Error(TlsFailure::alert), "", Content::alert, "\x02\xc8");
    expect(Error(TlsFailure::alert), "", Content::alert, "\x02\x14");
    expect(Error(TlsFailure::refused_by_peer), "", Content::alert, "\x02\x30");
}

// Who writes learns it, too, though the peer is gone.
TEST(TlsPeers, TLS_4_a_write_that_cannot_go_out_says_why_the_peer_has_ended_it) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        if (version == TLS1_3_VERSION && newest_version != "TLSv1.3"sv) continue;
        for (const bool is_client : {true, false}) {
            Agreed agreed(is_client, version);
            must(agreed.pair.there.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1));
            must(agreed.pair.there.write(agreed.sealer().seal(Content::alert, "\x02\x30")));
            must(agreed.pair.there.setsockopt(SOL_SOCKET, SO_LINGER, linger{1, 0}));
            agreed.pair.there.close();
            Error error;
            while (error == Error()) error = agreed.pair.here.write("x").error();
            EXPECT_EQ(error, Error(TlsFailure::refused_by_peer)) << error.message();
            EXPECT_EQ(agreed.pair.here.write("x").error(), error);
            EXPECT_EQ(agreed.pair.here.read(1).error(), error);
        }
    }
}

// Of those that end nothing, but all of TLS 1.3's that OpenSSL takes for the end.
TEST(TlsPeers, TLS_4_warnings) {
    expect(Error(), "", Content::alert, "\x01\x5a");
    const Error newer = passes_over_more ? Error() : Error(TlsFailure::alert);
    for (const bool is_client : {true, false}) {
        const auto read = [&](int version, const char* alert) {
            return read_behind("", Content::alert, alert, is_client, version).error();
        };
        EXPECT_EQ(read(TLS1_2_VERSION, "\x01\x70"), Error());
        EXPECT_EQ(read(TLS1_2_VERSION, "\x01\x64"), passes_over_more ? Error() : not_right);
        EXPECT_EQ(read(TLS1_2_VERSION, "\x03\x70"), passes_over_more ? Error() : not_right);
        if (newest_version != "TLSv1.3"sv) continue;
        EXPECT_EQ(read(TLS1_3_VERSION, "\x01\x70"), newer);
    }
    const Error closed = read_behind("", Content::alert, "\x02\x00"s, true, TLS1_2_VERSION).error();
    EXPECT_EQ(closed, Error(TlsFailure::alert)) << closed.message();
}

// --- Before anything is agreed

Error greeted_with(const std::string& bytes, bool is_client) {
    TlsContext client = client_context(), server = server_context();
    Pair pair = tcp_pair();
    must(pair.there.write(bytes));
    must(pair.there.shutdown(SHUT_WR));
    must(pair.here.settimeout(10s));
    const TlsOptions as_client{.server_hostname = "localhost"}, as_server{.server_side = true};
    return pair.here.wrap(is_client ? client : server, is_client ? as_client : as_server).error();
}

TEST(TlsPeers, TLS_4_a_greeting_that_is_no_record_is_not_TLS_and_one_that_makes_no_sense_is_a_wrong_peer) {
    for (const bool is_client : {true, false}) {
        for (const std::string& other :
             {"GET / HTTP/1.0\r\n\r\n"s, "HTTP/1.0 200 OK\r\n\r\n"s, "220 smtp.example ESMTP\r\n"s,
              "\x80\x2e\x01\x03\x01"s + std::string(43, 'x'), "\x16\x04\x03\x00\x02xx"s}) {
            EXPECT_EQ(greeted_with(other, is_client), Error(TlsFailure::not_tls)) << other;
        }
        for (const std::string& wrong :
             {"\x17\x03\x03\x00\x02xx"s, "\x14\x03\x03\x00\x02\x01\x01"s, "\x15\x03\x03\x00\x01\x01"s,
              "\x16\x03\x03\xff\xff"s + std::string(1000, 'x'), "\x16\x03\x03\x40\x01"s + std::string(16385, 'x'),
              "\x16\x03\x03\x00\x05\x63\0\0\x01x"s}) {
            EXPECT_EQ(greeted_with(wrong, is_client), Error(TlsFailure::failed)) << wrong.substr(0, 10);
        }
    }
}

// TLS 1.2, by OpenSSL over memory: what stands before the peer's Finished, which is the first record under keys.
Error met_before_finished(const std::string& record, bool is_client) {
    const Identity identity = trusted_issuer().issue();
    TlsContext client = client_context(), server = server_context(identity);
    Pair pair = tcp_pair();
    must(pair.here.settimeout(10s));
    SSL_CTX* ctx = SSL_CTX_new(TLS_method());
    SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
    use_identity(ctx, identity);
    SSL* ssl = SSL_new(ctx);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    if (is_client) {
        SSL_set_accept_state(ssl);
    } else {
        SSL_set_connect_state(ssl);
    }
    Background other([&] {
        for (Result<Bytes> got = Bytes(); got; got = pair.there.recv(16384)) {
            if (is_client && got->empty() && BIO_ctrl_pending(SSL_get_rbio(ssl)) != 0) break;
            BIO_write(SSL_get_rbio(ssl), got->view().data(), static_cast<int>(got->size()));
            (void)SSL_do_handshake(ssl);
            std::string out(BIO_ctrl_pending(SSL_get_wbio(ssl)), '\0');
            BIO_read(SSL_get_wbio(ssl), out.data(), static_cast<int>(out.size()));
            const std::size_t change = out.find("\x14\x03\x03\x00\x01\x01"s);
            if (change != std::string::npos) out.insert(change + 6, record);
            if (!out.empty() && !pair.there.sendall(std::string_view(out))) break;
            if (change != std::string::npos) break;
        }
    });
    const Error error = pair.here
                            .wrap(is_client ? client : server, is_client ? TlsOptions{.server_hostname = "localhost"}
                                                                         : TlsOptions{.server_side = true})
                            .error();
    other.join();
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    return error;
}

TEST(TlsPeers, TLS_4_what_is_in_the_clear_where_keys_are_in_use) {
    for (const bool is_client : {true, false}) {
        EXPECT_EQ(met_before_finished("", is_client), Error());
        for (const std::string& record :
             {"\x15\x03\x03\x00\x02\x02\x28"s, "\x17\x03\x03\x00\x03"s + "abc", "\x16\x03\x03\x00\x04\x04\0\0\0"s}) {
            const Error error = met_before_finished(record, is_client);
            EXPECT_EQ(error, not_right) << is_client << " " << error.message();
        }
    }
}

}  // namespace
}  // namespace usocket::tests
