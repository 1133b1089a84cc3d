// SOCK-6 TIME-3 TIME-4 TIME-8 STRM-1 POLL-5: sockets that keep message boundaries: each message comes once, in order,
// whole or cut off, whatever method and flag takes it.
#include <chrono>
#include <deque>
#include <string>

#include "connection.hpp"
#include "descriptor.hpp"
#include "pattern.hpp"
#include "reading.hpp"
#include "trial.hpp"

namespace usocket::tests {
namespace {

using Clock = std::chrono::steady_clock;

class MessageTrial : Trial {
public:
    MessageTrial(std::uint64_t seed, Record& record)
        : Trial(seed, record), pattern_(seed, 20), kind_(static_cast<int>(random_.below(lacks("unix") ? 1 : 3))) {
        const int family = kind_ == 0 ? AF_INET : AF_UNIX;
        const int type = kind_ == 2 ? SOCK_SEQPACKET : SOCK_DGRAM;
        if (kind_ == 0) {
            descriptor_ = next_descriptor();
            here_ = must(Socket::open(family, type));
            there_ = must(Socket::open(family, type));
            for (Socket* socket : {&here_, &there_}) must(socket->bind(must(Address::inet(AF_INET, "127.0.0.1", 0))));
            must(here_.connect(must(there_.getsockname())));
            must(there_.connect(must(here_.getsockname())));
        } else {
            SocketPair pair = must(Socket::pair(family, type));
            here_ = std::move(pair.first);
            there_ = std::move(pair.second);
        }
        if (random_.chance(500)) must(poll_.register_(here_, POLLIN));
        trace(kind_ == 0 ? "UDP" : kind_ == 1 ? "AF_UNIX datagrams" : "AF_UNIX, SOCK_SEQPACKET");
    }

    void run() {
        for (std::uint64_t i = 0; i < 40 && !failed(); ++i) {
            begin_step(i);
            step();
            if (!failed()) look_around();
        }
    }

private:
    void step() {
        switch (random_.below(8)) {
            case 0:
            case 1: send(); break;
            case 2: set_timeout(); break;
            case 3:
                if (random_.chance(300)) copy_ = must(here_.dup());
                break;
            default: read(); break;
        }
    }
    void send() {
        if (messages_.size() == 8) return;
        const std::string message = pattern_.bytes(sent_, random_.between(1, 2000));
        sent_ += message.size();
        const int before = queue_memory(descriptor_);
        require(there_.send(message).value_or(std::size_t{0}) == message.size(), "a message is sent whole");
        // On a busy machine the loopback takes a moment.
        for (int i = 0; i < 20'000 && before >= 0 && queue_memory(descriptor_) == before; ++i) ::usleep(100);
        messages_.push_back(message);
        trace("a message of " + std::to_string(message.size()) + " bytes");
    }
    void set_timeout() {
        const std::uint64_t kind = random_.below(3);
        Timeout timeout = Timeout::zero();
        if (kind == 1) timeout = std::chrono::microseconds(random_.between(1, 10'000));
        if (kind == 2) timeout = Timeout::none();
        must(here_.settimeout(timeout));
        if (!copy_.closed()) must(copy_.settimeout(timeout));
    }

    void read() {
        Reading reading = Reading::choose(random_, 3000);
        if (reading.how == Reading::How::read_all) reading.how = Reading::How::read;
        if (kind_ != 0) reading.flags &= ~(MSG_ERRQUEUE | MSG_OOB);
        if (reading.is_line() && reading.is_unlimited()) reading.how = Reading::How::readline_limit;
        Socket& socket = !copy_.closed() && random_.chance(300) ? copy_ : here_;
        if (messages_.empty() && socket.gettimeout().is_none() && !reading.is_at_once()) send();
        const Timeout timeout = socket.gettimeout();
        trace(reading.text() +
              (timeout.is_none() ? " timeout None" : " timeout " + std::to_string(timeout.nanoseconds())));
        const auto start = Clock::now();
        const Got got = perform(reading, socket, nullptr);
        trace("    -> " +
              (got.error == Error() ? std::to_string(got.count) + " bytes" : std::string(got.error.message())));
        require(Clock::now() - start < std::chrono::seconds(4), "it waits too long (TIME-2, TIME-8)");
        const bool is_too_long = kind_ == 2 && reading.is_stream_method() && !messages_.empty() && reading.size != 0 &&
                                 messages_.front().size() > reading.size;
        if (is_too_long) {
            require(got.error == Error(EMSGSIZE), "a packet that does not fit is left where it is");
            return;
        }
        if (got.error != Error()) return check_error(reading, timeout, got);
        if (messages_.empty()) return (void)require(false, "a message out of nowhere");
        const std::string& next = messages_.front();
        require(next.starts_with(got.bytes), "this is not the next message");
        const bool tells_all = (reading.flags & MSG_TRUNC) != 0;
        require(got.count == (tells_all ? next.size() : std::min(next.size(), reading.size)),
                "not as much as there is of the message");
        if (!reading.is_peek()) messages_.pop_front();
    }
    void check_error(const Reading& reading, Timeout timeout, const Got& got) {
        const bool is_once = timeout.is_zero() || reading.is_at_once();
        const bool is_expected = reading.is_elsewhere() || messages_.empty();
        require(is_expected, std::string("an error though a message is there: ") + got.error.message());
        if (reading.is_elsewhere()) return;
        require(got.error == Error(is_once ? EAGAIN : ETIMEDOUT), std::string("unexpected: ") + got.error.message());
    }
    void look_around() {
        const bool is_in = !messages_.empty();
        require(((here_.poll_now(POLLIN) & POLLIN) != 0) == is_in, "poll_now() is wrong");
        Poll::Event event[1];
        if (poll_.size() != 0)
            require((poll_.poll(event, Timeout::zero()).value_or(std::size_t{9}) == 1) == is_in, "Poll is wrong");
    }

    Pattern pattern_;
    int kind_;
    int descriptor_ = -1;  // of here_, if it is UDP
    Poll poll_;
    Socket here_, there_, copy_;
    std::deque<std::string> messages_;
    std::uint64_t sent_ = 0;
};

}  // namespace

void run_message_trial(std::uint64_t seed, Record& record) { MessageTrial(seed, record).run(); }

}  // namespace usocket::tests
