// Fetches a page over TLS and prints its body: https_get HOST PORT PATH [CA-FILE]
//
// One deadline holds for the name, TCP and the handshake. From then on the socket is a stream like any other. Without a
// file the issuers that the system trusts are trusted.
#include <usocket/tls.hpp>
#include <usocket/usocket.hpp>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

namespace {

using namespace std::literals;
using usocket::Error;

bool report(const char* what, Error error) {
    std::fprintf(stderr, "https_get: %s: %s\n", what, error.message());
    return false;
}

std::string contents(const char* name) {
    std::ifstream file(name);
    return {std::istreambuf_iterator<char>(file), {}};
}

// The header ends with an empty line, the body with the connection; one that is cut off is an error.
bool print_body(usocket::Socket& socket) {
    for (bool is_body = false; !is_body;) {
        const auto line = socket.readline();
        if (!line) return report("reading", line.error());
        is_body = line->view() == "\r\n" || line->empty();
    }
    for (;;) {
        const auto block = socket.recv(65536);
        if (!block) return report("reading", block.error());
        if (block->empty()) return true;
        std::fwrite(block->data(), 1, block->size(), stdout);
    }
}

bool get(const std::string& host, const std::string& port, const std::string& path, const char* ca_file) {
    auto context = usocket::TlsContext::make();
    if (!context) return report("TLS", context.error());
    if (ca_file != nullptr) {
        if (const auto loaded = context->load_verify_locations(contents(ca_file)); !loaded)
            return report(ca_file, loaded.error());
    }
    const auto deadline = usocket::Deadline::after(30s);
    auto socket = usocket::connect(host, port, deadline);
    if (!socket) {
        std::fprintf(stderr, "https_get: %s\n", socket.error().message());
        return false;
    }
    auto done = socket->wrap(*context, {.server_hostname = host}, deadline);
    if (done) done = socket->settimeout(30s);
    if (!done) return report(host.c_str(), done.error());
    const auto sent = socket->write("GET " + path + " HTTP/1.0\r\nHost: " + host + "\r\n\r\n");
    return sent ? print_body(*socket) : report("writing", sent.error());
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4 || argc > 5) {
        std::fprintf(stderr, "usage: https_get HOST PORT PATH [CA-FILE]\n");
        return 2;
    }
    return get(argv[1], argv[2], argv[3], argc == 5 ? argv[4] : nullptr) && std::fflush(stdout) == 0 ? 0 : 1;
}
