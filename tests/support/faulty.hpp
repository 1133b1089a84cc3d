// The controls of the fault-injecting stack (tests/support/faulty/): a network in memory, behind the core's seam, with
// a clock of its own that only waiting moves. Everything that happens follows from the seed and what the test does.
//
// One thread. What "other threads", signal handlers and peers do is done by events and by the host's hooks, in the
// middle of the core's calls.
#pragma once

#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "random.hpp"
#include "usocket/usocket.hpp"

namespace usocket::faulty {

// The system calls, one for each function of the seam that has one.
// clang-format off
#define USOCKET_FAULTY_CALLS(X) \
    X(open) X(open_pair) X(inspect) X(duplicate) X(close) X(set_nonblocking) \
    X(bind) X(listen) X(accept) X(connect) X(shutdown) \
    X(recv) X(recvfrom) X(recv_noted) X(discard) X(send) X(sendto) X(sendmsg) X(recvmsg) X(sendfile) \
    X(conduit_take) X(conduit_pass) \
    X(setsockopt) X(getsockopt) X(getsockname) X(getpeername) X(wait) X(poller_wait)
// clang-format on

enum class Sys : std::uint8_t {
#define USOCKET_FAULTY_CALL(name) name,
    USOCKET_FAULTY_CALLS(USOCKET_FAULTY_CALL)
#undef USOCKET_FAULTY_CALL
        count
};
[[nodiscard]] const char* name_of(Sys call) noexcept;

// What can go wrong at a call.
#define USOCKET_FAULTY_FAULTS(X) \
    X(cut)        /* a transfer moves less than it could */ \
    X(interrupt)  /* EINTR, at once or after waiting for a while */ \
    X(again)      /* EAGAIN though it could be done */ \
    X(no_buffers) /* ENOBUFS */ \
    X(no_memory)  /* ENOMEM */ \
    X(reset)      /* the connection breaks: ECONNRESET, once */ \
    X(delay)      /* it takes up to Faults::longest_delay */ \
    X(spurious)   /* a wait says ready, and nothing is */ \
    X(refuse)     /* sys::resize() has no memory */

enum class Kind : std::uint8_t {
#define USOCKET_FAULTY_FAULT(name) name,
    USOCKET_FAULTY_FAULTS(USOCKET_FAULTY_FAULT)
#undef USOCKET_FAULTY_FAULT
        count
};
inline constexpr std::size_t kind_count = static_cast<std::size_t>(Kind::count);

// How often, in a thousand calls that it can happen to.
class Faults {
public:
    unsigned& operator[](Kind kind) noexcept { return per_mille_[static_cast<std::size_t>(kind)]; }
    unsigned operator[](Kind kind) const noexcept { return per_mille_[static_cast<std::size_t>(kind)]; }

    std::int64_t longest_delay = 1'000'000;

private:
    std::array<unsigned, kind_count> per_mille_{};
};

// Forgets everything: descriptors, names, events, counts; no faults, and now() starts anew. No socket may be left.
void reset(std::uint64_t seed);
void set_faults(const Faults& faults);
// No faults in a scope, for what the test itself has to do.
class Calm {
public:
    Calm();
    explicit Calm(Kind kind);  // none of this kind
    ~Calm();
    Calm(const Calm&) = delete;
    Calm& operator=(const Calm&) = delete;

private:
    Faults before_;
};

// How many of a kind there have been since reset().
[[nodiscard]] std::size_t injected(Kind kind);
// How many calls there have been since reset().
[[nodiscard]] std::size_t calls(Sys call);
[[nodiscard]] std::size_t calls();
// After this many calls more of this kind the next one fails with `code`, before it does anything.
void fail(Sys call, int code, unsigned after = 0);
// After this many allocations more the next one finds no memory.
void refuse_memory(unsigned after);
// From now on there is no memory for more than this at once; SIZE_MAX: there is.
void limit_memory(std::size_t most);

// --- A signal handler that longjmps
// After `calls` system calls more (of those that a reading or sending call makes), the next one does not return but
// jumps: before it does its work, or after, with its result lost but for what its note says.
void arm_jump(std::jmp_buf& target, unsigned calls, bool after);
void disarm_jump();

// --- Time, in nanoseconds
[[nodiscard]] std::int64_t now();
void advance(std::int64_t span);
// Runs `event` when the clock gets there.
void at(std::int64_t time, std::function<void()> event);
// What is done when everybody waits and nothing is to come; true if that changed something. Otherwise the program
// hangs: it is ended, with what `explain` prints.
void when_idle(std::function<bool()> idle);
void explain_hangs(std::function<std::string()> explain);

// --- Descriptors and memory, to see that nothing leaks
[[nodiscard]] std::size_t open_descriptors();
[[nodiscard]] std::size_t live_blocks();

struct File;  // an open socket, whatever descriptors it has

// Another holder of a socket's descriptor, as after dup() or fork(): what it sees does not pass by the core.
class Holder {
public:
    Holder() = default;
    explicit Holder(std::shared_ptr<File> file) : file_(std::move(file)) {}

    // All that is in the receive queue.
    [[nodiscard]] std::string queue() const;
    // Takes up to `size` bytes off it.
    std::string read(std::size_t size);
    // poll(2)'s events.
    [[nodiscard]] unsigned poll() const;
    [[nodiscard]] bool readable() const;

private:
    std::shared_ptr<File> file_;
};

// The other end of a connection.
class Peer {
public:
    Peer() = default;
    // Takes over the descriptor.
    explicit Peer(int fd);
    Peer(Peer&&) noexcept = default;
    Peer& operator=(Peer&& other) noexcept {
        std::swap(file_, other.file_);
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Peer();

    // Whatever the queue's limit.
    // Returns how many bytes arrive: none on a connection that is broken or closed.
    std::size_t feed(std::string_view bytes);
    // What is fed next stands behind an urgent mark, on TCP, or something has come beside what was fed: a receive, or a
    // peek, ends there.
    void mark();
    // An urgent byte, on AF_UNIX.
    void urge(char byte);
    // Takes what has arrived, at most `size` bytes.
    std::string take(std::size_t size = SIZE_MAX);
    [[nodiscard]] std::size_t arrived() const;
    // Takes no more than this before somebody takes it away.
    void set_room(std::size_t room);
    void shut_down();  // the stream ends
    void reset();      // the connection breaks
    // Who has the same descriptor as the socket that this is the peer of.
    [[nodiscard]] Holder holder_of_socket() const;

private:
    std::shared_ptr<File> file_;
    int fd_ = -1;
};

// A connected socket and its other end.
struct Connection {
    Socket socket;
    Peer peer;
};
[[nodiscard]] Connection connect_pair(int af, int type);

// How long a connection takes to be established; 0: at once. Blocking or not, as the system.
void set_connect_time(std::int64_t span);

// A file for sendfile(): its descriptor, which is no socket's.
[[nodiscard]] int add_file(std::string content);

// --- Names, for getaddrinfo()
void add_name(std::string_view name, std::vector<Address> addresses, std::int64_t takes, int error = 0);

// Whether the core is told that nothing else goes on in the process: only while no event does what another thread would
// do to the socket. No, until a test says so.
void set_single_threaded(bool is_so);

// --- A fork, in which this process goes on as the parent or as the child
void fork_as_parent();
void fork_as_child();

}  // namespace usocket::faulty
