// Ours.
#include <usocket/usocket.hpp>

#include "worker.hpp"

namespace {

using bench::must;
using usocket::Address;
using usocket::Socket;

Address loopback(std::uint16_t port) { return Address::inet(AF_INET, "127.0.0.1", port).value(); }

struct Stream {
    Socket socket;

    void open() { socket = std::move(usocket::socket().value()); }
    void connect(std::uint16_t port) {
        open();
        socket.setsockopt(SOL_SOCKET, SO_RCVBUF, bench::receive_buffer).value();
        socket.connect(loopback(port)).value();
    }
    void set_timeout() { socket.settimeout(bench::timeout).value(); }
    void close() { socket.close(); }

    std::size_t send(const char* bytes, std::size_t size) { return socket.send({bytes, size}).value(); }
    std::size_t recv(char* bytes, std::size_t size) { return socket.recv_into({bytes, size}).value(); }
    void write(const char* bytes, std::size_t size) { (void)socket.write({bytes, size}).value(); }
    std::size_t readinto(char* bytes, std::size_t size) { return socket.readinto({bytes, size}).value(); }
    usocket::Bytes read(std::size_t size) { return socket.read(size).value(); }
    usocket::Bytes read_all() { return socket.read().value(); }
    std::size_t read_line(char* line, std::size_t size) { return socket.readline_into({line, size}).value(); }
};

struct Listener {
    Socket socket = usocket::socket().value();

    Listener() {
        socket.bind(loopback(0)).value();
        socket.listen().value();
    }
    std::uint16_t port() { return socket.getsockname().value().port(); }
    Stream accept() { return {std::move(socket.accept().value().socket)}; }
};

struct Datagram {
    Socket socket;

    void open() { socket = std::move(usocket::socket(AF_INET, SOCK_DGRAM).value()); }
    void bind() {
        open();
        socket.bind(loopback(0)).value();
    }
    Address address() { return socket.getsockname().value(); }
    std::size_t send_to(const char* bytes, std::size_t size, const Address& to) {
        return socket.sendto({bytes, size}, to).value();
    }
    std::size_t receive_from(char* bytes, std::size_t size) { return socket.recvfrom_into({bytes, size}).value().size; }
    void send_to_itself() {
        socket.bind(loopback(0)).value();
        (void)send_to("x", 1, address());
    }
};

struct Poller {
    usocket::Poll poll;
    usocket::Poll::Event events[16];

    explicit Poller(std::size_t) {}
    void add(Datagram& datagram) { (void)poll.register_(datagram.socket, POLLIN, &datagram).value(); }
    std::size_t wait() { return poll.poll(events).value(); }
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
