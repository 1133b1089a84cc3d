// Asio over OpenSSL, by its synchronous calls.
#include <asio.hpp>
#include <asio/ssl.hpp>
#include <optional>

#include "worker_tls.hpp"

namespace {

using asio::ip::tcp;
using bench::must;

asio::io_context context;

struct Tls {
    asio::ssl::context ssl{asio::ssl::context::tls_client};

    explicit Tls(const std::string& trusted) {
        ssl.load_verify_file(trusted);
        ssl.set_verify_mode(asio::ssl::verify_peer);
    }
};

template <class T, void (*Free)(T*)> struct Freed {
    void operator()(T* object) const { Free(object); }
};
using Session = std::unique_ptr<SSL_SESSION, Freed<SSL_SESSION, SSL_SESSION_free>>;

class Stream {
public:
    void connect(std::uint16_t port) {
        plain_.emplace(context, tcp::v4());
        plain_->set_option(asio::socket_base::receive_buffer_size(bench::receive_buffer));
        plain_->connect({asio::ip::address_v4::loopback(), port});
    }
    void shake_hands(Tls& tls, const Session* session) {
        made_ = std::make_unique<asio::ssl::stream<tcp::socket>>(std::move(*plain_), tls.ssl);
        made_->set_verify_callback(asio::ssl::host_name_verification(bench::peer_name));
        SSL* ssl = made_->native_handle();
        must(SSL_set_tlsext_host_name(ssl, bench::peer_name) == 1, "a server's name");
        must(session == nullptr || SSL_set_session(ssl, session->get()) == 1, "a session");
        made_->handshake(asio::ssl::stream_base::client);
    }
    Session session() { return Session(SSL_get1_session(made_->native_handle())); }
    bool is_resumed() { return SSL_session_reused(made_->native_handle()) == 1; }
    // Its shutdown() would wait for the peer's, so its goodbye is made but not sent: a system call less than the
    // others.
    void close() {
        (void)SSL_shutdown(made_->native_handle());
        made_.reset();
    }

    std::size_t send(const char* bytes, std::size_t size) { return made_->write_some(asio::buffer(bytes, size)); }
    std::size_t recv(char* bytes, std::size_t size) { return made_->read_some(asio::buffer(bytes, size)); }
    void write(const char* bytes, std::size_t size) { asio::write(*made_, asio::buffer(bytes, size)); }
    std::string read_all() {
        std::string bytes;
        asio::error_code end;
        asio::read(*made_, asio::dynamic_buffer(bytes), end);
        must(end == asio::error::eof, "reading to EOF");
        return bytes;
    }
    std::size_t read_line(char* line, std::size_t size) {
        const std::size_t length = asio::read_until(*made_, buffer_, '\n');
        must(length <= size, "a line that fits");
        asio::buffer_copy(asio::buffer(line, size), buffer_.data(), length);
        buffer_.consume(length);
        return length;
    }

private:
    std::optional<tcp::socket> plain_;
    std::unique_ptr<asio::ssl::stream<tcp::socket>> made_;
    asio::streambuf buffer_;
};

struct Net {
    using Stream = ::Stream;
    using Session = ::Session;
    using Tls = ::Tls;
};

}  // namespace

int main(int argc, char** argv) { return bench::worker_main<bench::SecureItems<Net>>(argc, argv); }
