// Reader: one call that receives, for its length. What it has taken in when it ends short of success goes back to the
// inbox, whatever ended it (TIME-6).
#pragma once

#include <cstddef>
#include <cstdint>

#include "socket/aside.hpp"
#include "stream/window.hpp"
#include "usocket/detail/gate.hpp"
#include "usocket/detail/inbox.hpp"
#include "usocket/host.hpp"
#include "usocket/message.hpp"
#include "wait/blocking.hpp"

namespace usocket {

class Outbox;

// What is read from.
struct Source {
    Gate* gate = nullptr;
    Inbox* inbox = nullptr;
    bool is_stream = false;
    bool is_tcp = false;
    bool has_packets = false;  // messages of a connection
};

// Inside the gate. A stream has one reader at a time; messages are whole whoever takes them.
class Reader {
public:
    Reader(Call& call, Timeout timeout, const Source& source) noexcept
        : call_(call), waiting_(call, timeout, source.gate), source_(source) {}

    // Until `limit` bytes or EOF. Non-blocking: what there is, EAGAIN if that is nothing.
    Result<void> read(Sink& sink, std::size_t limit) noexcept;
    // The same, or through the first newline.
    Result<void> readline(Sink& sink, std::size_t limit) noexcept;
    // One receive's worth, with the flags of recv(2).
    Result<std::size_t> recv(MutableBuffer buffer, int flags, Address* from) noexcept;
    // The same into several pieces, and what comes beside the data into `control`.
    Result<ReceivedMessage> recvmsg(Scattered pieces, MutableBuffer control, int flags) noexcept;
    // At most `limit` bytes into another stream; `done`: how many have gone out, whatever ends it. Never for a host.
    Result<void> splice(Outbox& to, std::size_t limit, std::size_t& done) noexcept;
    // `dissolve`, that is connect(2) to AF_UNSPEC; what is unread of the old connection is gone then.
    Result<void> forget_after(Result<void> (*dissolve)(sys::Fd fd, const Address& address) noexcept,
                              const Address& address) noexcept;
    // The call has succeeded, but what it got has reached nobody: it is unread again, unless somebody has read since.
    void unread(Sink& got) noexcept;
    // After a longjmp out of the call, with signals held.
    void unwound() noexcept;

private:
    using Fill = Error (Reader::*)(std::size_t limit) noexcept;

    // reader.cpp: the lock, and what becomes of what was taken in
    template <class Body> auto exclusively(const Body& body) noexcept -> decltype(body());
    Error begin_turn() noexcept;
    bool ends_turn(Error error) noexcept;
    Error lock() noexcept;
    bool try_lock() noexcept;
    Error await_lock() noexcept;
    Error lock_now() noexcept;
    void unlock() noexcept;
    [[nodiscard]] std::uint32_t id() const noexcept;
    Result<void> read_with(Sink& sink, std::size_t limit, Fill filler) noexcept;
    Error end(Error error) noexcept;
    bool give_back() noexcept;
    void count_taken() noexcept;
    std::size_t keepable() noexcept;

    // receiving.cpp: from where the bytes are next in line
    Error fill(std::size_t limit) noexcept;
    Error fill_line(std::size_t limit) noexcept;
    Error fill_message(std::size_t limit) noexcept;
    Error before_more() noexcept;
    bool has_what_was_there() noexcept;
    Error end_of_stream() noexcept;
    Result<std::size_t> make_room(std::size_t wanted, bool is_bounded) noexcept;
    Error take_front(std::size_t count) noexcept;
    Result<std::size_t> take_more(std::size_t count, bool completes) noexcept;
    Result<std::size_t> take_queued(std::size_t count, bool is_there) noexcept;
    Result<std::size_t> take_before(Error error, MutableBuffer room) noexcept;
    Result<std::size_t> receive_noted(MutableBuffer room, int flags) noexcept;
    Result<std::size_t> find_line(std::size_t limit) noexcept;
    Result<std::size_t> peek(MutableBuffer room) noexcept;
    Result<std::size_t> receive(MutableBuffer buffer, int flags, Address* from) noexcept;
    Result<std::size_t> receive_stream(MutableBuffer buffer, int flags, Address* from) noexcept;
    int heed(int flags) noexcept;
    Result<std::size_t> receive_made(Layer& layer, MutableBuffer buffer, int flags) noexcept;
    std::size_t copy_front(MutableBuffer buffer, int flags) noexcept;
    Result<bool> refill(Layer& layer) noexcept;
    Error after_failure(Layer& layer, Error error) noexcept;

    // scattering.cpp: into several pieces
    Result<ReceivedMessage> receive_message(Scattered pieces, MutableBuffer control, int flags) noexcept;
    Result<ReceivedMessage> receive_stream_message(Scattered pieces, MutableBuffer control, int flags) noexcept;
    Result<ReceivedMessage> receive_all(Scattered pieces, MutableBuffer control, int flags) noexcept;
    Error fill_all(std::size_t total, MutableBuffer control, int flags, ReceivedMessage& message) noexcept;
    Result<ReceivedMessage> receive_message_behind(Scattered pieces, MutableBuffer control, int flags,
                                                   std::size_t shown) noexcept;

    // splicing.cpp: into another stream
    struct Passage;
    Result<bool> move_some(Passage& passage, std::size_t most) noexcept;
    Result<bool> prepare(Passage& passage, std::size_t size) noexcept;
    Result<bool> await_both(Passage& passage) noexcept;
    Result<bool> move_block(Passage& passage, std::size_t most) noexcept;
    Error send_memory(Passage& passage) noexcept;
    void open_conduit(Passage& passage) noexcept;
    static void close_conduit(Passage& passage) noexcept;
    Result<bool> move_by_conduit(Passage& passage, std::size_t most) noexcept;

    // watched.cpp: a descriptor that others may poll or read
#if defined(USOCKET_WITHOUT_sharing)
    // Nobody else reads them, and no handler jumps.
    [[nodiscard]] static constexpr bool leaves_in_queue() noexcept { return false; }
    void note_mark(int /*flags*/) noexcept {}
    void pass_mark(std::size_t /*taken*/) noexcept {}
    void end_growth() noexcept {}
#else
    [[nodiscard]] bool leaves_in_queue() noexcept;
    void note_mark(int flags) noexcept;
    void pass_mark(std::size_t taken) noexcept;
    void end_growth() noexcept;
#endif
    Result<std::size_t> await_whole(std::size_t count, bool completes) noexcept;
    Result<std::size_t> await_some(std::size_t most) noexcept;
    Result<std::size_t> await_line(std::size_t limit) noexcept;
    // behind: what is there stands before more, which no peek shows.
    enum class More : std::uint8_t { maybe, never, stuck, behind };
    void take_for_full(std::size_t there) noexcept;
    void note_growth(std::size_t there) noexcept;
    Result<std::size_t> take_or_wait(std::size_t there, std::size_t whole, std::size_t most, More& more) noexcept;
    Result<More> await_growth(std::size_t there) noexcept;
    Result<bool> stands_before_more(std::size_t there) noexcept;
    bool open_growth() noexcept;
    Result<bool> pause_for(Standstill& still, sys::Fd watched, unsigned events, Timeout span) noexcept;
    Error mend_line(std::size_t count) noexcept;

    [[nodiscard]] sys::Fd fd() const noexcept { return source_.gate->fd(); }
    [[nodiscard]] Blocking& blocking() noexcept { return waiting_.anew(); }
    [[nodiscard]] bool is_nonblocking() const noexcept { return waiting_.is_nonblocking(); }
    // Where others see the queue it does not sleep in the system, which would heed their SO_RCVLOWAT (TIME-9).
    [[nodiscard]] int sleep_flags(Blocking& waiting) const noexcept {
        return source_.gate->exposed() ? sys::msg_dontwait : waiting.sleep_flags();
    }
    [[nodiscard]] Queue queue() const noexcept { return {source_.gate, source_.is_tcp}; }
    [[nodiscard]] Layer* layer() const noexcept { return layer_of(*source_.gate); }
    [[nodiscard]] ConstBuffer front() const noexcept { return source_.inbox->front(*source_.gate); }
    [[nodiscard]] bool is_alone() const noexcept { return is_undisturbed(call_.host_); }
    // Not once the host's signal handlers have run: what the call had, the lock too, has been given back.
    [[nodiscard]] bool has_turn() const noexcept { return is_alone() || call_.reads_; }
    Sink& sink() noexcept { return *call_.sink_; }

    Call& call_;
    Blocking waiting_;
    Source source_;
    bool has_ended_ = false;      // the queue will not grow any more
    bool has_no_memory_ = false;  // to keep more
    bool has_news_ = true;        // it may have grown since it was asked whether it holds more than a peek shows
    std::size_t there_was_ = 0;   // a non-blocking call that goes on and on ends with so many bytes
    std::size_t suspected_ = 0;   // how much was there when it did; 0: it did not
};

template <class Body> auto Reader::exclusively(const Body& body) noexcept -> decltype(body()) {
    if (!source_.is_stream) return body();
    if (is_alone()) {
        auto result = body();
        source_.inbox->settle(*source_.gate);
        return result;
    }
    for (;;) {
        if (const Error error = begin_turn(); error != Error()) return error;
        auto result = body();
        if (ends_turn(result.error())) return result;
    }
}

}  // namespace usocket
