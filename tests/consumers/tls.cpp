// A program that names TlsContext, and links usocket::tls for it (TLS-6).
#include <usocket/tls.hpp>
#include <usocket/usocket.hpp>

#include <cstdio>

int main() {
    auto context = usocket::TlsContext::make();
    auto pair = usocket::socketpair();
    if (!context || !pair) return 1;
    const usocket::Error error = pair->first.wrap(*context, {.server_side = true}).error();
    std::printf("%s\n", error.message());
    return error == usocket::Error(usocket::TlsFailure::no_certificate) ? 0 : 1;
}
