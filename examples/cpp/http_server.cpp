// Serves the files of one folder over HTTP: http_server FOLDER [PORT]
//
// GET fetches a file, PUT stores one; connections are kept alive, any number of them is served by this one thread. A
// connection does as much as it can without waiting and then says what it waits for, POLLIN or POLLOUT; Poll says whose
// turn it is. Listens on 127.0.0.1, on a free port unless told which, and prints the port.
#include <usocket/usocket.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "listen.hpp"
#include "text.hpp"

namespace {

using usocket::Poll;
using usocket::Socket;

constexpr std::size_t block_size = 64 * 1024;  // how much of a file is in memory at a time
constexpr std::size_t longest_line = 4096;     // of a request's header

using File = std::unique_ptr<std::FILE, decltype([](std::FILE* file) { std::fclose(file); })>;

std::string header(std::string_view status, std::size_t length) {
    return "HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

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
    Connection(Socket socket, std::string folder) : socket_(std::move(socket)), folder_(std::move(folder)) {}

    Socket& socket() { return socket_; }

    // Goes on until it would have to wait: then the event it waits for; 0 when the connection is over.
    unsigned resume() {
        for (;;) {
            const Step step = !unsent_.empty() || file_left_ != 0 ? send() : body_left_ != 0 ? store() : read_line();
            if (step == Step::over) return 0;
            if (step == Step::wait_to_read) return POLLIN;
            if (step == Step::wait_to_write) return POLLOUT;
        }
    }

private:
    enum class Step { done, wait_to_read, wait_to_write, over };
    enum class After { next_request, close, drain };  // what comes after the answer

    static Step failed(usocket::Error error, Step wait) { return error.code() == EAGAIN ? wait : Step::over; }

    // A line of the header, or the part of it that has come; the empty line ends the header.
    Step read_line() {
        if (after_ == After::close) return Step::over;
        if (after_ == After::drain) return drain();
        const auto piece = socket_.readline(longest_line - line_.size());
        if (!piece) return failed(piece.error(), Step::wait_to_read);
        if (piece->empty()) return Step::over;
        line_ += piece->view();
        if (!line_.ends_with('\n')) {
            if (line_.size() == longest_line) refuse("431 Request Header Fields Too Large");
            return Step::done;
        }
        const std::string line(trim(line_));
        line_.clear();
        if (!line.empty()) {
            request_.add_line(line);
        } else if (!request_.method.empty()) {
            respond();
            request_ = Request();
        }
        return Step::done;
    }

    void respond() {
        after_ = request_.keeps_alive() ? After::next_request : After::close;
        const std::string_view name = std::string_view(request_.path).substr(request_.path.starts_with('/') ? 1 : 0);
        if (request_.method == "GET" && request_.path == "/") {
            answer("200 OK", "Hello from C++\n");
        } else if (request_.method != "GET" && request_.method != "PUT") {
            refuse("405 Method Not Allowed");
        } else if (name.empty() || name.starts_with('.') || name.find('/') != name.npos) {
            refuse("403 Forbidden");  // only plain names: nothing that could lead out of the folder
        } else if (request_.method == "GET") {
            start_sending(folder_ + "/" + std::string(name));
        } else {
            start_storing(folder_ + "/" + std::string(name));
        }
    }

    void answer(std::string_view status, std::string_view text) { unsent_ += header(status, text.size()) += text; }

    // What is left of the request is unknown, so nothing can follow it.
    void refuse(std::string_view status) {
        after_ = After::drain;
        unsent_ = "HTTP/1.1 " + std::string(status) + "\r\nConnection: close\r\nContent-Length: 6\r\n\r\nsorry\n";
    }

    // Waits for the client to close: with bytes of it unread, our close() would take the answer from it as well.
    Step drain() {
        (void)socket_.shutdown(SHUT_WR);
        const auto count = socket_.readinto(block());
        if (!count) return failed(count.error(), Step::wait_to_read);
        return *count == 0 ? Step::over : Step::done;
    }

    static std::vector<char>& block() {
        static std::vector<char> block(block_size);
        return block;
    }

    void start_sending(const std::string& path) {
        file_.reset(std::fopen(path.c_str(), "rb"));
        if (!file_ || std::fseek(file_.get(), 0, SEEK_END) != 0) return answer("404 Not Found", "no such file\n");
        file_left_ = static_cast<std::size_t>(std::ftell(file_.get()));
        std::rewind(file_.get());
        unsent_ = header("200 OK", file_left_);
    }

    void start_storing(const std::string& path) {
        const std::string& length = request_.fields["content-length"];
        if (std::from_chars(length.data(), length.data() + length.size(), body_left_).ec != std::errc()) {
            return refuse("411 Length Required");
        }
        file_.reset(std::fopen(path.c_str(), "wb"));
        if (!file_) return refuse("403 Forbidden");
        if (lower(request_.fields["expect"]) == "100-continue") unsent_ = "HTTP/1.1 100 Continue\r\n\r\n";
        stored_ = "stored " + length + " bytes\n";
        if (body_left_ == 0) finish_storing();
    }

    void finish_storing() {
        file_.reset();
        answer("201 Created", stored_);
    }

    Step send() {
        if (unsent_.empty()) {
            unsent_.resize(std::min(file_left_, block_size));
            if (std::fread(unsent_.data(), 1, unsent_.size(), file_.get()) != unsent_.size()) return Step::over;
            file_left_ -= unsent_.size();
        }
        const auto count = socket_.write(unsent_);
        if (!count) return failed(count.error(), Step::wait_to_write);
        unsent_.erase(0, *count);
        return Step::done;
    }

    Step store() {
        const auto count = socket_.readinto({block().data(), std::min(body_left_, block_size)});
        if (!count) return failed(count.error(), Step::wait_to_read);
        if (*count == 0) return Step::over;  // the body is shorter than it said
        if (std::fwrite(block().data(), 1, *count, file_.get()) != *count) return Step::over;
        body_left_ -= *count;
        if (body_left_ == 0) finish_storing();
        return Step::done;
    }

    Socket socket_;
    std::string folder_;
    std::string line_;  // the part that has come
    Request request_;
    After after_ = After::next_request;
    std::string unsent_;  // sent before anything else
    File file_;
    std::size_t file_left_ = 0;  // of the file that is sent
    std::size_t body_left_ = 0;  // of the file that is stored
    std::string stored_;         // what to say once it is
};

int fail(const char* what, usocket::Error error) {
    std::fprintf(stderr, "http_server: %s: %s\n", what, error.message());
    return 1;
}

// Takes a new client in. One that has gone again is no reason to stop.
void accept(Socket& listener, Poll& poll, std::list<Connection>& connections, const std::string& folder) {
    auto accepted = listener.accept();
    if (!accepted || !accepted->socket.setblocking(false)) return;
    Connection& connection = connections.emplace_back(std::move(accepted->socket), folder);
    if (!poll.register_(connection.socket(), POLLIN, &connection)) connections.pop_back();
}

usocket::Result<void> serve(Socket& listener, const std::string& folder) {
    Poll poll;
    if (const auto done = poll.register_(listener, POLLIN, nullptr); !done) return done.error();
    std::list<Connection> connections;
    Poll::Event events[64];
    for (;;) {
        const auto ready = poll.poll(events);
        if (!ready) return ready.error();
        for (std::size_t i = 0; i < *ready; ++i) {
            auto* connection = static_cast<Connection*>(events[i].userdata);
            if (connection == nullptr) {
                accept(listener, poll, connections, folder);
            } else if (const unsigned wanted = connection->resume(); wanted != 0) {
                if (const auto done = poll.modify(events[i].registration, wanted); !done) return done.error();
            } else {
                poll.unregister(events[i].registration);
                connections.remove_if([&](const Connection& one) { return &one == connection; });
            }
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2 && argc != 3) {
        std::fprintf(stderr, "usage: http_server FOLDER [PORT]\n");
        return 2;
    }
    auto listener = listen_on(argc == 3 ? std::atoi(argv[2]) : 0);
    if (!listener) return fail("listening", listener.error());
    if (const auto printed = print_port(*listener); !printed) return fail("getsockname", printed.error());
    return fail("polling", serve(*listener, argv[1]).error());
}
