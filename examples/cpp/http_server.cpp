// Serves the files of one folder over HTTP: http_server FOLDER [PORT [IDLE_S]]
//
// GET fetches a file, PUT stores one; connections are kept alive, any number of them is served by this one thread. The
// server says whose turn it is. A turn is short, one request or one block of a file, so that nobody can keep the thread
// for himself; then a connection says what it waits for, POLLIN or POLLOUT. Who gets nothing done for IDLE_S seconds
// (60) has to go. Listens on 127.0.0.1, on a free port unless told which, and prints the port; SIGINT and SIGTERM end
// it.
#include <usocket/server.hpp>
#include <usocket/usocket.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "port.hpp"
#include "text.hpp"

namespace {

using usocket::Address;
using usocket::Deadline;
using usocket::Socket;

// What one client may take up.
constexpr std::size_t block_size = 64 * 1024;  // of memory, of a file at a time
constexpr std::size_t largest_header = 8 * 1024;
constexpr std::size_t largest_file = 1024 * 1024 * 1024;

using File = std::unique_ptr<std::FILE, decltype([](std::FILE* file) { std::fclose(file); })>;

struct Settings {
    std::string folder;
    std::chrono::seconds idle_limit;
};

struct Request {
    std::string method, path, version;
    std::map<std::string, std::string> fields;  // the names in lower case

    // The request line first, then the fields.
    void add_line(std::string_view line) {
        if (method.empty()) {
            const auto first = std::min(line.find(' '), line.size());
            const auto last = std::max(line.rfind(' ') + 1, first);
            method = line.substr(0, first);
            path = trim(line.substr(first, last - first));
            version = line.substr(last);
        } else {
            const auto colon = std::min(line.find(':'), line.size());
            fields[lower(line.substr(0, colon))] = trim(line.substr(std::min(colon + 1, line.size())));
        }
    }
    [[nodiscard]] bool keeps_alive() { return version == "HTTP/1.1" && lower(fields["connection"]) != "close"; }
};

class Connection {
public:
    explicit Connection(const Settings& settings) : settings_(settings) {}

    [[nodiscard]] Deadline deadline() const { return deadline_; }

    // Does what there is to do, but not for long. Returns what to wait for then; 0 when the connection is over.
    unsigned take_turn(Socket& socket) {
        switch (state_) {
            case State::header: return read_header(socket);
            case State::body: return store(socket);
            case State::answer: return send(socket);
            case State::drain: return drain(socket);
        }
        return 0;
    }

private:
    enum class State { header, body, answer, drain };

    static unsigned failed(usocket::Error error, unsigned event) { return error.code() == EAGAIN ? event : 0; }

    // Something got done: a request has come, or bytes of a file have moved. Part of a header does not count, or who
    // sends it byte by byte would stay for ever.
    void put_deadline_off() { deadline_ = Deadline::after(settings_.idle_limit); }

    unsigned read_header(Socket& socket) {
        while (header_size_ < largest_header) {
            const auto piece = socket.readline(largest_header - header_size_);
            if (!piece) return failed(piece.error(), POLLIN);
            if (piece->empty()) return 0;
            header_size_ += piece->size();
            line_ += piece->view();
            if (!line_.ends_with('\n')) continue;
            const std::string line(trim(std::exchange(line_, {})));
            if (!line.empty()) {
                request_.add_line(line);
            } else if (!request_.method.empty()) {
                respond();
                request_ = Request();
                header_size_ = 0;
                return take_turn(socket);
            }
        }
        refuse("431 Request Header Fields Too Large");
        return send(socket);
    }

    void respond() {
        put_deadline_off();
        const std::string_view name = std::string_view(request_.path).substr(request_.path.starts_with('/') ? 1 : 0);
        after_body_ = request_.keeps_alive() ? State::header : State::drain;
        if (request_.method == "GET" && request_.path == "/") {
            answer("200 OK", "Hello from C++\n");
        } else if (request_.method != "GET" && request_.method != "PUT") {
            refuse("405 Method Not Allowed");
        } else if (name.empty() || name.starts_with('.') || name.find('/') != name.npos) {
            refuse("403 Forbidden");  // only plain names: nothing that could lead out of the folder
        } else if (request_.method == "GET") {
            start_sending(settings_.folder + "/" + std::string(name));
        } else {
            start_storing(settings_.folder + "/" + std::string(name));
        }
    }

    void say(std::string_view status, std::size_t length, std::string_view text, State next) {
        unsent_ = "HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(length) + "\r\n" +
                  (next == State::header ? "" : "Connection: close\r\n") + "\r\n" + std::string(text);
        state_ = State::answer;
        after_answer_ = next;
    }
    void answer(std::string_view status, std::string_view text) { say(status, text.size(), text, after_body_); }
    // What is left of the request is unknown, so nothing can follow it.
    void refuse(std::string_view status) { say(status, 6, "sorry\n", State::drain); }

    // Why a file could not be opened.
    static std::string_view open_error(std::string_view usually) {
        return errno == EMFILE || errno == ENFILE ? "503 Service Unavailable" : usually;
    }

    void start_sending(const std::string& path) {
        std::error_code unknown;
        if (!std::filesystem::is_regular_file(path, unknown)) return answer("404 Not Found", "no such file\n");
        file_.reset(std::fopen(path.c_str(), "rb"));
        if (!file_ || std::fseek(file_.get(), 0, SEEK_END) != 0) return answer(open_error("404 Not Found"), "sorry\n");
        file_left_ = static_cast<std::size_t>(std::ftell(file_.get()));
        std::rewind(file_.get());
        say("200 OK", file_left_, "", after_body_);
    }

    void start_storing(const std::string& path) {
        const std::string& length = request_.fields["content-length"];
        if (std::from_chars(length.data(), length.data() + length.size(), body_left_).ec != std::errc()) {
            return refuse("411 Length Required");
        }
        if (body_left_ > largest_file) return refuse("413 Content Too Large");
        file_.reset(std::fopen(path.c_str(), "wb"));
        if (!file_) return refuse(open_error("403 Forbidden"));
        stored_ = "stored " + length + " bytes\n";
        state_ = State::body;
        if (lower(request_.fields["expect"]) == "100-continue") {
            unsent_ = "HTTP/1.1 100 Continue\r\n\r\n";
            state_ = State::answer;
            after_answer_ = State::body;
        }
    }

    // What is unsent, filled up to a block from the file.
    unsigned send(Socket& socket) {
        const std::size_t had = unsent_.size();
        const std::size_t more = std::min(file_left_, block_size - had);
        unsent_.resize(had + more);
        if (more != 0 && std::fread(unsent_.data() + had, 1, more, file_.get()) != more) return 0;  // it has shrunk
        file_left_ -= more;
        const auto count = socket.write(unsent_);
        if (!count) return failed(count.error(), POLLOUT);
        put_deadline_off();
        unsent_.erase(0, *count);
        if (!unsent_.empty() || file_left_ != 0) return POLLOUT;
        state_ = after_answer_;
        if (state_ == State::body) return store(socket);
        file_.reset();
        if (state_ == State::drain) (void)socket.shutdown(SHUT_WR);
        return POLLIN;
    }

    unsigned store(Socket& socket) {
        if (body_left_ != 0) {
            const auto count = socket.readinto({block().data(), std::min(body_left_, block_size)});
            if (!count) return failed(count.error(), POLLIN);
            if (*count == 0) return 0;  // the body is shorter than it said
            put_deadline_off();
            if (std::fwrite(block().data(), 1, *count, file_.get()) != *count) return 0;
            body_left_ -= *count;
            if (body_left_ != 0) return POLLIN;
        }
        file_.reset();
        answer("201 Created", stored_);
        return send(socket);
    }

    // Waits for the client to close: with bytes of it unread, our close() would take the answer from it as well.
    unsigned drain(Socket& socket) {
        const auto count = socket.readinto(block());
        if (!count) return failed(count.error(), POLLIN);
        return *count == 0 ? 0U : unsigned{POLLIN};
    }

    // One for all: nothing stays in it between turns.
    static std::vector<char>& block() {
        static std::vector<char> block(block_size);
        return block;
    }

    const Settings& settings_;
    Deadline deadline_ = Deadline::after(settings_.idle_limit);
    State state_ = State::header;
    std::string line_;  // the part that has come
    std::size_t header_size_ = 0;
    Request request_;
    std::string unsent_;  // of the answer, at most a block
    State after_answer_ = State::header;
    State after_body_ = State::header;
    File file_;
    std::size_t file_left_ = 0;  // of the file that is sent
    std::size_t body_left_ = 0;  // of the file that is stored
    std::string stored_;         // what to say once it is
};

usocket::Server<Connection>* serving;

usocket::Result<void, usocket::EndpointError> serve(const Settings& settings, int port) {
    const Address address = USOCKET_TRY(Address::inet(AF_INET, "127.0.0.1", port));
    usocket::Server<Connection> server(USOCKET_TRY(usocket::listen(address)));
    USOCKET_TRY(print_port(server.listener()));
    serving = &server;
    for (const int number : {SIGINT, SIGTERM}) std::signal(number, [](int) { serving->stop(); });
    auto served = server.run([&] { return Connection(settings); });
    for (const int number : {SIGINT, SIGTERM}) std::signal(number, SIG_DFL);  // another one finds no server any more
    return served;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2 || argc > 4) {
        std::fprintf(stderr, "usage: http_server FOLDER [PORT [IDLE_S]]\n");
        return 2;
    }
    const Settings settings{argv[1], std::chrono::seconds(argc > 3 ? std::atoi(argv[3]) : 60)};
    const auto served = serve(settings, argc > 2 ? std::atoi(argv[2]) : 0);
    if (!served) std::fprintf(stderr, "http_server: %s\n", served.error().message());
    return served ? 0 : 1;
}
