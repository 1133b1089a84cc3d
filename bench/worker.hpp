// A worker: does one work item again and again for one contestant. The items are here, the same loops for all; a
// contestant supplies its Net (see worker_raw.cpp for what that has).
//
//   bench_<contestant> ITEM PORT CERTIFICATES     PORT: the peer's (peer.cpp)
//
// It prints "ready", then reads from its standard input, line by line, how many operations to do, and prints how many
// it has done (all sockets are registered at once), the nanoseconds they took (for `memory`: bytes), how many system
// calls in between were the bench's own, and the operations' minor page faults and context switches.
#pragma once

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "posix.hpp"

namespace bench {

struct Sample {
    std::int64_t operations = 0;
    std::int64_t value = 0;
    std::int64_t own_calls = 0;
    std::int64_t faults = 0;
    std::int64_t switches = 0;

    Sample& operator+=(const Sample& other) {
        operations += other.operations;
        value += other.value;
        own_calls += other.own_calls;
        faults += other.faults;
        switches += other.switches;
        return *this;
    }
};

using Item = std::function<Sample(std::int64_t)>;

inline std::int64_t now() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// What `body` takes, as one operation: nanoseconds, page faults, context switches. The clock does not run while the
// system is asked for the others.
template <class Body> Sample measured(const Body& body) {
    rusage before{};
    ::getrusage(RUSAGE_SELF, &before);
    const std::int64_t begin = now();
    body();
    const std::int64_t end = now();
    rusage after{};
    ::getrusage(RUSAGE_SELF, &after);
    return {1, end - begin, 0, after.ru_minflt - before.ru_minflt,
            after.ru_nvcsw - before.ru_nvcsw + after.ru_nivcsw - before.ru_nivcsw};
}

// What the peer fills a pipe with at once: less than a queue holds with Debian's default limits.
constexpr std::size_t pipe_bytes = 192 * 1024;
constexpr int receive_buffer = 1024 * 1024;
constexpr std::size_t largest_line = 4096;
constexpr std::size_t write_block = 1024 * 1024;
constexpr auto timeout = std::chrono::seconds(10);

// The control connection to the peer, by plain system calls, which it counts.
class Peer {
public:
    explicit Peer(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const sockaddr_in address = loopback(port);
        must(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
             "connecting to the peer");
        data_port_ = read_number();
    }

    // Where the peer takes data connections.
    [[nodiscard]] std::uint16_t data_port() const { return data_port_; }
    [[nodiscard]] std::int64_t calls() const { return calls_; }

    void tell(const std::string& command) {
        ++calls_;
        const std::string line = command + "\n";
        must(::send(fd_.get(), line.data(), line.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(line.size()),
             "telling the peer");
    }
    void ask(const std::string& command) {
        tell(command);
        hear_ok();
    }
    void hear_ok() { must(read_reply() == "ok\n", "the peer's answer"); }
    std::uint16_t free_port() {
        tell("port");
        return read_number();
    }

private:
    std::string read_reply() {
        ++calls_;
        char reply[16];
        const ssize_t size = ::recv(fd_.get(), reply, sizeof reply, 0);
        must(size > 0, "hearing from the peer");
        return {reply, static_cast<std::size_t>(size)};
    }
    std::uint16_t read_number() { return static_cast<std::uint16_t>(std::stoi(read_reply())); }

    Fd fd_;
    std::uint16_t data_port_ = 0;
    std::int64_t calls_ = 0;
};

// Owned bytes that grow by doubling.
struct Bytes {
    char* data = nullptr;
    std::size_t length = 0;
    std::size_t capacity = 0;

    Bytes() = default;
    Bytes(Bytes&& other) noexcept { *this = std::move(other); }
    Bytes& operator=(Bytes&& other) noexcept {
        std::swap(data, other.data);
        std::swap(length, other.length);
        std::swap(capacity, other.capacity);
        return *this;
    }
    ~Bytes() { std::free(data); }

    [[nodiscard]] std::size_t size() const { return length; }
    void reserve(std::size_t wanted) {
        data = static_cast<char*>(std::realloc(data, wanted));
        must(data != nullptr, "realloc()");
        capacity = wanted;
    }
};

// Lines out of a buffer that is read ahead, for contestants that have none.
class LineReader {
public:
    // The line with its newline into the caller's memory, as fgets(3) does it. `recv` gives what there is; 0: the end.
    template <class Recv> std::size_t read_line(char* line, std::size_t size, const Recv& recv) {
        std::size_t done = 0;
        while (done < size) {
            if (begin_ == end_) {
                begin_ = 0;
                end_ = recv(buffer().data(), buffer().size());
                if (end_ == 0) break;
            }
            const char* from = buffer().data() + begin_;
            const std::size_t there = std::min(end_ - begin_, size - done);
            const void* newline = std::memchr(from, '\n', there);
            const std::size_t count =
                newline == nullptr ? there : static_cast<std::size_t>(static_cast<const char*>(newline) - from) + 1;
            std::memcpy(line + done, from, count);
            begin_ += count;
            done += count;
            if (newline != nullptr) break;
        }
        return done;
    }

private:
    std::vector<char>& buffer() {
        if (!buffer_) buffer_ = std::make_unique<std::vector<char>>(64 * 1024);
        return *buffer_;
    }

    std::unique_ptr<std::vector<char>> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

// Resident bytes of this process.
inline std::int64_t resident_bytes() {
    long unused = 0;
    long pages = 0;
    std::FILE* file = std::fopen("/proc/self/statm", "r");
    must(file != nullptr && std::fscanf(file, "%ld %ld", &unused, &pages) == 2, "/proc/self/statm");
    std::fclose(file);
    return pages * ::sysconf(_SC_PAGESIZE);
}

// The items of a connected stream, whatever is under it.
template <class Stream> class StreamItems {
public:
    using StreamPointer = std::shared_ptr<Stream>;
    using Connect = std::function<StreamPointer()>;

protected:
    explicit StreamItems(Peer& peer) : peer_(peer) {}

    // The time that `operation` takes `count` times, and the calls of the bench's own since `calls_before`.
    template <class Operation>
    Sample timed(std::int64_t count, std::int64_t calls_before, const Operation& operation) const {
        Sample sample = measured([&] {
            for (std::int64_t i = 0; i < count; ++i) operation();
        });
        sample.operations = count;
        sample.own_calls = peer_.calls() - calls_before;
        return sample;
    }

    // --- Out of a full pipe: the peer fills the queue, then the clock runs while the worker empties it.
    template <class Operation> Item emptying(std::size_t unit, Operation operation) {
        return [this, unit, operation](std::int64_t count) {
            const auto most = static_cast<std::int64_t>(pipe_bytes / unit);
            const std::int64_t calls_before = peer_.calls();
            Sample total;
            while (total.operations < count) {
                const std::int64_t part = std::min(most, count - total.operations);
                peer_.ask("fill " + std::to_string(static_cast<std::size_t>(part) * unit) + " " +
                          std::to_string(std::min(unit, largest_line)));
                total += timed(part, peer_.calls(), operation);
            }
            total.own_calls = peer_.calls() - calls_before;
            return total;
        };
    }

    Item lines(StreamPointer stream, std::size_t length) {
        return emptying(length, [stream, length] {
            char line[largest_line];
            must(stream->read_line(line, sizeof line) == length && line[length - 1] == '\n', "a line");
        });
    }

    // --- There and back
    Item round_trip(StreamPointer stream) {
        peer_.tell("echo");
        return [this, stream](std::int64_t count) {
            char bytes[64] = {};
            return timed(count, peer_.calls(), [&] {
                must(stream->send(bytes, sizeof bytes) == sizeof bytes, "sending 64 bytes");
                must(stream->recv(bytes, sizeof bytes) == sizeof bytes, "64 bytes back");
            });
        };
    }

    // --- In bulk
    Item read_eof(Connect connect, std::size_t size) {
        return [this, connect, size](std::int64_t count) {
            Sample total;
            for (std::int64_t i = 0; i < count; ++i) {
                const std::int64_t calls_before = peer_.calls();
                auto stream = connect();
                total += timed(1, calls_before, [&] {
                    peer_.tell("source " + std::to_string(size));
                    must(stream->read_all().size() == size, "all bytes to EOF");
                });
            }
            return total;
        };
    }

    Item write(StreamPointer stream) {
        peer_.ask("sink");
        auto block = std::make_shared<std::vector<char>>(write_block);
        return [this, stream, block](std::int64_t count) {
            return timed(count, peer_.calls(), [&] { stream->write(block->data(), block->size()); });
        };
    }

    Peer& peer_;
};

template <class Net> class Items : StreamItems<typename Net::Stream> {
public:
    using Stream = typename Net::Stream;

    Items(Peer& peer, const std::string& /*certificates*/) : StreamItems<Stream>(peer) {}

    // Empty if there is no such item.
    Item make(std::string_view name) {
        if (name == "lines_80") return this->lines(connected(), 80);
        if (name == "lines_8") return this->lines(connected(), 8);
        if (name == "echo_line") return echo_line();
        if (name == "round_trip") return this->round_trip(connected());
        if (name == "recv_64") return recv(connected());
        if (name == "read_16") return read(16);
        if (name == "read_64k") return read(64 * 1024);
        if (name == "readinto_4k") return readinto(4096);
        if (name == "read_eof_1m") return this->read_eof([this] { return connected(); }, 1 << 20);
        if (name == "read_eof_16m") return this->read_eof([this] { return connected(); }, 16 << 20);
        if (name == "read_eof_256m") return this->read_eof([this] { return connected(); }, 256 << 20);
        if (name == "write_1m") return this->write(connected());
        if (name == "connect") return connect();
        if (name == "udp") return udp();
        if (const std::size_t size = number_behind("poll_", name)) return poll(size);
        if (const std::size_t size = number_behind("register_", name)) return registering(size);
        if (name == "memory") return memory();
        if constexpr (requires(Stream stream) { stream.set_timeout(); }) {
            if (name == "round_trip_timeout") return this->round_trip(connected_with_timeout());
            if (name == "recv_64_timeout") return recv(connected_with_timeout());
        }
        return {};
    }

private:
    using typename StreamItems<Stream>::StreamPointer;
    using StreamItems<Stream>::emptying;
    using StreamItems<Stream>::peer_;
    using StreamItems<Stream>::timed;

    // 0 if the name begins otherwise.
    static std::size_t number_behind(std::string_view prefix, std::string_view name) {
        if (!name.starts_with(prefix)) return 0;
        return static_cast<std::size_t>(std::atoi(name.substr(prefix.size()).data()));
    }

    StreamPointer connected() {
        auto stream = std::make_shared<Stream>();
        stream->connect(peer_.data_port());
        peer_.ask("accept");
        return stream;
    }
    StreamPointer connected_with_timeout() {
        auto stream = connected();
        stream->set_timeout();
        return stream;
    }

    Item recv(StreamPointer stream) {
        return emptying(64, [stream] {
            char bytes[64];
            must(stream->recv(bytes, sizeof bytes) == sizeof bytes, "64 bytes");
        });
    }

    Item read(std::size_t size) {
        auto stream = connected();
        return emptying(size, [stream, size] { must(stream->read(size).size() == size, "the bytes"); });
    }

    Item readinto(std::size_t size) {
        auto stream = connected();
        auto buffer = std::make_shared<std::vector<char>>(size);
        return emptying(size, [stream, buffer] {
            must(stream->readinto(buffer->data(), buffer->size()) == buffer->size(), "the bytes");
        });
    }

    // --- There and back
    Item echo_line() {
        auto stream = connected();
        peer_.tell("echo");
        return [this, stream](std::int64_t count) {
            const std::string out = std::string(79, 'x') + "\n";
            char line[largest_line];
            return timed(count, peer_.calls(), [&] {
                stream->write(out.data(), out.size());
                must(stream->read_line(line, sizeof line) == out.size(), "the line back");
            });
        };
    }

    // --- Without the peer: both ends are the worker's
    Item connect() {
        return [this](std::int64_t count) {
            typename Net::Listener listener;  // a port of its own each time: old connections linger in TIME_WAIT
            const std::uint16_t port = listener.port();
            return timed(count, peer_.calls(), [&] {
                Stream ours;
                ours.connect(port);
                Stream theirs = listener.accept();
                ours.close();
                theirs.close();
            });
        };
    }

    Item udp() {
        auto from = std::make_shared<typename Net::Datagram>();
        auto to = std::make_shared<typename Net::Datagram>();
        from->bind();
        to->bind();
        return [this, from, to](std::int64_t count) {
            const auto address = to->address();
            char bytes[64] = {};
            return timed(count, peer_.calls(), [&] {
                must(from->send_to(bytes, sizeof bytes, address) == sizeof bytes, "a datagram out");
                must(to->receive_from(bytes, sizeof bytes) == sizeof bytes, "a datagram in");
            });
        };
    }

    using Watched = typename Net::Watched;
    static std::shared_ptr<std::vector<Watched>> many(std::size_t count) {
        auto sockets = std::make_shared<std::vector<Watched>>(count);
        for (Watched& one : *sockets) one.open();
        return sockets;
    }

    // One of the sockets has a datagram to read, and keeps it.
    Item poll(std::size_t size) {
        auto sockets = many(size);
        auto poller = std::make_shared<typename Net::Poller>(size);
        for (Watched& one : *sockets) poller->add(one);
        Watched& ready = (*sockets)[size / 2];
        ready.send_to_itself();
        return [this, sockets, poller](std::int64_t count) {
            return timed(count, peer_.calls(), [&] { must(poller->wait() == 1, "one ready socket"); });
        };
    }

    Item registering(std::size_t size) {
        auto sockets = many(size);
        return [this, sockets, size](std::int64_t count) {
            Sample total;
            while (total.operations < count) {
                std::optional<typename Net::Poller> poller;
                total += measured([&] {
                    poller.emplace(size);
                    for (Watched& one : *sockets) poller->add(one);
                });
                total.operations += static_cast<std::int64_t>(size) - 1;
            }
            return total;
        };
    }

    static Item memory() {
        return [](std::int64_t count) {
            const std::int64_t before = resident_bytes();
            std::vector<Stream> sockets;
            Sample sample = measured([&] {
                sockets = std::vector<Stream>(static_cast<std::size_t>(count));
                for (Stream& one : sockets) one.open();
            });
            sample.operations = count;
            sample.value = resident_bytes() - before;
            return sample;
        };
    }
};

// `Items`: what makes an item out of its name.
template <class Items> int worker_main(int argc, char** argv) {
    must(argc == 4, "usage: <worker> ITEM PORT CERTIFICATES");
    Peer peer(static_cast<std::uint16_t>(std::atoi(argv[2])));
    Items items(peer, argv[3]);
    const Item item = items.make(argv[1]);
    errno = 0;
    must(static_cast<bool>(item), "this contestant has no such item");
    std::puts("ready");
    std::fflush(stdout);
    long long count = 0;
    while (std::scanf("%lld", &count) == 1) {
        const Sample sample = item(count);
        for (const std::int64_t number :
             {sample.operations, sample.value, sample.own_calls, sample.faults, sample.switches}) {
            std::printf("%lld ", static_cast<long long>(number));
        }
        std::puts("");
        std::fflush(stdout);
    }
    return 0;
}

}  // namespace bench
