// TLS-3 TIME-2 TIME-3 TIME-4 TIME-5 TIME-6 TIME-10 POLL-5: TLS over a network that fails all the time, against OpenSSL
// by itself, by whatever mix of calls: nothing is lost, nothing comes twice, the order is kept, deadlines hold, a
// handler may jump out anywhere, and nothing leaks.
#include <sys/socket.h>

#include <algorithm>
#include <csetjmp>
#include <optional>
#include <string>

#include "faulty.hpp"
#include "gtest/gtest.h"
#include "loopback.hpp"
#include "print.hpp"
#include "scripted_host.hpp"
#include "tls_engine.hpp"
#include "tls_over_faulty.hpp"
#include "trial.hpp"
#include "usocket/tls.hpp"

namespace usocket::tests {
namespace {

using faulty::Kind;

// Of a handshake that memory and time are short for, over a wire that may take a byte at a time.
constexpr int most_tries = 5000;

class Talking : Trial {
public:
    Talking(std::uint64_t seed, HostKind host_kind)
        : Trial(seed), host_kind_(host_kind), host_(host_kind == HostKind::unwinds) {
        faulty::set_single_threaded(host_kind == HostKind::none && random_.chance(500));
        faulty::when_idle([this] { return go_on(); });
        auto connection = faulty::connect_pair(random_.chance(500) ? AF_INET : AF_UNIX, SOCK_STREAM);
        is_server_ = random_.chance(300);
        if (is_server_ && random_.chance(300)) accept(connection);
        socket_ = std::move(connection.socket);
        peer_.emplace(contexts().raw, std::move(connection.peer), !is_server_);
        peer_->wire().set_room(random_.between(1, 2 + random_.below(40000)));
        host_.on_signal = [this] { return random_.chance(200); };
        host_.while_left = [this] {
            if (random_.chance(50)) (void)go_on();
        };
        choose_faults();
    }

    void run() {
        begin();
        const std::uint64_t steps = random_.between(3, 30);
        for (step_ = 0; step_ < steps && is_going(); ++step_) step();
        finish();
    }

private:
    struct Outcome {
        Error error;
        std::string bytes;
        std::size_t sent = 0;
        bool jumped = false;
    };

    // One that a listener with TLS on it has accepted.
    void accept(faulty::Connection& connection) {
        Address address;
        Socket server = listener(address);
        must(server.wrap(*contexts().server, {.server_side = true}));
        Socket client = must(usocket::socket());
        must(client.connect(address));
        connection.peer = faulty::Peer(must(client.detach()));
        connection.socket = std::move(must(server.accept()).socket);
        is_wrapped_ = true;
    }

    [[nodiscard]] bool is_going() const { return !failed_ && !is_broken_; }

    void choose_faults() {
        faulty::Faults faults;
        for (const Kind kind : {Kind::cut, Kind::interrupt, Kind::again, Kind::no_buffers, Kind::no_memory,
                                Kind::spurious, Kind::refuse}) {
            if (random_.chance(500)) continue;
            faults[kind] = static_cast<unsigned>(random_.between(1, kind == Kind::cut ? 600 : 80));
        }
        if (random_.chance(50)) faults[Kind::reset] = 3;
        faulty::set_faults(faults);
    }

    // What the world does while nobody of ours does anything.
    bool go_on() {
        bool has_changed = peer_->move(random_.between(1, 2 + random_.below(20000)));
        if (!has_changed && peer_->is_ready()) {
            ask_for_new_keys();
            peer_->say(random_.between(1, 1 + random_.below(random_.chance(100) ? 16384 : 2000)));
            has_changed = peer_->move(SIZE_MAX);
        }
        return has_changed;
    }
    // Now and then more at once than there is room for our answers.
    void ask_for_new_keys() {
        if (!takes_new_keys || !random_.chance(100)) return;
        for (std::uint64_t i = random_.between(1, 1 + random_.below(20)); i != 0; --i) peer_->ask();
    }
    void go_on_later() {
        faulty::at(faulty::now() + static_cast<std::int64_t>(random_.below(10'000'000)), [this] { (void)go_on(); });
    }

    void begin() {
        TlsContext& context = is_server_ ? *contexts().server : *contexts().client;
        Result<void> wrapped = Error(ENOMEM);
        for (int i = 0; i < most_tries && is_going() && wrapped.error() != Error(); ++i) {
            set_timeout();
            arm();
            const Outcome outcome = perform([&](Call&& call) -> Outcome {
                const TlsOptions options{.server_side = is_server_, .server_hostname = "localhost"};
                return {!is_wrapped_ ? socket_.wrap(context, options, std::move(call)).error()
                                     : socket_.do_handshake(std::move(call)).error(),
                        {}};
            });
            last_ = "handshake -> " + std::to_string(outcome.error.code());
            wrapped = outcome.jumped ? Error(EINTR) : outcome.error;
            is_wrapped_ = is_wrapped_now();
            note_end(outcome.error);
            if (wrapped.error() != Error() && random_.chance(500)) (void)go_on();
        }
        if (is_going() && wrapped.error() == Error()) return;
        require(is_broken_, "no handshake in so many tries");
    }
    // Memory may be in the way of that.
    bool is_wrapped_now() { return socket_.dup().error() == Error(TlsFailure::not_shared); }

    void step() {
        switch (random_.below(12)) {
            case 0: (void)go_on(); break;
            case 1: go_on_later(); break;
            case 2: set_timeout(); break;
            case 3:
            case 4:
            case 5:
            case 6: send(); break;
            default: receive(); break;
        }
    }

    void set_timeout() {
        const faulty::Calm calm;
        const auto kind = random_.below(10);
        Timeout timeout;
        if (kind < 3) timeout = Timeout::zero();
        if (kind > 5) timeout = Timeout::of_nanoseconds(static_cast<std::int64_t>(random_.between(1, 30'000'000)));
        require(socket_.settimeout(timeout).has_value(), "settimeout");
    }

    void arm() {
        if (host_kind_ != HostKind::unwinds || !random_.chance(200)) return;
        faulty::arm_jump(jump_, static_cast<unsigned>(random_.below(8)), random_.chance(500));
    }

    template <class Do> Outcome perform(Do call) {
        const std::int64_t begun = faulty::now();
        const Timeout timeout = socket_.gettimeout();
        Outcome outcome;
        if (host_kind_ == HostKind::none) {
            outcome = call(Call());
        } else {
            outcome = perform_hosted(call);
        }
        faulty::disarm_jump();
        const bool is_bounded = !timeout.is_none();
        require(!is_bounded || faulty::now() <= begun + timeout.nanoseconds(), "it lasted longer than its timeout");
        if (outcome.error == Error(ETIMEDOUT)) require(is_bounded && !timeout.is_zero(), "ETIMEDOUT without a timeout");
        if (outcome.error == Error(EAGAIN)) require(timeout.is_zero(), "EAGAIN from a socket that blocks");
        return outcome;
    }
    template <class Do> Outcome perform_hosted(Do call) {
        std::optional<Call> own;
        own.emplace(host_.host());
        if (setjmp(jump_) == 0) return call(std::move(*own));
        const faulty::Calm calm(Kind::refuse);  // what was taken in needs a place
        socket_.unwound(*own);
        Outcome outcome;
        outcome.jumped = true;
        return outcome;
    }

    void note_end(Error error) {
        switch (error.code()) {
            case 0:
            case EAGAIN:
            case EINTR:
            case ETIMEDOUT:
            case ENOMEM:
            case ENOBUFS: return;
            case ECONNRESET:
            case EPIPE: require(faulty::injected(Kind::reset) != 0, "a broken connection out of nowhere"); break;
            // The engine's own allocations do not fail here.
            default: require(false, std::string("unexpected: ") + error.message()); break;
        }
        is_broken_ = true;
    }

    void receive() {
        const std::size_t size = random_.between(1, 1 + random_.below(random_.chance(100) ? 40000 : 300));
        const std::uint64_t op = random_.below(4);
        const int flags = random_.chance(200) ? MSG_PEEK : 0;
        arm();
        const auto refused = faulty::injected(Kind::refuse);
        const Outcome outcome = perform([&](Call&& call) { return do_receive(op, size, flags, std::move(call)); });
        last_ = "receive " + std::to_string(op) + " of " + std::to_string(size) + " -> " +
                std::to_string(outcome.error.code()) + ", " + std::to_string(outcome.bytes.size());
        note_end(outcome.error);
        if (outcome.error != Error() || outcome.jumped) return;
        require(outcome.bytes == pattern(true, read_, outcome.bytes.size()), "other bytes than were sent");
        require(!outcome.bytes.empty(), "an end that nobody has said");
        const bool may_be_short = socket_.gettimeout().is_zero() || faulty::injected(Kind::refuse) != refused;
        if (op == 0) require(outcome.bytes.size() == size || may_be_short, "a short read");
        if (op != 2 || flags == 0) read_ += outcome.bytes.size();
        require(read_ <= peer_->said(), "more than was sent");
    }
    Outcome do_receive(std::uint64_t op, std::size_t size, int flags, Call&& call) {
        room_.resize(size);
        Result<std::size_t> got = Error(EINVAL);
        if (op == 2) {
            got = socket_.recv_into(room_, flags, std::move(call));
        } else if (op == 1) {
            got = socket_.readline_into(room_, std::move(call));
        } else {
            got = socket_.readinto(room_, std::move(call));
        }
        return {got.error(), room_.substr(0, got.value_or(0u))};
    }

    void send() {
        const std::string bytes =
            pattern(false, written_, random_.between(1, 1 + random_.below(random_.chance(100) ? 40000 : 3000)));
        const bool is_write = random_.chance(500);
        arm();
        const Outcome outcome = perform([&](Call&& call) -> Outcome {
            std::size_t sent = 0;
            if (is_write) {
                const Error error = socket_.write(bytes, sent, std::move(call)).error();
                return {error, {}, sent};
            }
            const auto result = socket_.send(bytes, 0, std::move(call));
            return {result.error(), {}, result.value_or(0u)};
        });
        last_ = "send " + std::to_string(bytes.size()) + " -> " + std::to_string(outcome.error.code()) + ", " +
                std::to_string(outcome.sent);
        note_end(outcome.error);
        if (outcome.error == Error()) require(outcome.sent != 0 || outcome.jumped, "nothing went, and no error");
        written_ += outcome.sent;
        // Nobody knows how much went: the trial ends with what it has.
        if (outcome.jumped) is_broken_ = is_unknown_ = true;
        check_heard();
    }
    // Up to a record may be on its way that no call has counted yet.
    void check_heard() {
        const std::string& heard = peer_->heard();
        require(heard == pattern(false, 0, heard.size()), "the peer got other bytes than were sent");
        require(is_unknown_ || heard.size() <= written_ + 16384, "the peer got more than was said to be sent");
    }

    void finish() {
        faulty::set_faults(faulty::Faults());
        if (is_going()) {
            faulty::set_single_threaded(false);
            require(socket_.settimeout(Timeout::none()).has_value(), "settimeout");
            peer_->wire().set_room(1 << 20);
            if (settle_owed()) {
                take_the_rest();
            } else {
                require(faulty::injected(Kind::reset) != 0, "what was begun cannot be sent");
            }
        }
        socket_ = Socket();
        peer_.reset();
        require_nothing_left();
    }
    void take_the_rest() {
        while (peer_->move(SIZE_MAX)) {
        }
        const std::size_t more = peer_->said() - read_;
        room_.resize(more);
        const auto rest = socket_.readinto(room_);
        require(more == 0 || rest.value_or(0u) == more, "the rest does not come");
        require(room_ == pattern(true, read_, more), "the rest is other bytes than were sent");
        socket_.close();
        while (peer_->move(SIZE_MAX)) {
        }
        check_heard();
        require(peer_->heard().size() == written_, "the peer did not get all that was sent");
        require(peer_->has_heard_end(), "close() says nothing of it (TLS-5)");
    }
    // What a call had begun is on its way: it counts when it is sent again.
    bool settle_owed() {
        while (peer_->move(SIZE_MAX)) {
        }
        const std::string last = pattern(false, written_, 16384);
        const auto sent = socket_.write(last);
        written_ += sent.value_or(0u);
        return sent.has_value();
    }

    HostKind host_kind_;
    ScriptedHost host_;
    Socket socket_;
    std::optional<MemoryPeer> peer_;
    std::jmp_buf jump_{};
    std::string room_;
    std::size_t read_ = 0;     // of what the peer says
    std::size_t written_ = 0;  // of what we say, as our calls have counted it
    bool is_server_ = false;
    bool is_wrapped_ = false;
    bool is_broken_ = false;
    bool is_unknown_ = false;
};

TEST(PropertyTls, WithAHost) {
    for_each_seed([](std::uint64_t seed) { Talking(seed, HostKind::hooks).run(); });
}

TEST(PropertyTls, WithoutAHost) {
    for_each_seed([](std::uint64_t seed) { Talking(seed, HostKind::none).run(); });
}

TEST(PropertyTls, AHandlerThatJumpsLeavesTheSocketUsable) {
    for_each_seed([](std::uint64_t seed) { Talking(seed, HostKind::unwinds).run(); });
}

}  // namespace
}  // namespace usocket::tests
