// Ours, with TLS.
#include <usocket/tls.hpp>
#include <usocket/usocket.hpp>

#include "worker_tls.hpp"

namespace {

using usocket::Socket;

struct Tls {
    usocket::TlsContext context = usocket::TlsContext::make().value();

    explicit Tls(const std::string& trusted) {
        context.load_verify_locations(std::string_view(bench::content(trusted))).value();
    }
};

using Session = std::string;

struct Stream {
    Socket socket;

    void connect(std::uint16_t port) {
        socket = std::move(usocket::socket().value());
        socket.setsockopt(SOL_SOCKET, SO_RCVBUF, bench::receive_buffer).value();
        socket.connect(usocket::Address::inet(AF_INET, "127.0.0.1", port).value()).value();
    }
    void shake_hands(Tls& tls, const Session* session) {
        usocket::TlsOptions options{.server_hostname = bench::peer_name};
        if (session != nullptr) options.session = std::string_view(*session);
        socket.wrap(tls.context, options).value();
    }
    Session session() { return std::string(socket.tls_session().value().view()); }
    bool is_resumed() { return socket.session_reused().value(); }
    void close() { socket.close(); }

    std::size_t send(const char* bytes, std::size_t size) { return socket.send({bytes, size}).value(); }
    std::size_t recv(char* bytes, std::size_t size) { return socket.recv_into({bytes, size}).value(); }
    void write(const char* bytes, std::size_t size) { (void)socket.write({bytes, size}).value(); }
    usocket::Bytes read_all() { return socket.read().value(); }
    std::size_t read_line(char* line, std::size_t size) { return socket.readline_into({line, size}).value(); }
};

struct Net {
    using Stream = ::Stream;
    using Session = ::Session;
    using Tls = ::Tls;
};

}  // namespace

int main(int argc, char** argv) { return bench::worker_main<bench::SecureItems<Net>>(argc, argv); }
