// The items with TLS on a connection, the same loops for all; a contestant supplies its Net (see worker_tls_raw.cpp for
// what that has). All check the peer's certificate and its name, and take what their library does by default.
#pragma once

#include <fstream>
#include <iterator>
#include <string>

#include "worker.hpp"

namespace bench {

constexpr const char* peer_name = "localhost";

inline std::string content(const std::string& path) {
    std::ifstream file(path);
    must(file.is_open(), "a file of certificates");
    return {std::istreambuf_iterator<char>(file), {}};
}

template <class Net> class SecureItems : StreamItems<typename Net::Stream> {
public:
    using Stream = typename Net::Stream;

    SecureItems(Peer& peer, const std::string& certificates)
        : StreamItems<Stream>(peer), tls_(certificates + "/trusted.pem") {}

    // Empty if there is no such item.
    Item make(std::string_view name) {
        if (name == "tls_handshake") return shaking(false);
        if (name == "tls_resumed") return shaking(true);
        if (name == "tls_round_trip") return this->round_trip(connected());
        if (name == "tls_lines_80") return this->lines(connected(), 80);
        if (name == "tls_read_eof_16m") return this->read_eof([this] { return connected(); }, 16 << 20);
        if (name == "tls_write_1m") return this->write(connected());
        if (name == "tls_memory") return memory();
        return {};
    }

private:
    using typename StreamItems<Stream>::StreamPointer;
    using Session = typename Net::Session;
    using StreamItems<Stream>::peer_;
    using StreamItems<Stream>::timed;

    void connect(Stream& stream) {
        stream.connect(peer_.data_port());
        peer_.ask("accept");
        peer_.tell("secure");
        stream.shake_hands(tls_, nullptr);
        peer_.hear_ok();
    }
    StreamPointer connected() {
        auto stream = std::make_shared<Stream>();
        connect(*stream);
        return stream;
    }

    // One connection: to the first byte, which the peer sends when its side of the handshake is done. TLS 1.3's session
    // has come before it.
    void connect_once(const Session* session, Session* made) {
        Stream stream;
        stream.connect(peer_.data_port());
        stream.shake_hands(tls_, session);
        char byte = 0;
        must(stream.recv(&byte, 1) == 1, "the byte behind a handshake");
        must(stream.is_resumed() == (session != nullptr), "a handshake of the other kind");
        if (made != nullptr) *made = stream.session();
        stream.close();
    }

    // The peer has its share of it.
    Item shaking(bool is_resumed) {
        auto session = std::make_shared<Session>();
        if (is_resumed) {
            peer_.tell("serve 1");
            connect_once(nullptr, session.get());
        }
        return [this, session, is_resumed](std::int64_t count) {
            const std::int64_t calls_before = peer_.calls();
            peer_.tell("serve " + std::to_string(count));
            return timed(count, calls_before, [&] { connect_once(is_resumed ? session.get() : nullptr, nullptr); });
        };
    }

    // Of connections at rest, each of which has brought and taken something; what all of them share is there before.
    Item memory() {
        return [this](std::int64_t count) {
            std::vector<Stream> streams(static_cast<std::size_t>(count) + 1);
            open(streams[0]);
            const std::int64_t before = resident_bytes();
            Sample sample = measured([&] {
                for (std::size_t i = 1; i < streams.size(); ++i) open(streams[i]);
            });
            sample.operations = count;
            sample.value = resident_bytes() - before;
            return sample;
        };
    }
    void open(Stream& stream) {
        connect(stream);
        peer_.ask("fill 160 80");
        char line[largest_line];
        for (int i = 0; i < 2; ++i) must(stream.read_line(line, sizeof line) == 80, "a line");
        peer_.ask("keep");
    }

    typename Net::Tls tls_;
};

}  // namespace bench
