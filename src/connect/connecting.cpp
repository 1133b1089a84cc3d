// Connecting: a race of a host's addresses (RFC 8305), by non-blocking sockets in a poll. It allocates nothing of its
// own: what it has under way lies in the caller's frame, where a longjmp leaves it to be ended by unwound().
#include <algorithm>
#include <cerrno>

#include "sys/sys.hpp"
#include "usocket/connect.hpp"
#include "wait/blocking.hpp"
#include "wait/held.hpp"
#include "wait/uncancelled.hpp"

namespace usocket {
namespace {

bool is_under_way(Error error) noexcept { return error == Error(EINPROGRESS) || error == Error(EINTR); }

constexpr std::int64_t never = INT64_MAX;

std::int64_t later(std::int64_t now, std::int64_t span) noexcept { return span > never - now ? never : now + span; }

// What is left of the deadline, but no more than `span`.
Timeout earlier(Timeout left, std::int64_t span) noexcept {
    return left.is_none() || left.nanoseconds() > span ? Timeout::of_nanoseconds(span) : left;
}

}  // namespace

// --- Whom to try

Error Connecting::resolve(std::string_view host, Service service, const ConnectOptions& options, Call& call) noexcept {
    const int family = options.source.empty() ? options.family : options.source.family();
    const auto found =
        getaddrinfo_into(found_, host, service, family, sys::sock_stream, 0, 0, static_cast<Call&&>(call));
    if (!found) return found.error();
    std::fill_n(next_of_, 2, found_.begin());
    return Error();
}

// The families take turns, as long as there are both. False: there is no other.
bool Connecting::take_candidate(AddressInfo& candidate) noexcept {
    const int first_family = found_.front().family;
    for (int turn = 0; turn < 2; ++turn) {
        const bool is_other = is_other_next_;
        is_other_next_ = !is_other_next_;
        AddressInfoList::Iterator& next = next_of_[is_other ? 1 : 0];
        while (next != found_.end()) {
            candidate = *next++;
            if ((candidate.family != first_family) == is_other) return true;
        }
    }
    return false;
}

bool Connecting::has_one_candidate() const noexcept { return std::next(found_.begin()) == found_.end(); }

// --- One attempt

// Bound, if it has to be.
Result<Socket> Connecting::open(const AddressInfo& candidate, const ConnectOptions& options) noexcept {
    auto socket = Socket::open(candidate.family, candidate.type, candidate.proto);
    if (!socket || options.source.empty()) return socket;
    if (const auto bound = socket->bind(options.source); !bound) return bound.error();
    return socket;
}

// Error() if it is connected at once; EINPROGRESS, and the poll watches it.
Error Connecting::start(const AddressInfo& candidate, const ConnectOptions& options, Attempt& attempt) noexcept {
    const Held held;
    attempt.address = candidate.sockaddr;
    attempt.started = sys::now();
    auto opened = open(candidate, options);
    if (!opened) return opened.error();
    attempt.socket = *std::move(opened);
    if (const auto set = attempt.socket.setblocking(false); !set) return set.error();
    const auto connected = attempt.socket.connect(attempt.address);
    if (!is_under_way(connected.error())) return connected.error();
    const auto registered = poll_.register_(attempt.socket, sys::poll_out, &attempt);
    return registered ? Error(EINPROGRESS) : registered.error();
}

// How an attempt has ended that the poll says has.
Error Connecting::outcome(Attempt& attempt) noexcept {
    const auto asked = attempt.socket.getsockopt(sys::sol_socket, sys::so_error);
    if (!asked || *asked != 0) return asked ? Error(*asked) : asked.error();
    // Told so once more, Linux takes it for connected.
    (void)attempt.socket.connect(attempt.address);
    return Error();
}

void Connecting::fail(Attempt& attempt, Error why) noexcept {
    const Held held;
    failure_.add(attempt.address, why);
    (void)poll_.unregister(attempt.socket);
    attempt.socket.close();
}

Connecting::Attempt* Connecting::free_attempt() noexcept {
    const auto found =
        std::find_if(attempts_.begin(), attempts_.end(), [](const Attempt& one) { return one.socket.closed(); });
    return found == attempts_.end() ? nullptr : &*found;
}

Connecting::Attempt& Connecting::oldest_attempt() noexcept {
    return *std::min_element(attempts_.begin(), attempts_.end(),
                             [](const Attempt& one, const Attempt& other) { return one.started < other.started; });
}

// For the candidate that waits. Where all are under way, an address that has had its time makes room for one that has
// had none; nullptr: not yet.
Connecting::Attempt* Connecting::make_room(std::int64_t now) noexcept {
    if (Attempt* const found = free_attempt()) return found;
    Attempt& oldest = oldest_attempt();
    if (now < later(oldest.started, patience_)) return nullptr;
    fail(oldest, Error(ETIMEDOUT));
    return &oldest;
}

bool Connecting::is_idle() const noexcept {
    return std::all_of(attempts_.begin(), attempts_.end(), [](const Attempt& one) { return one.socket.closed(); });
}

// --- The race

// The only address there is: no need for a poll.
Result<Connecting::Attempt*> Connecting::connect_only(const ConnectOptions& options, Call& call) noexcept {
    Attempt& attempt = attempts_.front();
    {
        const Held held;
        attempt.address = found_.front().sockaddr;
        auto opened = open(found_.front(), options);
        if (!opened) return opened.error();
        attempt.socket = *std::move(opened);
        // So that it need not stay non-blocking for the sake of the deadline.
        if (const auto set = attempt.socket.setblocking(!call.has_deadline_); !set) return set.error();
    }
    const auto connected = attempt.socket.connect(attempt.address, static_cast<Call&&>(call));
    return connected ? Result<Attempt*>(&attempt) : connected.error();
}

// Until an attempt ends, or the span: the one that is connected, or nullptr. Errors end the race.
Result<Connecting::Attempt*> Connecting::wait(Timeout span, Call& call) noexcept {
    Poll::Event events[most_at_once];
    Call waiting;
    waiting.host_ = call.host_;
    const auto ready = poll_.poll(events, most_at_once, span, false, static_cast<Call&&>(waiting));
    if (!ready) return ready.error();
    for (std::size_t i = 0; i < *ready; ++i) {
        auto& attempt = *static_cast<Attempt*>(events[i].userdata);
        const Error error = outcome(attempt);
        if (error == Error()) return &attempt;
        fail(attempt, error);
        next_start_ = 0;
    }
    return nullptr;
}

// How long to wait for those under way before the next candidate is worth a look.
Timeout Connecting::turn(bool has_candidate, std::int64_t now, Timeout left) noexcept {
    if (!has_candidate) return left;
    const std::int64_t room_at = free_attempt() != nullptr ? now : later(oldest_attempt().started, patience_);
    return earlier(left, std::max(next_start_, room_at) - now);
}

Result<Connecting::Attempt*> Connecting::race(const ConnectOptions& options, Call& call) noexcept {
    Blocking blocking(call, Timeout::none(), nullptr);
    const std::int64_t delay = Timeout(options.attempt_delay).nanoseconds();
    patience_ = delay > never / delays_of_patience ? never : delay * delays_of_patience;
    AddressInfo candidate;
    bool has_candidate = take_candidate(candidate);
    for (;;) {
        const Timeout left = blocking.remaining();
        if (left.is_zero()) return Error(ETIMEDOUT);
        const std::int64_t now = sys::now();
        const bool is_due = has_candidate && (now >= next_start_ || is_idle());
        if (Attempt* const attempt = is_due ? make_room(now) : nullptr) {
            const Error error = start(candidate, options, *attempt);
            if (error == Error()) return attempt;
            const bool is_waiting = error == Error(EINPROGRESS);
            if (!is_waiting) fail(*attempt, error);
            next_start_ = is_waiting ? later(now, delay) : 0;
            has_candidate = take_candidate(candidate);
        } else if (is_idle()) {
            return static_cast<Error>(failure_);
        } else {
            const auto winner = wait(turn(has_candidate, now, left), call);
            if (!winner || *winner != nullptr) return winner;
        }
    }
}

Result<Socket, EndpointError> Connecting::connect(std::string_view host, Service service, const ConnectOptions& options,
                                                  Call&& call) noexcept {
    Socket conn;
    const auto connected = connect_into(conn, host, service, options, static_cast<Call&&>(call));
    if (!connected) return connected.error();
    return conn;
}

Result<void, EndpointError> Connecting::connect_into(Socket& conn, std::string_view host, Service service,
                                                     const ConnectOptions& options, Call&& call) noexcept {
    const Uncancelled uncancelled(call.host_ != nullptr);
    if (const Error error = resolve(host, service, options, call); error != Error()) {
        failure_.add(host, error);
        return failure_;
    }
    const auto winner = has_one_candidate() ? connect_only(options, call) : race(options, call);
    const Held held;
    if (winner) {
        Socket& socket = (*winner)->socket;
        (void)poll_.unregister(socket);
        const auto set = socket.setblocking(true);
        if (set) conn = std::move(socket);
        end();
        if (set) return {};
        failure_.add((*winner)->address, set.error());
        return failure_;
    }
    // Those that were under way, or the only one.
    const bool is_only = has_one_candidate();
    for (Attempt& attempt : attempts_) {
        const bool has_begun = !attempt.socket.closed() || (is_only && &attempt == attempts_.begin());
        if (has_begun) fail(attempt, winner.error());
    }
    if (failure_ != winner.error()) failure_.add(host, winner.error());
    end();
    return failure_;
}

// Closes what is open, and forgets whom to try.
void Connecting::end() noexcept {
    poll_ = Poll();
    for (Attempt& attempt : attempts_) attempt.socket = Socket();
    found_ = AddressInfoList();
}

void Connecting::unwound(Call& call) noexcept {
    const Held held;
    usocket::unwound(call);
    attempts_.front().socket.unwound(call);
    end();
}

// --- What a C++ program calls

Result<Socket, EndpointError> connect(std::string_view host, Service service, Call&& call,
                                      const ConnectOptions& options) noexcept {
    Connecting connecting;
    return connecting.connect(host, service, options, static_cast<Call&&>(call));
}

}  // namespace usocket
