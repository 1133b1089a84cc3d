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
        for (const int fd : duplicates_) close_descriptor(fd);
    }

private:
    // One end of a pair; registered by its number, or as a socket.
    struct Member {
        int fd, other;
        Socket socket;  // closed: a bare descriptor
        bool is_socket = false;
        unsigned mask = 0;
        bool is_registered = false;
        enum { open, by_socket, behind } state = open;
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
        members_.reserve(64);  // they are registered where they are
        Member& member = members_.emplace_back(make());
        // A number that a stale registration still has is that one's.
        const bool is_known = std::any_of(members_.begin(), members_.end(), [&](const Member& other) {
            return other.is_registered && other.fd == member.fd;
        });
        if (!is_known && random_.chance(850)) {
            member.mask = random_.chance(700) ? POLLIN : POLLIN | POLLOUT;
            member.is_registered = true;
            must(member.is_socket ? poll_.register_(member.socket, member.mask, &member)
                                  : poll_.register_(member.fd, member.mask, &member));
        }
        trace((member.is_socket ? "socket " : "descriptor ") + std::to_string(member.fd) +
              (member.is_registered ? "" : ", not registered"));
    }
    Member make() {
        if (random_.chance(200)) {
            // Nobody else has its number yet. Without AF_UNIX a listener has the first.
            const int fd = lacks("unix") ? next_descriptor_but_one() : next_descriptor();
            SocketPair pair = must(Socket::pair());
            return {.fd = fd, .other = must(pair.second.detach()), .socket = std::move(pair.first), .is_socket = true};
        }
        SocketPair pair = must(Socket::pair());
        const int ends[2] = {must(pair.first.detach()), must(pair.second.detach())};
        if (random_.chance(700)) return {.fd = ends[0], .other = ends[1], .socket = Socket()};
        return {.fd = ends[0], .other = ends[1], .socket = must(Socket::adopt(ends[0])), .is_socket = true};
    }

    void modify(Member& member) {
        if (!member.is_registered || member.state != Member::open) return;
        member.mask ^= POLLOUT;
        trace("modify " + std::to_string(member.fd));
        const auto done =
            member.is_socket ? poll_.modify(member.socket, member.mask) : poll_.modify(member.fd, member.mask);
        require(done.has_value(), "modify");
    }
    void unregister(Member& member) {
        if (!member.is_registered) return;
        trace("unregister " + std::to_string(member.fd));
        const auto done = member.is_socket ? poll_.unregister(member.socket) : poll_.unregister(member.fd);
        require(done.has_value(), "unregister");
        member.is_registered = false;
    }

    // Nobody tells the poll.
    void close_behind(Member& member) {
        if (member.state != Member::open) return;
        if (member.is_socket && !require(member.socket.fileno() == member.fd, "fileno()")) return;
        member.has_duplicate = random_.chance(500);
        if (member.has_duplicate) duplicates_.push_back(checked(duplicate(member.fd)));
        trace("close(" + std::to_string(member.fd) + ") behind its back" +
              (member.has_duplicate ? ", a duplicate lives" : ""));
        close_descriptor(member.fd);
        member.state = Member::behind;
    }
    void close_socket(Member& member) {
        if (member.state != Member::open || !member.is_socket) return;
        trace("socket " + std::to_string(member.fd) + ".close()");
        member.socket.close();
        member.state = Member::by_socket;
    }
    void end_stream(Member& member) {
        if (member.other < 0 || !random_.chance(300)) return;
        trace("the peer of " + std::to_string(member.fd) + " is closed");
        close_descriptor(member.other);
        member.other = -1;
    }
    void fill(Member& member) {
        if (member.other >= 0) (void)!::send(member.other, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    void drain(Member& member) {
        if (member.state == Member::open) (void)take(member.fd, 100);
    }
    static void end(Member& member) {
        if (member.other >= 0) close_descriptor(member.other);
        // A socket without a descriptor must not close what has the number now.
        if (member.state == Member::behind) (void)member.socket.detach();
        if (member.state == Member::open && !member.is_socket) close_descriptor(member.fd);
        member.socket.close();
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
        const bool has_slept = *count == 0;
        for (const Member& member : members_) check_member(member, found, has_slept);
        for (const Poll::Event& event : found) {
            require(false, "an event of nothing that is registered: " + std::to_string(event.fd) + " (POLL-7)");
        }
    }

    // Whether a wait must end with it. What was closed behind its back is looked for by a wait that sleeps.
    static bool is_due(const Member& member) {
        return member.is_registered && (is_closed(member) || truth(member) != 0);
    }
    static bool is_closed(const Member& member) { return member.state != Member::open; }
    static unsigned truth(const Member& member) {
        pollfd one{member.fd, static_cast<short>(member.mask), 0};
        return ::poll(&one, 1, 0) == 1 ? static_cast<unsigned>(one.revents) : 0;
    }

    // Takes the member's events out of `found`.
    void check_member(const Member& member, std::vector<Poll::Event>& found, bool has_slept) {
        if (!member.is_registered) return;
        const auto place =
            std::find_if(found.begin(), found.end(), [&](const Poll::Event& one) { return one.userdata == &member; });
        const bool is_there = place != found.end();
        const Poll::Event event = is_there ? *place : Poll::Event();
        if (is_there) found.erase(place);
        if (!is_closed(member)) {
            // POLLRDHUP and the like are nobody's business.
            const unsigned known = POLLIN | POLLOUT | POLLERR | POLLHUP;
            const unsigned right = truth(member);
            require((event.events & known) == (right & known) && (!is_there || event.fd == member.fd),
                    "wrong events: " + std::to_string(event.events) + " instead of " + std::to_string(right) + " for " +
                        std::to_string(member.fd));
            return;
        }
        const std::string text = std::to_string(member.fd) + " (POLL-7)";
        const bool is_known = member.state == Member::by_socket || has_slept;
        require(is_there || !is_known, "closed and not reported: " + text);
        const bool is_right = event.events == (POLLHUP | POLLNVAL) && event.fd == -1;
        require(is_right || !is_there, "a report for somebody else: events " + std::to_string(event.events) + " of " +
                                           std::to_string(event.fd) + ", closed " + text);
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
