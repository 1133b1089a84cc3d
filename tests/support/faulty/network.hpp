// The network in memory: what the files of the fault-injecting stack share.
#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "faulty.hpp"
#include "sys/sys.hpp"

namespace usocket::faulty {

struct Packet {
    std::string bytes;
    Address from;
};

// An open socket, or what a lookup waits on; descriptors share it.
struct File {
    enum class State { fresh, connecting, connected, listening, lookup, bell, growth, conduit };

    int family = 0;
    int type = 0;
    int proto = 0;
    bool nonblocking = false;
    State state = State::fresh;
    std::size_t descriptors = 0;
    Address local;
    Address remote;
    std::weak_ptr<File> peer;

    std::string stream;     // the receive queue...
    std::size_t taken = 0;  // ...without its first bytes
    // At how many bytes from here each receive ends: an urgent mark of TCP, parts that something came beside.
    std::deque<std::size_t> stops;
    // Of AF_UNIX: the urgent byte, if there is one, and at how many bytes from here. A receive passes it only if it
    // begins there, and does not show it.
    std::string urgent;
    std::size_t urgent_at = 0;
    std::deque<Packet> messages;
    std::uint64_t arrivals = 0;  // how often something has arrived, the end included
    std::weak_ptr<File> grows;   // of a growth: what it watches, and how many arrivals of it were taken
    std::uint64_t arrivals_taken = 0;
    std::size_t room = 64 * 1024;
    bool ended = false;        // no more will arrive
    bool cannot_send = false;  // shut down, or the connection is broken
    int error = 0;             // SO_ERROR
    bool is_unheard = false;   // connect() has not told yet that its attempt has failed
    int lowat = 1;             // SO_RCVLOWAT, which a poll honours if this is TCP

    std::deque<std::shared_ptr<File>> backlog;
    std::size_t backlog_limit = 0;
    std::deque<std::weak_ptr<File>> knocking;  // their handshake goes on until there is room for them
    std::map<std::pair<int, int>, std::string> options;

    [[nodiscard]] bool is_stream() const { return type == SOCK_STREAM; }
    [[nodiscard]] std::string_view queue() const { return std::string_view(stream).substr(taken); }
    // As far as the next receive gets.
    [[nodiscard]] std::string_view front() const;
    [[nodiscard]] bool is_empty() const { return is_stream() ? taken == stream.size() : messages.empty(); }
    void consume(std::size_t count);
    void arrive(std::string_view bytes);
    // How many bytes, or messages, may still be sent from here.
    [[nodiscard]] std::size_t room_at_peer() const;
    [[nodiscard]] unsigned events() const;
    [[nodiscard]] bool is_tcp() const { return is_stream() && family != AF_UNIX; }
    [[nodiscard]] bool can_receive() const { return !is_empty() || ended || error != 0; }
    [[nodiscard]] bool can_send() const { return cannot_send || error != 0 || room_at_peer() != 0; }
    void end();  // EOF arrives
    void break_connection();
    // Its last descriptor has gone.
    void closed();
};

struct Network {
    tests::Random random{0};
    Faults faults;
    std::array<std::size_t, kind_count> injected{};
    std::array<std::size_t, static_cast<std::size_t>(Sys::count)> calls{};
    std::size_t all_calls = 0;

    struct Failure {
        int code = 0;
        unsigned after = 0;
    };
    std::map<Sys, Failure> failures;
    unsigned refuse_after = 0;  // 1 + allocations until the one that is refused; 0: none is
    std::size_t largest_block = SIZE_MAX;

    std::jmp_buf* jump = nullptr;
    unsigned jump_in = 0;
    bool jump_after = false;
    bool jump_armed_now = false;  // out of the call that goes on
    unsigned held = 0;            // sys::hold_signals()
    bool jump_waits = false;      // for their release

    std::int64_t clock = 0;
    std::uint64_t event_count = 0;
    std::map<std::pair<std::int64_t, std::uint64_t>, std::function<void()>> events;
    std::function<bool()> idle;
    std::function<std::string()> explain;
    unsigned vain_waits = 0;  // one after the other that nothing came of

    std::vector<std::shared_ptr<File>> descriptors;
    std::map<std::string, std::weak_ptr<File>> bound;  // by the address's bytes
    std::uint16_t next_port = 40000;
    std::int64_t connect_time = 0;
    std::size_t live_blocks = 0;

    struct Name {
        std::vector<Address> addresses;
        std::int64_t takes = 0;
        int error = 0;
    };
    std::map<std::string, Name, std::less<>> names;

    std::vector<std::string> files;

    std::uint32_t forks = 0;
    std::uint32_t generation = 0;
};

Network& network();

// --- What each call begins and ends with
void begin(Sys call);
// A jump may come here too, though this is no system call.
void jump_point();
void signal_released();
// `is_noted`: its result is not lost if it jumps now.
void end(bool is_noted);
bool inject(Kind kind);
// What is in the way of a call, of the kinds given; Error() if nothing is.
template <class... Kinds> Error trouble(Sys call, File* file, Kinds... kinds);
Error planned_failure(Sys call);
Error random_failure(Kind kind, File* file);

template <class... Kinds> Error trouble(Sys call, File* file, Kinds... kinds) {
    if (inject(Kind::delay)) {
        const auto longest = static_cast<std::uint64_t>(network().faults.longest_delay);
        advance(static_cast<std::int64_t>(network().random.below(longest)));
    }
    if (const Error error = planned_failure(call); error != Error()) return error;
    Error error;
    ((error = error == Error() && inject(kinds) ? random_failure(kinds, file) : error), ...);
    return error;
}

// --- Descriptors
File* find(sys::Fd fd);
std::shared_ptr<File> shared(sys::Fd fd);
sys::Fd install(std::shared_ptr<File> file);
std::shared_ptr<File> make_file(int family, int type, int proto);
void connect_files(const std::shared_ptr<File>& one, const std::shared_ptr<File>& other);

// --- Waiting: the only thing that moves the clock
inline constexpr std::int64_t never = INT64_MAX;
// Lets time pass until the next event or the deadline. False: it is the deadline.
bool pass_time(std::int64_t deadline);
// Lets some time pass, less than there is until the next event.
void pass_some_time(std::int64_t deadline);

enum class Slept { ready, late, interrupted };
// Until `is_ready()`.
template <class Ready> Slept sleep(std::int64_t deadline, Ready is_ready) {
    for (;;) {
        if (is_ready()) return Slept::ready;
        if (inject(Kind::interrupt)) {
            pass_some_time(deadline);
            if (is_ready()) return Slept::ready;
            return now() >= deadline ? Slept::late : Slept::interrupted;
        }
        if (!pass_time(deadline)) return is_ready() ? Slept::ready : Slept::late;
    }
}

}  // namespace usocket::faulty
