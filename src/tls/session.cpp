#include "tls/session.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "usocket/tls.hpp"

namespace usocket::tls {
namespace {

// How much one call of the system brings, and how much plaintext is made at once, at most. Both are there only while
// they hold something; a device has little room for them.
#if defined(USOCKET_SMALL)
constexpr bool is_device = sizeof(void*) < 8;
// Where memory is a collector's, it costs by the byte to get and to give back.
constexpr std::size_t least_in = 256;
constexpr std::size_t least_plain = 64;
constexpr std::size_t flight_out = 4096;  // of our own messages in a handshake
constexpr std::size_t most_owed = 0;      // mbedTLS needs no room for it
#else
constexpr bool is_device = false;
constexpr std::size_t least_in = 1024;
constexpr std::size_t least_plain = 256;
constexpr std::size_t flight_out = largest_write + largest_overhead;
// What the peer is owed, as answers to new keys, while the system takes nothing: so many that no peer in its right mind
// wants more, for until there is room OpenSSL reads nothing that has come behind.
constexpr std::size_t most_owed = 4096;
#endif
constexpr std::size_t most_in = is_device ? 1024 : 32768;
constexpr std::size_t most_plain = is_device ? 512 : 16384;
// Of the peer's messages in a handshake.
constexpr std::size_t flight = std::min<std::size_t>(most_in, 8192);
// What comes back is so much more or less than what was expected, where that does not fit.
constexpr std::size_t step_of_expectation = 8;
// What one look, or one call that does not wait, digests of records without data, which a peer may send without end: a
// whole record at least.
constexpr std::size_t most_in_vain = 20480;
// A record that is not smaller is not copied where it can be sent at once.
constexpr std::size_t worth_no_copy = 4096;
// What makes do where there is no more memory in one piece.
constexpr std::size_t little = 512;
static_assert(little > largest_overhead);

// To find memory for a short record and to take it back costs a collector more than all else here costs. So what comes
// in and its plaintext, or what goes out, are in these for the length of a call, unless somebody else's are.
#if defined(USOCKET_SMALL)
struct Spare {
    std::atomic<std::uint32_t> is_taken{0};  // a word, which is what ports bring for processors without such steps
    std::uint8_t bytes[least_in];
};
constinit Spare spares[2] = {};

std::uint8_t* take_spare(std::size_t capacity) noexcept {
    for (Spare& spare : spares) {
        std::uint32_t none = 0;
        const bool fits = capacity <= sizeof spare.bytes;
        if (fits && spare.is_taken.compare_exchange_strong(none, 1, std::memory_order_acquire)) return spare.bytes;
    }
    return nullptr;
}

bool give_spare(const std::uint8_t* bytes) noexcept {
    for (Spare& spare : spares) {
        if (bytes != spare.bytes) continue;
        spare.is_taken.store(0, std::memory_order_release);
        return true;
    }
    return false;
}
#else
std::uint8_t* take_spare(std::size_t /*capacity*/) noexcept { return nullptr; }
bool give_spare(const std::uint8_t* /*bytes*/) noexcept { return false; }
#endif

void give_back(std::uint8_t* bytes) noexcept {
    if (!give_spare(bytes)) (void)sys::resize(bytes, 0);
}

void release_empty(Pipe& pipe) noexcept {
    if (!pipe.empty() || pipe.bytes == nullptr) return;
    give_back(pipe.bytes);
    pipe = {};
}

// As many bytes as there are in one piece, if not all of them: a collector's heap that has many free has few together.
// Then `capacity` is what there is.
std::uint8_t* allocate(std::size_t& capacity) noexcept {
    if (std::uint8_t* spare = take_spare(capacity)) return spare;
    for (;;) {
        void* memory = sys::resize(nullptr, capacity);
        if (memory != nullptr || capacity / 2 < little) return static_cast<std::uint8_t*>(memory);
        capacity /= 2;
    }
}

// Or less. What has something in it stays as it is.
bool reserve(Pipe& pipe, std::size_t capacity) noexcept {
    if (!pipe.empty() || pipe.capacity >= capacity) return true;
    release_empty(pipe);
    pipe.bytes = allocate(capacity);
    if (pipe.bytes == nullptr) return false;
    pipe.capacity = capacity;
    return true;
}

// What is in it stays; no more where there is no memory.
void grow(Pipe& pipe, std::size_t capacity) noexcept {
    Pipe larger;
    if (!reserve(larger, capacity)) return;
    if (larger.capacity > pipe.capacity) {
        larger.end = pipe.there().size();
        if (larger.end != 0) std::memcpy(larger.bytes, pipe.there().data(), larger.end);
        std::swap(pipe, larger);
    }
    give_back(larger.bytes);
}

ConstBuffer first(ConstBuffer data, std::size_t most) noexcept { return {data.data(), std::min(data.size(), most)}; }

Session& of(Layer& layer) noexcept { return static_cast<Session&>(layer); }

const LayerHooks session_hooks = {
    [](Layer& layer, Blocking& waiting) noexcept { return of(layer).establish(waiting); },
    [](Layer& layer, Blocking& waiting) noexcept { return of(layer).refill(waiting); },
    [](Layer& layer) noexcept { return of(layer).settle(); },
    [](Layer& layer) noexcept { return of(layer).look(); },
    [](Layer& layer, Blocking& waiting, ConstBuffer data) noexcept { return of(layer).send(waiting, data); },
    [](Layer& layer, Blocking& waiting) noexcept { return of(layer).end_sending(waiting); },
    [](const Layer& listener, sys::Fd fd) noexcept { return static_cast<const Session&>(listener).another(fd); },
    [](Layer& layer) noexcept { of(layer).release(); },
};

}  // namespace

// --- The wire

SystemWire::SystemWire(sys::Fd to) noexcept : to_(to) { give = take; }

bool SystemWire::make_room(std::size_t capacity) noexcept { return reserve(out, capacity); }

// A lack of memory passes.
Result<std::size_t> SystemWire::send(ConstBuffer bytes) noexcept {
    const auto sent = sys::send(to_, bytes, sys::msg_dontwait);
    const Error error = sent.error();
    const bool may_pass = !Blocking::is_settled(error) || error == Error(ENOMEM) || error == Error(ENOBUFS);
    if (is_established_ && !sent && !may_pass) broken_ = error;
    return sent;
}

// A handshake's messages of one direction go out together.
void SystemWire::find_room(std::size_t size) noexcept {
    const std::size_t usual = is_established_ ? largest_overhead : flight_out;
    if (out.capacity == 0 && size != 0 && !make_room(usual)) error_ = Error(ENOMEM);
    const bool is_short = is_established_ && out.room().size() < size;
    if (is_short && std::max(out.capacity, most_owed) != out.capacity) grow(out, most_owed);
}

// Nothing is lost where the room is not enough: the engine keeps it.
std::size_t SystemWire::take(Wire& wire, ConstBuffer bytes) noexcept {
    auto& self = static_cast<SystemWire&>(wire);
    Pipe& out = self.out;
    if (!out.empty() && out.room().size() < bytes.size()) {
        if (const Error met = self.flush(); Blocking::is_settled(met)) self.error_ = met;
    }
    std::size_t sent = 0;
    if (out.empty() && bytes.size() >= worth_no_copy && !self.is_broken()) {
        const auto gone = self.send(bytes);
        sent = gone.value_or(0u);
        if (!gone && Blocking::is_settled(gone.error())) self.error_ = gone.error();
    }
    const ConstBuffer rest = bytes.from(sent);
    if (self.is_broken()) {
        self.swallowed_ += rest.size();
        wire.given += bytes.size();
        return bytes.size();
    }
    self.find_room(rest.size());
    const std::size_t kept = std::min(out.room().size(), rest.size());
    if (kept != 0) std::memcpy(out.room().data(), rest.data(), kept);
    out.end += kept;
    wire.given += sent + kept;
    return sent + kept;
}

Error SystemWire::flush() noexcept {
    while (error_ == Error() && !is_broken() && !out.empty()) {
        const auto sent = send(out.there());
        if (sent) {
            out.begin += *sent;
        } else if (!is_broken() && sent.error() != Error(EINTR)) {
            return sent.error();
        }
    }
    if (is_broken()) {
        swallowed_ += out.there().size();
        out.begin = out.end;
    }
    if (out.empty()) out.begin = out.end = 0;
    const Error met = std::exchange(error_, Error());
    return is_broken() ? broken_ : met;
}

// --- Life

Session::Session(const Engine& engine, sys::Fd fd) noexcept : engine_(engine), wire_(fd), fd_(fd), expected_(least_in) {
    hooks = &session_hooks;
}

Result<Layer*> Session::open(const Engine& engine, const Terms& terms, sys::Fd fd, bool shows_front) noexcept {
    void* memory = sys::resize(nullptr, sizeof(Session));
    if (memory == nullptr) return Error(ENOMEM);
    auto* session = new (memory) Session(engine, fd);
    const auto state = engine.open(terms, session->wire_);
    if (!state) {
        (void)sys::resize(memory, 0);
        return state.error();
    }
    session->state_ = *state;
    session->shows_front_ = shows_front;
    session->is_server = terms.another != nullptr || terms.options->server_side;
    if (!session->is_server) session->process = sys::process_generation();
    session->waits_for = session->is_server ? sys::poll_in : sys::poll_out;  // a client has the first word
    return session;
}

void Session::release() noexcept {
    // In a child of fork nothing is said: the connection is the parent's.
    if (is_ours()) say_goodbye();
    free();
}

void Session::free() noexcept {
    engine_.close(state_);
    for (std::uint8_t* memory : {wire_.in.bytes, wire_.out.bytes, owed_.bytes, bytes}) give_back(memory);
    (void)sys::resize(this, 0);
}

// What a program cannot read, as a server's tickets for later sessions, would make of the end of the connection its
// reset, left in the system's queue, and the peer would lose what is on its way: a close_notify, or the alert that says
// why a handshake has failed. Bytes of the stream do so with reason.
void Session::say_goodbye() noexcept {
    if (is_nobodys()) return;
    const bool is_stuck = wire_.flush() != Error();
    if (!is_established || failure_ != Error()) return discard();
    if (!is_stuck && !has_said_end_ && engine_.end(state_) != Step::failed) (void)wire_.flush();
    (void)take_used();
    if (begin == end) (void)find_something();
}

// Some of it, so that no peer keeps a close() here.
void Session::discard() noexcept {
    constexpr int most = 8;
    is_in_queue_ = false;
    used_ = 0;
    expected_ = most_in;
    for (int i = 0; i < most && receive(sys::msg_dontwait).value_or(0u) != 0; ++i) {
    }
}

bool Session::is_ours() const noexcept { return is_nobodys() || process == sys::process_generation(); }

// --- Attempts

// Alone with the session, for a few steps, with signals held.
class Session::Alone {
public:
    Alone(Session& session, Blocking& waiting) noexcept : lock_(session.lock_) {
        for (;;) {
            sys::hold_signals();
            if (lock_.try_lock()) return;
            sys::release_signals();
            waiting.step_aside();
        }
    }
    ~Alone() {
        lock_.unlock();
        sys::release_signals();
    }
    Alone(const Alone&) = delete;
    Alone& operator=(const Alone&) = delete;

private:
    Lock& lock_;
};

// Of a run: what it has of the watch ends with it.
class Session::Watching {
public:
    Watching(Watch& watch, std::uint32_t id) noexcept : watch_(watch), id_(id) {}
    ~Watching() { (void)watch_.give_up(id_); }
    Watching(const Watching&) = delete;
    Watching& operator=(const Watching&) = delete;

private:
    Watch& watch_;
    std::uint32_t id_;
};

// Until the op, which is made of steps of the engine, is done or fails. A peer that drips bytes does not hold it beyond
// the deadline.
Error Session::run(Blocking& waiting, const Op& op, Taking taking) noexcept {
    if (!is_ours()) return Error(TlsFailure::other_process);
    const Watching watching(watch, waiting.id());
    std::size_t received = 0;
    for (std::uint64_t gone = 0;;) {
        Attempt made;
        bool has_sent = false;  // some of what is waited for; what a reader lets out is not
        {
            const Alone alone(*this, waiting);
            made = attempt(waiting, op, taking);
            const std::uint64_t before = std::exchange(gone, wire_.gone());
            has_sent = gone != before && made.events == sys::poll_out;
        }
        const bool is_done = made.is_over && made.error == Error();
        if (is_done || has_sent) waiting.note_progress();
        if (made.is_over) return made.error;
        if (made.waits_turn) {
            if (const Error error = await_turn(waiting); error != Error()) return error;
            continue;
        }
        if (made.events == 0) {
            received += made.received;
            if (waiting.is_nonblocking() && received >= most_in_vain) return Error(EAGAIN);
            waiting.note_progress();
            if (const Error error = waiting.check_deadline(); error != Error()) return error;
            continue;
        }
        if (!is_established) waits_for = made.events;
        const auto ready = waiting.await_retry(fd_, made.events, made.has_slept);
        if (!ready) return ready.error();
    }
}

Session::Attempt Session::attempt(Blocking& waiting, const Op& op, Taking taking) noexcept {
    if (failure_ != Error()) return {true, failure_};
    // Those of a step before, which the system did not let go of.
    if (used_ != 0) {
        if (const Error error = take_used(); error != Error()) return after_taking(error);
    }
    const Step step = op();
    // The peer goes on meanwhile.
    const Error flushed = step == Step::failed ? Error() : let_out(taking);
    const Error used = take_used();
    if (step == Step::failed) return {true, fail()};
    if (step == Step::lacks_memory) return {true, Error(ENOMEM)};
    if (step == Step::wants_input && used != Error()) return after_taking(used);
    if (step == Step::wants_input) return await_input(waiting, flushed, taking);
    // What was wanted is done: that nothing goes out any more is for those who send.
    if (step == Step::done) return {true, Error()};
    if (flushed == Error()) return {};
    if (flushed == Error(EAGAIN)) return {false, Error(), sys::poll_out};
    return {true, reason_for(flushed)};
}

// Why nothing goes out any more: the peer may have said so. What has come for readers stays with them.
Error Session::reason_for(Error error) noexcept {
    if (wire_.is_broken() && watch.is_free()) (void)find_something();
    return failure_ != Error() && !wire_.is_cut ? failure_ : error;
}

// That nothing goes out any more is for those who send. Who reads learns how the connection ends by what comes: it may
// bring something yet (TLS-5).
Error Session::let_out(Taking taking) noexcept {
    const Error flushed = wire_.flush();
    return taking == Taking::all && wire_.is_broken() ? Error() : flushed;
}

// What was to come off the queue is still there.
Session::Attempt Session::after_taking(Error error) noexcept {
    if (error == Error(EAGAIN)) return {false, Error(), sys::poll_in};
    return {true, error};
}

// What has come is of more interest than that nothing goes out any more: it may say why. A thread that is alone, with
// nothing else to do, may sleep in the system. Who does not read takes nothing that is behind what the engine waits
// for: it may be the peer's first bytes for somebody who reads, and polls.
Session::Attempt Session::await_input(Blocking& waiting, Error flushed, Taking taking) noexcept {
    if (wire_.is_cut || has_ended_) return {true, fail()};
    if (watch.is_anothers(waiting.id())) return {.waits_turn = true};
    const bool may_sleep = waiting.is_alone() && wire_.out.empty() && waiting.sleep_flags() == 0;
    const int flags = may_sleep ? 0 : sys::msg_dontwait;
    const auto received = taking == Taking::all ? receive(flags) : look_at_queue(flags);
    if (received) return {.received = taking == Taking::all ? *received : 0};
    const bool is_empty = received.error() == Error(EAGAIN);
    if (!is_empty && received.error() != Error(EINTR)) return {true, received.error()};
    const bool is_blocked = flushed == Error(EAGAIN);
    if (flushed != Error() && !is_blocked) return {true, flushed};
    const unsigned events = sys::poll_in | (is_blocked ? sys::poll_out : 0u);
    if (!waiting.is_alone() && !waiting.is_nonblocking()) watch.take(waiting.id());
    return {false, Error(), events, may_sleep && is_empty};
}

// Whoever waits at the queue gets what comes, and changes the session for all: as who finishes a handshake for another,
// who wants to send.
Error Session::await_turn(Blocking& waiting) noexcept {
    if (const Error error = waiting.heed_descriptor(fd_, sys::poll_in); error != Error()) return error;
    const std::uint32_t held = watch.announce_wait();
    return held == 0 ? Error() : waiting.wait_for_word(watch.word(), held).error();
}

// Of what the system brings: by our own shutdown(), or cut off.
void Session::note_end() noexcept {
    if (is_established && has_shut_reading) {
        has_ended_ = true;
    } else {
        wire_.is_cut = true;
    }
}

// For good. Without a close_notify what came last may not be all (TLS-5).
Error Session::fail() noexcept {
    const bool is_short = wire_.is_cut || has_ended_;
    if (failure_ == Error()) failure_ = is_short ? Error(ECONNRESET) : engine_.failure(state_);
    has_failed = true;
    is_dry_ = true;
    (void)wire_.flush();
    return failure_;
}

// --- The system, without waiting

// Into Wire::in, all of which the engine has taken. How many bytes; 0: the end.
Result<std::size_t> Session::receive(int flags) noexcept {
    Pipe& in = wire_.in;
    in.begin = in.end = 0;
    if (!reserve(in, expected_)) return Error(ENOMEM);
    const auto received = sys::recv(fd_, in.room(), flags);
    if (!received) return received;
    if (*received == in.capacity) {
        expected_ = std::min(in.capacity * step_of_expectation, most_in);
    } else if (*received < in.capacity / step_of_expectation) {
        expected_ = std::max(in.capacity / step_of_expectation, least_in);
    }
    note_received(*received);
    return received;
}

// The same, but it stays in the queue: the engine is shown what it may need, and take_used() takes what it has made use
// of. Where something hides the front of the queue, it gets byte by byte.
Result<std::size_t> Session::look_at_queue(int flags) noexcept {
    Pipe& in = wire_.in;
    in.begin = in.end = 0;
    if (!reserve(in, flight)) return Error(ENOMEM);
    const bool peeks = shows_front_;
    const auto received = sys::recv(fd_, in.room().first(peeks ? flight : 1), peeks ? flags | sys::msg_peek : flags);
    if (received.error() == Error(EAGAIN) && std::exchange(was_empty_, true)) {
        shows_front_ = !sys::peeks_at_offset(fd_);
    }
    if (!received) return received;
    is_in_queue_ = peeks;
    note_received(*received);
    return received;
}

void Session::note_received(std::size_t count) noexcept {
    wire_.in.end = count;
    was_empty_ = is_dry_ = false;
    if (count == 0) note_end();
}

// What the engine has not made use of is left to whoever reads the queue next. Where the system does not let go of the
// rest now, the next one takes it.
Error Session::take_used() noexcept {
    Pipe& in = wire_.in;
    if (std::exchange(is_in_queue_, false)) {
        used_ = in.begin;
        in.begin = in.end = 0;
    }
    if (used_ != 0 && !reserve(in, flight)) return Error(ENOMEM);
    while (used_ != 0) {
        const auto taken = sys::recv(fd_, in.room().first(used_), sys::msg_dontwait);
        if (!taken && taken.error() != Error(EINTR)) return taken.error();
        used_ = taken && *taken == 0 ? 0 : used_ - taken.value_or(0u);
    }
    return Error();
}

// --- What a socket does

Result<void> Session::establish(Blocking& waiting) noexcept {
    if (is_established && is_ours()) return {};
    auto shake_hands = [&]() noexcept {
        if (is_established) return Step::done;
        // A server has nothing to say before the client, and takes no memory for it.
        if (is_nobodys() && wire_.in.empty()) return Step::wants_input;
        process = sys::process_generation();
        const Step step = engine_.handshake(state_);
        if (step != Step::done) return step;
        is_established = true;
        waits_for = waits_for_plaintext;
        is_dry_ = false;
        wire_.note_established();
        return step;
    };
    const Error error = run(waiting, shake_hands, Taking::needed);
    give_memory_back(waiting);
    return error == Error() ? Result<void>() : error;
}

void Session::give_memory_back(Blocking& waiting) noexcept {
    const Alone alone(*this, waiting);
    release_wire();
}

void Session::release_wire() noexcept {
    for (Pipe* pipe : {&wire_.in, &wire_.out}) release_empty(*pipe);
}

// As much as there is room for, and as the engine makes without more input. Under both locks; the front is empty.
Step Session::decrypt() noexcept {
    begin = end = 0;
    Step step = Step::done;
    while (step == Step::done && end < plain_capacity_) {
        std::size_t count = 0;
        step = engine_.read(state_, {bytes + end, plain_capacity_ - end}, count);
        if (step == Step::done) end += count;
    }
    // Either comes after what there is now, and is kept for the call that finds the front empty.
    has_ended_ = step == Step::ended;
    is_dry_ = step == Step::wants_input;
    (void)take_used();
    if (step == Step::failed) (void)fail();
    return end != 0 ? Step::done : step;
}

// Ciphertext becomes no longer; where none has come, the engine has a record of any size. The front is empty.
bool Session::has_plain_room() noexcept {
    const std::size_t come = wire_.in.empty() ? most_plain : wire_.in.there().size();
    std::size_t capacity = std::clamp(come, least_plain, most_plain);
    if (plain_capacity_ >= capacity) return true;
    free_plain();
    bytes = allocate(capacity);
    plain_capacity_ = bytes != nullptr ? capacity : 0;
    return bytes != nullptr;
}

void Session::free_plain() noexcept {
    if (bytes != nullptr) give_back(bytes);
    bytes = nullptr;
    plain_capacity_ = 0;
}

Result<bool> Session::refill(Blocking& waiting) noexcept {
    if (const auto established = establish(waiting); !established) return established.error();
    bool is_end = false;
    bool has_room = true;
    auto read = [&]() noexcept {
        if (is_dry_ && !has_ended_) return Step::wants_input;
        has_room = has_ended_ || has_plain_room();
        if (!has_room) return Step::done;
        const Step step = has_ended_ ? Step::ended : decrypt();
        is_end = step == Step::ended;
        return is_end ? Step::done : step;
    };
    const Error error = run(waiting, read, Taking::all);
    if (error != Error() || !has_room) return has_room ? error : Error(ENOMEM);
    return is_end;
}

// Nobody waits here: where another call is in the middle of an attempt, there may be something to read.
bool Session::settle() noexcept {
    if (begin != end) return true;
    begin = end = 0;
    if (!is_ours()) return true;
    bool is_held_up = false;  // until the system takes what the peer is owed
    if (lock_.try_lock()) {
        const bool may_have_more = is_established && !is_dry_ && !has_ended_ && failure_ == Error();
        if (may_have_more && has_plain_room()) {
            const bool wants_output = decrypt() == Step::wants_output;
            is_held_up = wire_.flush() == Error(EAGAIN) && wants_output;
        }
        if (is_established) waits_for = is_held_up ? sys::poll_out : waits_for_plaintext;
        release_wire();
        lock_.unlock();
    }
    if (begin != end) return true;
    free_plain();
    // What is left of a handshake is for whoever goes on with it.
    return failure_ != Error() || (is_established && ((!is_dry_ && !is_held_up) || has_ended_));
}

// What has come is left to whoever waits for it.
Seen Session::look() noexcept {
    if (!is_ours()) return Seen::something;
    if (!is_established || !lock_.try_lock()) return Seen::unknown;
    const Seen seen = watch.is_free() ? find_something() : Seen::unknown;
    release_wire();
    lock_.unlock();
    return seen;
}

// Takes records off the system's queue until there is plaintext, or the end, or no more; some, so that no peer keeps it
// here. Leaves the front alone. With the lock.
Seen Session::find_something() noexcept {
    for (std::size_t in_vain = 0;;) {
        if (failure_ != Error() || has_ended_) return Seen::something;
        std::size_t count = 0;
        const Step step = engine_.read(state_, {}, count);
        has_ended_ = step == Step::ended;
        is_dry_ = step == Step::wants_input;
        const Error used = take_used();
        const bool is_over = step == Step::failed || (is_dry_ && wire_.is_cut);
        if (is_over) (void)fail();
        const Error flushed = let_out(Taking::all);
        // Until the system takes what the peer is owed, nothing behind it can be read.
        if (step == Step::wants_output && flushed == Error()) continue;
        if (step == Step::wants_output && flushed == Error(EAGAIN)) {
            waits_for = sys::poll_out;
            return Seen::so_far;
        }
        if (is_over || !is_dry_) return Seen::something;
        if (in_vain >= most_in_vain) return Seen::so_far;
        const auto received = used == Error() ? receive(sys::msg_dontwait) : used;
        if (!received) return Blocking::is_settled(received.error()) ? Seen::something : Seen::nothing;
        in_vain += *received;
    }
}

// How many bytes of the data are those that are owed. Others show that the program does not go on with them.
std::size_t Session::take_owed(ConstBuffer data) noexcept {
    const std::size_t count = std::min(data.size(), owed_.there().size());
    const bool goes_on = count != 0 && std::memcmp(data.data(), owed_.there().data(), count) == 0;
    owed_.begin = goes_on ? owed_.begin + count : owed_.end;
    release_empty(owed_);
    return goes_on ? count : 0;
}

// False: there is no memory for it.
bool Session::owe(ConstBuffer data) noexcept {
    if (!reserve(owed_, data.size()) || owed_.capacity < data.size()) return false;
    std::memcpy(owed_.bytes, data.data(), data.size());
    owed_.begin = 0;
    owed_.end = data.size();
    return true;
}

// One record. Whoever sends more gives it all, so that memory is kept from one to the next.
Result<std::size_t> Session::send(Blocking& waiting, ConstBuffer data) noexcept {
    if (data.size() == 0) return std::size_t{0};
    if (const auto established = establish(waiting); !established) return established.error();
    const auto sent = send_record(waiting, first(data, largest_write));
    if (!sent || data.size() <= largest_write) give_memory_back(waiting);
    return sent;
}

// Data counts once the system has all of its record. Where a call ends before, the record goes out all the same, before
// whatever comes next; if that is the same data, as in a program's second try, it is not sent twice.
Result<std::size_t> Session::send_record(Blocking& waiting, ConstBuffer data) noexcept {
    std::uint64_t mark = 0;  // what the system has to have got
    std::size_t sent = 0;
    bool has_said_end = false;
    bool has_room = true;
    auto encrypt = [&]() noexcept {
        if (mark != 0) return wire_.gone() >= mark ? Step::done : Step::wants_output;
        has_said_end = has_said_end_;
        if (has_said_end) return Step::done;
        if (!wire_.out.empty() || wire_.is_broken()) return Step::wants_output;
        sent = take_owed(data);
        if (sent != 0) return Step::done;
        has_room = wire_.make_room(data.size() + largest_overhead);
        if (!has_room) return Step::done;
        data = first(data, wire_.out.capacity - largest_overhead);
        const Step step = engine_.write(state_, data, sent);
        if (step != Step::done) return step;
        mark = wire_.given;
        return Step::wants_output;
    };
    const Error error = run(waiting, encrypt, Taking::needed);
    if (has_said_end) return Error(EPIPE);
    if (!has_room) return Error(ENOMEM);
    if (error == Error()) return sent;
    if (mark == 0) return error;
    const Alone alone(*this, waiting);
    const bool is_owed = wire_.gone() < mark && owe(first(data, sent));
    return is_owed ? Result<std::size_t>(error) : sent;
}

Result<void> Session::end_sending(Blocking& waiting) noexcept {
    if (!is_ours()) return Error(TlsFailure::other_process);
    // A connection that is broken off, both ways, is not agreed on first.
    if (!is_established && has_shut_reading) return {};
    if (const auto established = establish(waiting); !established) return established.error();
    bool is_made = false;
    auto say_end = [&]() noexcept {
        if (has_said_end_ && !is_made) return Step::done;
        const bool is_out = wire_.out.empty() && !wire_.is_broken();
        if (!is_out) return Step::wants_output;
        if (is_made) return Step::done;
        const Step step = engine_.end(state_);
        if (step != Step::done) return step;
        is_made = has_said_end_ = true;
        return Step::wants_output;
    };
    return run(waiting, say_end, Taking::needed);
}

Result<void> Session::tell(Blocking& waiting, Fact fact, Sink& into) noexcept {
    if (!is_ours()) return Error(TlsFailure::other_process);
    if (!is_established) return Error(ENOTCONN);
    const Alone alone(*this, waiting);
    return engine_.tell(state_, fact, into);
}

}  // namespace usocket::tls
