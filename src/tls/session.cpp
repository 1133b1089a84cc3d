#include "tls/session.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include "wait/held.hpp"

namespace usocket::tls {
namespace {

// How much one call of the system brings, and how much plaintext is made at once. Both are there only while they hold
// something.
#if defined(USOCKET_SMALL)
constexpr std::size_t in_capacity = sizeof(void*) < 8 ? 1024 : 4096;
constexpr std::size_t plain_capacity = sizeof(void*) < 8 ? 512 : 2048;
#else
constexpr std::size_t in_capacity = 32768;
constexpr std::size_t plain_capacity = 16384;
#endif
constexpr std::size_t out_capacity = largest_write + largest_overhead;

bool reserve(Pipe& pipe, std::size_t capacity) noexcept {
    if (pipe.capacity != 0) return true;
    pipe.bytes = static_cast<std::uint8_t*>(sys::resize(nullptr, capacity));
    if (pipe.bytes == nullptr) return false;
    pipe.capacity = capacity;
    return true;
}

void release_empty(Pipe& pipe) noexcept {
    if (!pipe.empty() || pipe.bytes == nullptr) return;
    (void)sys::resize(pipe.bytes, 0);
    pipe = {};
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
    [](Layer& layer) noexcept { of(layer).release(); },
};

}  // namespace

// --- Life

Session::Session(const Engine& engine, sys::Fd fd) noexcept : engine_(engine), fd_(fd) {
    hooks = &session_hooks;
    process = sys::process_generation();
}

Result<Session*> Session::open(Context& context, const TlsOptions& options, sys::Fd fd) noexcept {
    void* memory = sys::resize(nullptr, sizeof(Session));
    if (memory == nullptr) return Error(ENOMEM);
    auto* session = new (memory) Session(*context.engine, fd);
    const auto state = context.engine->open(context, options, session->wire_);
    if (!state) {
        (void)sys::resize(memory, 0);
        return state.error();
    }
    session->state_ = *state;
    return session;
}

void Session::release() noexcept {
    // In a child of fork nothing is said: the connection is the parent's.
    if (is_ours()) say_goodbye();
    engine_.close(state_);
    for (std::uint8_t* memory : {wire_.in.bytes, wire_.out.bytes, owed_.bytes, bytes}) (void)sys::resize(memory, 0);
    (void)sys::resize(this, 0);
}

// What a program cannot read, as a server's tickets for later sessions, would make of the end of the connection its
// reset, left in the system's queue, and the peer would lose what is on its way: a close_notify, or the alert that says
// why a handshake has failed. Bytes of the stream do so with reason.
void Session::say_goodbye() noexcept {
    const bool has_room = reserve(wire_.in, in_capacity) && reserve(wire_.out, out_capacity);
    if (!has_room || flush() != Error()) return;
    if (!is_established || failure_ != Error()) return discard();
    if (!has_said_end_ && engine_.end(state_) != Step::failed) (void)flush();
    if (begin == end) (void)finds_something();
}

// Some of it, so that no peer keeps a close() here.
void Session::discard() noexcept {
    constexpr int most = 8;
    for (int i = 0; i < most && receive(in_capacity, sys::msg_dontwait).value_or(0u) != 0; ++i) {
    }
}

bool Session::is_ours() const noexcept { return process == sys::process_generation(); }

// --- Attempts

template <class Body> void Session::exclusively(Blocking& waiting, Body body) noexcept {
    for (;;) {
        {
            const Held held;
            if (lock_.try_lock()) {
                body();
                lock_.unlock();
                return;
            }
        }
        // Outside the host: whoever has the lock may want the host back before it lets go.
        (void)waiting.once([]() noexcept -> Result<void> {
            sys::yield_thread();
            return {};
        });
    }
}

// Until the op, which is made of steps of the engine, is done or fails. A peer that drips bytes does not hold it beyond
// the deadline.
template <class Op> Error Session::run(Blocking& waiting, Op op, Taking taking) noexcept {
    if (!is_ours()) return Error(TlsFailure::other_process);
    for (;;) {
        Attempt made;
        exclusively(waiting, [&]() noexcept { made = attempt(waiting, op, taking); });
        if (made.is_over) return made.error;
        if (made.events == 0) {
            waiting.note_progress();
            if (const Error error = waiting.check_deadline(); error != Error()) return error;
            continue;
        }
        if (!is_established) waits_for = made.events;
        const auto ready = waiting.await_retry(fd_, made.events, made.has_slept);
        if (!ready) return ready.error();
    }
}

template <class Op> Session::Attempt Session::attempt(Blocking& waiting, Op op, Taking taking) noexcept {
    if (failure_ != Error()) return {true, failure_};
    const bool has_room = reserve(wire_.in, in_capacity) && reserve(wire_.out, out_capacity);
    if (!has_room) return {true, Error(ENOMEM)};
    const std::size_t unflushed = wire_.out.end;
    const Step step = op();
    queued_ += wire_.out.end - unflushed;
    if (step == Step::failed) return {true, fail()};
    const Error flushed = flush();
    if (step == Step::wants_input) return await_input(waiting, flushed, taking);
    // What was wanted is done: that nothing goes out any more is for those who send.
    if (step == Step::done) return {true, Error()};
    if (flushed == Error()) return {};
    if (flushed == Error(EAGAIN)) return {false, Error(), sys::poll_out};
    return {true, flushed};
}

// What has come is of more interest than that nothing goes out any more: it may say why. A thread that is alone, with
// nothing else to do, may sleep in the system. Who does not read takes nothing that is behind what the engine waits
// for: it may be the peer's first bytes for somebody who reads, and polls.
Session::Attempt Session::await_input(Blocking& waiting, Error flushed, Taking taking) noexcept {
    if (wire_.is_cut || has_ended_) return {true, fail()};
    const bool may_sleep = waiting.is_alone() && wire_.out.empty() && waiting.sleep_flags() == 0;
    const std::size_t most = !is_established ? record_.rest() : taking == Taking::all ? in_capacity : 1;
    const auto received = receive(most, may_sleep ? 0 : sys::msg_dontwait);
    if (received && !is_established) record_.count(wire_.in.there());
    if (received) return {};
    const bool is_empty = received.error() == Error(EAGAIN);
    if (!is_empty && received.error() != Error(EINTR)) return {true, received.error()};
    const bool is_blocked = flushed == Error(EAGAIN);
    if (flushed != Error() && !is_blocked) return {true, flushed};
    const unsigned events = sys::poll_in | (is_blocked ? sys::poll_out : 0u);
    return {false, Error(), events, may_sleep && is_empty};
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
    (void)flush();
    return failure_;
}

// --- The system, without waiting

Error Session::flush() noexcept {
    Pipe& out = wire_.out;
    while (!out.empty()) {
        const auto sent = sys::send(fd_, out.there(), sys::msg_dontwait);
        if (!sent && sent.error() == Error(EINTR)) continue;
        if (!sent) return sent.error();
        out.begin += *sent;
        flushed_ += *sent;
    }
    out.begin = out.end = 0;
    return Error();
}

// Into Wire::in, all of which the engine has taken. How many bytes; 0: the end.
Result<std::size_t> Session::receive(std::size_t most, int flags) noexcept {
    Pipe& in = wire_.in;
    in.begin = in.end = 0;
    const auto received = sys::recv(fd_, in.room().first(most), flags);
    if (!received) return received;
    in.end = *received;
    is_dry_ = false;
    if (*received == 0) note_end();
    return received;
}

void Record::count(ConstBuffer bytes) noexcept {
    if (is_header_) {
        // Its last two bytes are the size of the body.
        for (std::size_t i = 0; i < bytes.size(); ++i) size_ = static_cast<std::uint16_t>(size_ << 8 | bytes.data()[i]);
    }
    rest_ -= bytes.size();
    if (rest_ != 0) return;
    is_header_ = !is_header_ || size_ == 0;
    rest_ = is_header_ ? header_size : size_;
}

// --- What a socket does

Result<void> Session::establish(Blocking& waiting) noexcept {
    if (is_established && is_ours()) return {};
    const auto shake_hands = [&]() noexcept {
        if (is_established) return Step::done;
        const Step step = engine_.handshake(state_);
        if (step != Step::done) return step;
        is_established = true;
        waits_for = waits_for_plaintext;
        is_dry_ = false;
        return step;
    };
    return run(waiting, shake_hands, Taking::needed);
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
    if (step == Step::failed) (void)fail();
    return end != 0 ? Step::done : step;
}

bool Session::has_plain_room() noexcept {
    if (bytes != nullptr) return true;
    bytes = static_cast<std::uint8_t*>(sys::resize(nullptr, plain_capacity));
    plain_capacity_ = bytes != nullptr ? plain_capacity : 0;
    return bytes != nullptr;
}

Result<bool> Session::refill(Blocking& waiting) noexcept {
    if (const auto established = establish(waiting); !established) return established.error();
    bool is_end = false;
    bool has_room = true;
    const auto read = [&]() noexcept {
        has_room = has_plain_room();
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
    if (lock_.try_lock()) {
        const bool may_have_more = is_established && !is_dry_ && !has_ended_ && failure_ == Error();
        if (may_have_more && has_plain_room() && reserve(wire_.out, out_capacity)) {
            const std::size_t unflushed = wire_.out.end;
            (void)decrypt();
            queued_ += wire_.out.end - unflushed;
            (void)flush();
        }
        release_empty(wire_.in);
        release_empty(wire_.out);
        lock_.unlock();
    }
    if (begin != end) return true;
    (void)sys::resize(bytes, 0);
    bytes = nullptr;
    plain_capacity_ = 0;
    // What is left of a handshake is for whoever goes on with it.
    return failure_ != Error() || (is_established && (!is_dry_ || has_ended_));
}

// Where another call is in the middle of an attempt, there may be something to read.
bool Session::look() noexcept {
    if (!is_ours() || !is_established || !lock_.try_lock()) return true;
    const bool has_room = reserve(wire_.in, in_capacity) && reserve(wire_.out, out_capacity);
    const bool is_readable = !has_room || finds_something();
    release_empty(wire_.in);
    release_empty(wire_.out);
    lock_.unlock();
    return is_readable;
}

// Takes records off the system's queue until there is plaintext, or the end, or no more; some, so that no peer keeps it
// here. Leaves the front alone. With the lock.
bool Session::finds_something() noexcept {
    constexpr int most = 8;
    for (int i = 0;; ++i) {
        if (failure_ != Error() || has_ended_) return true;
        const std::size_t unflushed = wire_.out.end;
        std::size_t count = 0;
        const Step step = engine_.read(state_, {}, count);
        queued_ += wire_.out.end - unflushed;
        has_ended_ = step == Step::ended;
        is_dry_ = step == Step::wants_input;
        const bool is_over = step == Step::failed || (is_dry_ && wire_.is_cut);
        if (is_over) (void)fail();
        (void)flush();
        if (is_over || !is_dry_) return true;
        if (i == most) return false;
        const auto received = receive(in_capacity, sys::msg_dontwait);
        if (!received) return received.error() != Error(EAGAIN) && received.error() != Error(EINTR);
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
    if (!reserve(owed_, largest_write)) return false;
    std::memcpy(owed_.bytes, data.data(), data.size());
    owed_.begin = 0;
    owed_.end = data.size();
    return true;
}

// Data counts once the system has all of its record. Where a call ends before, the record goes out all the same, before
// whatever comes next; if that is the same data, as in a program's second try, it is not sent twice.
Result<std::size_t> Session::send(Blocking& waiting, ConstBuffer data) noexcept {
    if (data.size() == 0) return std::size_t{0};
    if (const auto established = establish(waiting); !established) return established.error();
    const ConstBuffer chunk = first(data, largest_write);
    std::uint64_t mark = 0;  // what the system has to have got
    std::size_t sent = 0;
    bool has_said_end = false;
    const auto encrypt = [&]() noexcept {
        has_said_end = has_said_end_;
        if (has_said_end) return Step::done;
        if (!wire_.out.empty()) return Step::wants_output;
        sent = take_owed(data);
        if (sent != 0) return Step::done;
        const Step step = engine_.write(state_, chunk, sent);
        if (step != Step::done) return step;
        mark = queued_ + wire_.out.end;
        return step;
    };
    const auto wait_for_system = [&]() noexcept { return flushed_ >= mark ? Step::done : Step::wants_output; };
    Error error = run(waiting, encrypt, Taking::needed);
    if (has_said_end) return Error(EPIPE);
    if (error == Error() && mark != 0) error = run(waiting, wait_for_system, Taking::needed);
    if (error == Error()) return sent;
    bool is_owed = mark == 0;
    exclusively(waiting, [&]() noexcept { is_owed = is_owed || (flushed_ < mark && owe(first(chunk, sent))); });
    return is_owed ? Result<std::size_t>(error) : sent;
}

Result<void> Session::end_sending(Blocking& waiting) noexcept {
    if (!is_ours()) return Error(TlsFailure::other_process);
    if (!is_established) return {};
    bool is_made = false;
    const auto say_end = [&]() noexcept {
        if (is_made) return wire_.out.empty() ? Step::done : Step::wants_output;
        if (has_said_end_) return Step::done;
        if (!wire_.out.empty()) return Step::wants_output;
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
    Result<void> told;
    exclusively(waiting, [&]() noexcept { told = engine_.tell(state_, fact, into); });
    return told;
}

}  // namespace usocket::tls
