// What a user's first program does: one line over a TCP connection to itself, and an error looked at (CPP-1, CPP-2).
// Each consumer project builds it twice: with exceptions and RTTI, and without either.
#include <usocket/usocket.hpp>

#include <cerrno>
#include <cstdio>
#include <string_view>

namespace {

// Says where it went wrong; the exit status of main.
int failed(const char* what, usocket::Error error) {
    std::printf("%s: %d %s\n", what, error.code(), error.message());
    return 1;
}

int line_over_loopback() {
    auto listener = usocket::socket();
    if (!listener) return failed("socket", listener.error());
    auto any = usocket::getaddrinfo("127.0.0.1", 0, AF_INET, SOCK_STREAM);
    if (!any) return failed("getaddrinfo", any.error());
    if (auto done = listener->bind(any->front().sockaddr); !done) return failed("bind", done.error());
    if (auto done = listener->listen(); !done) return failed("listen", done.error());
    auto here = listener->getsockname();
    if (!here) return failed("getsockname", here.error());

    auto client = usocket::socket();
    if (!client) return failed("socket", client.error());
    if (auto done = client->connect(*here); !done) return failed("connect", done.error());
    auto accepted = listener->accept();
    if (!accepted) return failed("accept", accepted.error());
    if (auto done = client->write("hello\nworld"); !done) return failed("write", done.error());
    auto line = accepted->socket.readline();
    if (!line) return failed("readline", line.error());

    const std::string_view text(reinterpret_cast<const char*>(line->data()), line->size());
    std::printf("%.*s", static_cast<int>(text.size()), text.data());
    return text == "hello\n" ? 0 : 1;
}

// An error is a value for everybody; value() throws it where there are exceptions.
int error_is_seen() {
    const auto packed = usocket::inet_pton(AF_INET, "1.2.3.4.5");
    if (packed || packed.error().code() != EINVAL) return failed("inet_pton", packed.error());
#if defined(__cpp_exceptions)
    try {
        (void)usocket::inet_pton(AF_INET, "1.2.3.4.5").value();
    } catch (const usocket::BadResultAccess& access) {
        return access.error().code() == EINVAL ? 0 : 1;
    }
    return 1;
#else
    return 0;
#endif
}

}  // namespace

int main() {
    const int wrong = line_over_loopback() + error_is_seen();
#if defined(__cpp_exceptions) && defined(__cpp_rtti)
    std::printf("with exceptions and RTTI\n");
#elif !defined(__cpp_exceptions) && !defined(__cpp_rtti)
    std::printf("without exceptions and RTTI\n");
#endif
    return wrong;
}
