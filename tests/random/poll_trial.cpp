// POLL-1..5 POLL-7: one Poll over sockets and descriptors that come and go, also behind its back; the system's own
// poll(2) says what is right.
#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "connection.hpp"
#include "descriptor.hpp"
#include "trial.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class PollTrial : Trial {
public:
    PollTrial(std::uint64_t seed, Record& record) : Trial(seed, record) {}

    void run() {
        const std::uint64_t steps = random_.between(5, 40);
        for (std::uint64_t i = 0; i < steps && !failed(); ++i) {
            begin_step(i);
            step();
            if (!failed()) check();
        }
        for (Member& member : members_) end(member);
        for (const int fd : duplicates_) ::close(fd);
    }

private:
    // One end of a pair; registered by its number, or as a socket.
    struct Member {
        int fd, other;
        Socket socket;  // open if it is registered as one
        unsigned mask = 0;
        bool is_registered = false, is_closed = false;
        bool has_duplicate = false;
    };

    void step() {
        switch (random_.below(10)) {
            case 0:
            case 1: add(); break;
            case 2: with_one(&PollTrial::modify); break;
            case 3: with_one(&PollTrial::unregister); break;
            case 4: with_one(&PollTrial::close_behind); break;
            case 5: with_one(&PollTrial::close_socket); break;
            case 6: with_one(&PollTrial::end_stream); break;
            case 7: with_one(&PollTrial::drain); break;
            default: with_one(&PollTrial::fill); break;
        }
    }
    void with_one(void (PollTrial::*what)(Member&)) {
        if (!members_.empty()) (this->*what)(members_[random_.below(members_.size())]);
    }

    void add() {
        if (members_.size() > 12) return;
        int ends[2];
        checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
        Member member{ends[0], ends[1], Socket(), 0, false, false, false};
        // A number that a stale registration still has is that one's.
        const bool is_known = std::any_of(members_.begin(), members_.end(), [&](const Member& other) {
            return other.is_registered && other.fd == member.fd;
        });
        if (random_.chance(400)) member.socket = must(Socket::adopt(member.fd));
        if (!is_known && random_.chance(850)) {
            member.mask = random_.chance(700) ? POLLIN : POLLIN | POLLOUT;
            member.is_registered = true;
            if (member.socket.closed()) {
                must(poll_.register_(member.fd, member.mask));
            } else {
                keep(std::move(member));
                must(poll_.register_(members_.back().socket, members_.back().mask));
                return;
            }
        }
        keep(std::move(member));
    }
    void keep(Member&& member) {
        trace((member.socket.closed() ? "descriptor " : "socket ") + std::to_string(member.fd) +
              (member.is_registered ? "" : ", not registered"));
        members_.reserve(64);  // sockets that are registered must not move
        members_.push_back(std::move(member));
    }

    void modify(Member& member) {
        if (!member.is_registered || member.is_closed) return;
        member.mask ^= POLLOUT;
        trace("modify " + std::to_string(member.fd));
        require(
            (member.socket.closed() ? poll_.modify(member.fd, member.mask) : poll_.modify(member.socket, member.mask))
                .has_value(),
            "modify");
    }
    void unregister(Member& member) {
        if (!member.is_registered) return;
        trace("unregister " + std::to_string(member.fd));
        const auto done = is_socket(member) ? poll_.unregister(member.socket) : poll_.unregister(member.fd);
        require(done.has_value(), "unregister");
        member.is_registered = false;
    }
    static bool is_socket(const Member& member) { return member.socket.family() != 0; }

    // Nobody tells the poll.
    void close_behind(Member& member) {
        if (member.is_closed || is_socket(member)) return;
        member.has_duplicate = random_.chance(500);
        if (member.has_duplicate) duplicates_.push_back(checked(::fcntl(member.fd, F_DUPFD_CLOEXEC, 200)));
        trace("close(" + std::to_string(member.fd) + ") behind its back" +
              (member.has_duplicate ? ", a duplicate lives" : ""));
        ::close(member.fd);
        member.is_closed = true;
    }
    void close_socket(Member& member) {
        if (member.is_closed || !is_socket(member)) return;
        trace("socket " + std::to_string(member.fd) + ".close()");
        member.socket.close();
        member.is_closed = true;
    }
    void end_stream(Member& member) {
        if (member.other < 0 || !random_.chance(300)) return;
        trace("the peer of " + std::to_string(member.fd) + " is closed");
        ::close(member.other);
        member.other = -1;
    }
    void fill(Member& member) {
        if (member.other >= 0) (void)!::send(member.other, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    void drain(Member& member) {
        if (!member.is_closed) (void)take(member.fd, 100);
    }
    static void end(Member& member) {
        if (member.other >= 0) ::close(member.other);
        if (is_socket(member)) {
            member.socket.close();
        } else if (!member.is_closed) {
            ::close(member.fd);
        }
    }

    // --- What is right

    void check() {
        Poll::Event events[32];
        const auto start = Clock::now();
        const auto before = processor_time();
        const bool expects_nothing =
            std::none_of(members_.begin(), members_.end(), [](const Member& member) { return is_due(member); });
        const auto count = poll_.poll(events, expects_nothing ? Timeout(15ms) : Timeout(500ms));
        const auto took = Clock::now() - start;
        if (!require(count.has_value(), "poll")) return;
        std::vector<Poll::Event> found(events, events + *count);
        if (expects_nothing && *count == 0) {
            require(took >= 14ms, "a poll of nothing ends early");
            require(processor_time() - before < 10ms, "a poll of nothing spins (POLL-7)");
        }
        for (Member& member : members_) check_member(member, found);
        for (const Poll::Event& event : found) {
            require(false, "an event for nothing that is registered: " + std::to_string(event.fd) + " (POLL-7)");
        }
    }

    // Whether it must be reported.
    static bool is_due(const Member& member) {
        if (!member.is_registered) return false;
        if (member.is_closed) return is_socket(member) || !member.has_duplicate;
        return truth(member) != 0;
    }
    static unsigned truth(const Member& member) {
        pollfd one{member.fd, static_cast<short>(member.mask), 0};
        return ::poll(&one, 1, 0) == 1 ? static_cast<unsigned>(one.revents) : 0;
    }

    // Takes the member's events out of `found`.
    void check_member(Member& member, std::vector<Poll::Event>& found) {
        if (!member.is_registered) return;
        const int name = is_socket(member) && member.is_closed ? -1 : member.fd;
        const auto event =
            std::find_if(found.begin(), found.end(), [name](const Poll::Event& one) { return one.fd == name; });
        const bool is_there = event != found.end();
        const unsigned events = is_there ? event->events : 0;
        if (is_there) found.erase(event);
        const std::string text = std::to_string(member.fd) + " (POLL-7)";
        if (!member.is_closed) {
            // POLLRDHUP and the like are nobody's business.
            const unsigned known = POLLIN | POLLOUT | POLLERR | POLLHUP;
            require((events & known) == (truth(member) & known), "wrong events: " + std::to_string(events) +
                                                                     " instead of " + std::to_string(truth(member)) +
                                                                     " for " + std::to_string(member.fd));
            return;
        }
        require(is_there || !is_due(member), "closed behind its back and not reported: " + text);
        const bool is_false = !is_socket(member) && (events & (POLLIN | POLLOUT)) != 0 && (events & POLLNVAL) == 0;
        require(!is_false, "a report for somebody else: " + text);
    }
    static std::chrono::nanoseconds processor_time() {
        timespec time{};
        (void)::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
        return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
    }

    Poll poll_;
    std::vector<Member> members_;
    std::vector<int> duplicates_;
};

}  // namespace

void run_poll_trial(std::uint64_t seed, Record& record) { PollTrial(seed, record).run(); }

}  // namespace usocket::tests
