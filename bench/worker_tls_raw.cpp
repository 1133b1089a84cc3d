// Raw OpenSSL on a blocking socket: what a careful C programmer writes for the same job. Lines are split out of a
// buffer that is read ahead, into the caller's memory.
#include <openssl/ssl.h>

#include "worker_tls.hpp"

namespace {

using bench::Fd;
using bench::must;

struct Tls {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());

    explicit Tls(const std::string& trusted) {
        must(context != nullptr && SSL_CTX_load_verify_file(context, trusted.c_str()) == 1, "the issuers");
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
        SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    }
    Tls(const Tls&) = delete;
    Tls& operator=(const Tls&) = delete;
    ~Tls() { SSL_CTX_free(context); }
};

template <class T, void (*Free)(T*)> struct Freed {
    void operator()(T* object) const { Free(object); }
};
using Session = std::unique_ptr<SSL_SESSION, Freed<SSL_SESSION, SSL_SESSION_free>>;

class Stream {
public:
    void connect(std::uint16_t port) {
        fd_ = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const int size = bench::receive_buffer;
        must(::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size) == 0, "SO_RCVBUF");
        const sockaddr_in address = bench::loopback(port);
        must(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "connect()");
    }
    void shake_hands(Tls& tls, const Session* session) {
        ssl_.reset(SSL_new(tls.context));
        SSL* ssl = ssl_.get();
        const bool is_ready = ssl != nullptr && SSL_set_fd(ssl, fd_.get()) == 1 &&
                              SSL_set1_host(ssl, bench::peer_name) == 1 &&
                              SSL_set_tlsext_host_name(ssl, bench::peer_name) == 1 &&
                              (session == nullptr || SSL_set_session(ssl, session->get()) == 1);
        must(is_ready && SSL_connect(ssl) == 1, "a handshake");
    }
    Session session() { return Session(SSL_get1_session(ssl_.get())); }
    bool is_resumed() { return SSL_session_reused(ssl_.get()) == 1; }
    void close() {
        (void)SSL_shutdown(ssl_.get());
        ssl_.reset();
        fd_.close();
    }

    std::size_t send(const char* bytes, std::size_t size) {
        std::size_t sent = 0;
        must(SSL_write_ex(ssl_.get(), bytes, size, &sent) == 1, "SSL_write_ex()");
        return sent;
    }
    void write(const char* bytes, std::size_t size) { must(send(bytes, size) == size, "all of a block"); }
    // 0 at the end.
    std::size_t recv(char* bytes, std::size_t size) {
        std::size_t count = 0;
        if (SSL_read_ex(ssl_.get(), bytes, size, &count) == 1) return count;
        must(SSL_get_error(ssl_.get(), 0) == SSL_ERROR_ZERO_RETURN, "SSL_read_ex()");
        return 0;
    }
    bench::Bytes read_all() {
        bench::Bytes bytes;
        for (;;) {
            if (bytes.length == bytes.capacity) bytes.reserve(std::max<std::size_t>(16 * 1024, 2 * bytes.capacity));
            const std::size_t got = recv(bytes.data + bytes.length, bytes.capacity - bytes.length);
            if (got == 0) return bytes;
            bytes.length += got;
        }
    }
    std::size_t read_line(char* line, std::size_t size) {
        return lines_.read_line(line, size, [this](char* into, std::size_t room) { return recv(into, room); });
    }

private:
    Fd fd_;
    std::unique_ptr<SSL, Freed<SSL, SSL_free>> ssl_;
    bench::LineReader lines_;
};

// What every contestant has.
struct Net {
    using Stream = ::Stream;
    using Session = ::Session;
    using Tls = ::Tls;
};

}  // namespace

int main(int argc, char** argv) { return bench::worker_main<bench::SecureItems<Net>>(argc, argv); }
