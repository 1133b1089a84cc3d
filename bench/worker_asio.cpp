// Standalone Asio, by its synchronous calls. They know no timeout. Many sockets can be waited for by asynchronous ones
// only, so that is what Poller does: an async_wait on each socket, again after each time it was ready.
#include <asio.hpp>

#include "worker.hpp"

namespace {

using asio::ip::tcp;
using asio::ip::udp;
using bench::must;

asio::io_context context;

tcp::endpoint loopback(std::uint16_t port) { return {asio::ip::address_v4::loopback(), port}; }

struct Stream {
    tcp::socket socket{context};
    std::unique_ptr<asio::streambuf> buffer;

    void open() { socket.open(tcp::v4()); }
    void connect(std::uint16_t port) {
        open();
        socket.set_option(asio::socket_base::receive_buffer_size(bench::receive_buffer));
        socket.connect(loopback(port));
    }
    void close() { socket.close(); }

    std::size_t send(const char* bytes, std::size_t size) { return socket.send(asio::buffer(bytes, size)); }
    std::size_t recv(char* bytes, std::size_t size) { return socket.receive(asio::buffer(bytes, size)); }
    void write(const char* bytes, std::size_t size) { asio::write(socket, asio::buffer(bytes, size)); }
    std::size_t readinto(char* bytes, std::size_t size) { return asio::read(socket, asio::buffer(bytes, size)); }
    std::string read(std::size_t size) {
        std::string bytes(size, '\0');
        asio::read(socket, asio::buffer(bytes));
        return bytes;
    }
    std::string read_all() {
        std::string bytes;
        asio::error_code end;
        asio::read(socket, asio::dynamic_buffer(bytes), end);
        must(end == asio::error::eof, "reading to EOF");
        return bytes;
    }
    std::size_t read_line(char* line, std::size_t size) {
        if (!buffer) buffer = std::make_unique<asio::streambuf>();
        const std::size_t length = asio::read_until(socket, *buffer, '\n');
        must(length <= size, "a line that fits");
        asio::buffer_copy(asio::buffer(line, size), buffer->data(), length);
        buffer->consume(length);
        return length;
    }
};

struct Listener {
    tcp::acceptor acceptor{context, loopback(0)};

    std::uint16_t port() { return acceptor.local_endpoint().port(); }
    Stream accept() {
        tcp::endpoint peer;
        return {acceptor.accept(peer), nullptr};
    }
};

struct Datagram {
    udp::socket socket{context};

    void bind() { socket = udp::socket(context, udp::endpoint(asio::ip::address_v4::loopback(), 0)); }
    udp::endpoint address() { return socket.local_endpoint(); }
    std::size_t send_to(const char* bytes, std::size_t size, const udp::endpoint& to) {
        return socket.send_to(asio::buffer(bytes, size), to);
    }
    std::size_t receive_from(char* bytes, std::size_t size) {
        udp::endpoint from;
        return socket.receive_from(asio::buffer(bytes, size), from);
    }
};

// A descriptor that Asio does not know yet: to make a socket of it is part of registering it.
struct Watched {
    bench::Fd fd;

    void open() { fd = bench::Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)); }
    void send_to_itself() {
        const sockaddr_in any = bench::loopback(0);
        must(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0, "bind()");
        const sockaddr_in own = bench::loopback(bench::port_of(fd.get()));
        must(::sendto(fd.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&own), sizeof own) == 1, "sendto()");
    }
};

class Poller {
public:
    explicit Poller(std::size_t size) { sockets_.reserve(size); }
    ~Poller() {
        for (udp::socket& one : sockets_) one.release();  // the descriptor is its owner's
        context_.run();
    }
    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;

    void add(Watched& watched) { watch(sockets_.emplace_back(context_, udp::v4(), watched.fd.get())); }
    std::size_t wait() { return context_.run_one(); }

private:
    void watch(udp::socket& socket) {
        socket.async_wait(udp::socket::wait_read, [this, &socket](const asio::error_code& error) {
            if (!error) watch(socket);
        });
    }

    asio::io_context context_;
    std::vector<udp::socket> sockets_;
};

struct Net {
    using Stream = ::Stream;
    using Listener = ::Listener;
    using Datagram = ::Datagram;
    using Watched = ::Watched;
    using Poller = ::Poller;
};

}  // namespace

int main(int argc, char** argv) { return bench::worker_main<bench::Items<Net>>(argc, argv); }
