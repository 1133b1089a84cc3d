// Fetches a page and prints its body: http_get URL
//
// There is no HTTP library here: a socket is a stream, so a request is written with write(), lines are read with
// readline(), and a body of known length with read(). For a hash: http_get URL | sha256sum
#include <usocket/usocket.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>

#include "text.hpp"

namespace {

using namespace std::literals;
using usocket::Error;
using usocket::Socket;

constexpr std::size_t block_size = 64 * 1024;  // how much of a body is in memory at a time
constexpr auto timeout = 30s;                  // to connect, and for each call after it, not for the whole page

struct Url {
    std::string host;
    std::string port = "80";
    std::string path = "/";
};

// http://host:port/path
bool split_url(std::string_view text, Url& url) {
    constexpr auto scheme = "http://"sv;
    if (!text.starts_with(scheme)) return false;
    text.remove_prefix(scheme.size());
    const auto slash = std::min(text.find('/'), text.size());
    if (slash < text.size()) url.path = text.substr(slash);
    const auto authority = text.substr(0, slash);
    const auto colon = std::min(authority.find(':'), authority.size());
    url.host = authority.substr(0, colon);
    if (colon < authority.size()) url.port = authority.substr(colon + 1);
    return !url.host.empty();
}

// The number at the start of the text; false if there is none.
bool to_number(std::string_view text, std::size_t& number, int base = 10) {
    return std::from_chars(text.data(), text.data() + text.size(), number, base).ec == std::errc();
}

bool report(const char* what, Error error) {
    std::fprintf(stderr, "http_get: %s: %s\n", what, error.message());
    return false;
}

bool complain(const char* what) {
    std::fprintf(stderr, "http_get: %s\n", what);
    return false;
}

using Fields = std::map<std::string, std::string>;  // the names in lower case

class Response {
public:
    explicit Response(Socket& socket) : socket_(socket) {}

    bool read_header() {
        std::string line;
        if (!read_line(line)) return false;
        if (!line.starts_with("HTTP/1.")) return complain("the server does not speak HTTP");
        if (!line.substr(8).starts_with(" 200")) return complain(("the server answered " + line).c_str());
        while (read_line(line)) {
            if (line.empty()) return true;
            const auto colon = line.find(':');
            if (colon == line.npos) return complain("a header field without a colon");
            fields_[lower(line.substr(0, colon))] = trim(std::string_view(line).substr(colon + 1));
        }
        return false;
    }

    bool print_body() {
        if (fields_["transfer-encoding"] == "chunked") return print_chunks();
        if (!fields_.contains("content-length")) return print_to_end();
        std::size_t size = 0;
        return to_number(fields_["content-length"], size) ? print(size) : complain("a length that is no number");
    }

private:
    bool read_line(std::string& line) {
        const auto read = socket_.readline();
        if (!read) return report("reading", read.error());
        if (read->empty()) return complain("the connection ended too early");
        line = trim(read->view());
        return true;
    }

    // A blocking read() returns less than was asked for only when the other end has closed.
    bool print(std::size_t size) {
        while (size != 0) {
            const auto block = socket_.read(std::min(size, block_size));
            if (!block) return report("reading", block.error());
            if (block->empty()) return complain("the connection ended with bytes still to come");
            std::fwrite(block->data(), 1, block->size(), stdout);
            size -= block->size();
        }
        return true;
    }

    // The body of a server that did not know its length: chunks, each after a line with its size in hexadecimal.
    bool print_chunks() {
        std::string line;
        std::size_t size = 0;
        do {
            if (!read_line(line)) return false;
            if (!to_number(line, size, 16)) return complain("a chunk without a size");
            // The chunk, and its own line end; after the last one there is none, but there may be trailing fields.
            if (size != 0 && !(print(size) && read_line(line))) return false;
        } while (size != 0);
        do {
            if (!read_line(line)) return false;
        } while (!line.empty());
        return true;
    }

    // The body of a server that says by closing that it is complete.
    bool print_to_end() {
        for (;;) {
            const auto block = socket_.read(block_size);
            if (!block) return report("reading", block.error());
            if (block->empty()) return true;
            std::fwrite(block->data(), 1, block->size(), stdout);
        }
    }

    Socket& socket_;
    Fields fields_;
};

bool get(const Url& url) {
    auto socket = usocket::connect(url.host, url.port, usocket::Deadline::after(timeout));
    if (!socket) return complain(socket.error().message());
    if (const auto set = socket->settimeout(timeout); !set) return report("the timeout", set.error());
    const std::string request = "GET " + url.path + " HTTP/1.1\r\nHost: " + url.host + "\r\nConnection: close\r\n\r\n";
    if (const auto written = socket->write(request); !written) return report("writing", written.error());

    Response response(*socket);
    return response.read_header() && response.print_body();
}

}  // namespace

int main(int argc, char** argv) {
    Url url;
    if (argc != 2 || !split_url(argv[1], url)) {
        std::fprintf(stderr, "usage: http_get http://HOST[:PORT][/PATH]\n");
        return 2;
    }
    return get(url) && std::fflush(stdout) == 0 ? 0 : 1;
}
