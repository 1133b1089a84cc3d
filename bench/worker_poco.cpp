// POCO. Its lines come from std::getline on a SocketStream.
#include <Poco/Net/DatagramSocket.h>
#include <Poco/Net/PollSet.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/SocketStream.h>
#include <Poco/Net/StreamSocket.h>

#include "worker.hpp"

namespace {

using bench::must;
using Poco::Net::DatagramSocket;
using Poco::Net::ServerSocket;
using Poco::Net::SocketAddress;
using Poco::Net::SocketStream;
using Poco::Net::StreamSocket;

SocketAddress loopback(std::uint16_t port) { return SocketAddress("127.0.0.1", port); }

std::size_t checked(int size) {
    must(size >= 0, "sending or receiving");
    return static_cast<std::size_t>(size);
}

struct Stream {
    StreamSocket socket;
    std::unique_ptr<SocketStream> stream;
    std::string text;  // std::getline's

    void open() { socket = StreamSocket(Poco::Net::AddressFamily::IPv4); }
    void connect(std::uint16_t port) {
        open();
        socket.setReceiveBufferSize(bench::receive_buffer);
        socket.connect(loopback(port));
    }
    void set_timeout() {
        const Poco::Timespan span(bench::timeout.count(), 0);
        socket.setReceiveTimeout(span);
        socket.setSendTimeout(span);
    }
    void close() { socket.close(); }

    std::size_t send(const char* bytes, std::size_t size) {
        return checked(socket.sendBytes(bytes, static_cast<int>(size)));
    }
    std::size_t recv(char* bytes, std::size_t size) {
        return checked(socket.receiveBytes(bytes, static_cast<int>(size)));
    }
    void write(const char* bytes, std::size_t size) {
        while (size != 0) {
            const std::size_t sent = send(bytes, size);
            bytes += sent;
            size -= sent;
        }
    }
    std::size_t readinto(char* bytes, std::size_t size) {
        std::size_t done = 0;
        while (done < size) {
            const std::size_t got = recv(bytes + done, size - done);
            if (got == 0) break;
            done += got;
        }
        return done;
    }
    std::string read(std::size_t size) {
        std::string bytes(size, '\0');
        bytes.resize(readinto(bytes.data(), size));
        return bytes;
    }
    std::string read_all() {
        std::string bytes;
        std::size_t done = 0;
        for (;;) {
            if (done == bytes.size()) bytes.resize(std::max<std::size_t>(16 * 1024, 2 * done));
            const std::size_t got = recv(bytes.data() + done, bytes.size() - done);
            if (got == 0) break;
            done += got;
        }
        bytes.resize(done);
        return bytes;
    }
    std::size_t read_line(char* line, std::size_t size) {
        if (!stream) stream = std::make_unique<SocketStream>(socket);
        must(static_cast<bool>(std::getline(*stream, text)) && text.size() < size, "a line that fits");
        std::memcpy(line, text.data(), text.size());
        line[text.size()] = '\n';
        return text.size() + 1;
    }
};

struct Listener {
    ServerSocket socket{loopback(0)};

    std::uint16_t port() { return socket.address().port(); }
    Stream accept() {
        SocketAddress peer;
        return {socket.acceptConnection(peer), nullptr, {}};
    }
};

struct Datagram {
    DatagramSocket socket;

    void open() { socket = DatagramSocket(Poco::Net::AddressFamily::IPv4); }
    void bind() { socket = DatagramSocket(loopback(0), false); }
    SocketAddress address() { return socket.address(); }
    std::size_t send_to(const char* bytes, std::size_t size, const SocketAddress& to) {
        return checked(socket.sendTo(bytes, static_cast<int>(size), to));
    }
    std::size_t receive_from(char* bytes, std::size_t size) {
        SocketAddress from;
        return checked(socket.receiveFrom(bytes, static_cast<int>(size), from));
    }
    void send_to_itself() {
        socket.bind(loopback(0));
        (void)send_to("x", 1, address());
    }
};

struct Poller {
    Poco::Net::PollSet set;

    explicit Poller(std::size_t) {}
    void add(Datagram& datagram) { set.add(datagram.socket, Poco::Net::PollSet::POLL_READ); }
    std::size_t wait() { return set.poll(Poco::Timespan(bench::timeout.count(), 0)).size(); }
};

struct Net {
    using Stream = ::Stream;
    using Listener = ::Listener;
    using Datagram = ::Datagram;
    using Watched = ::Datagram;
    using Poller = ::Poller;
};

}  // namespace

int main(int argc, char** argv) { return bench::worker_main<bench::Items<Net>>(argc, argv); }
