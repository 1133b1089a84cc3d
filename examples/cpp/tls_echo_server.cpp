// Sends back what it gets, over TLS: tls_echo_server CERT-FILE KEY-FILE
//
// One thread a connection. A handshake that is not through in ten seconds is given up, so that silent clients cost no
// more than that.
#include <usocket/tls.hpp>
#include <usocket/usocket.hpp>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <utility>

#include "port.hpp"

namespace {

using namespace std::literals;

std::string contents(const char* name) {
    std::ifstream file(name);
    return {std::istreambuf_iterator<char>(file), {}};
}

int failed(const char* what, usocket::Error error) {
    std::fprintf(stderr, "tls_echo_server: %s: %s\n", what, error.message());
    return 1;
}

void echo(usocket::Socket& conn, usocket::TlsContext& context) {
    const auto wrapped = conn.wrap(context, {.server_side = true}, usocket::Deadline::after(10s));
    if (!wrapped) {
        failed("a client", wrapped.error());
        return;
    }
    for (;;) {
        const auto got = conn.recv(65536);
        if (!got || got->empty()) return;
        if (!conn.write(got->view())) return;
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: tls_echo_server CERT-FILE KEY-FILE\n");
        return 2;
    }
    auto context = usocket::TlsContext::make();
    if (!context) return failed("TLS", context.error());
    if (const auto set = context->set_cert_key(contents(argv[1]), contents(argv[2])); !set)
        return failed(argv[1], set.error());

    auto listener = usocket::listen("127.0.0.1:0");
    if (!listener) return failed("listen", listener.error());
    if (const auto printed = print_port(*listener); !printed) return failed("listen", printed.error());
    for (;;) {
        auto accepted = listener->accept();
        if (!accepted) return failed("accept", accepted.error());
        std::thread([&context, conn = std::move(accepted->socket)]() mutable { echo(conn, *context); }).detach();
    }
}
