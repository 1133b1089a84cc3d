// POLL-6 POLL-1 POLL-5: several threads wait in one Poll and take what is there, while another registers, changes and
// takes out what it watches, and closes it: whatever comes, one of them learns in the end, and none wakes in vain.
#include <atomic>
#include <chrono>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "trial.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;
using Clock = std::chrono::steady_clock;

class ChangingTrial : Trial {
public:
    ChangingTrial(std::uint64_t seed, Record& record)
        : Trial(seed, record),
          is_one_shot_(random_.chance(400)),
          room_(random_.between(1, 4)),
          waiters_(random_.between(1, 4)) {}

    void run() {
        trace(std::to_string(waiters_) + " threads, " + std::to_string(room_) + " events at once" +
              (is_one_shot_ ? ", one-shot" : ""));
        add();
        std::vector<std::jthread> threads;
        threads.reserve(waiters_);
        for (std::uint64_t i = 0; i < waiters_; ++i) threads.emplace_back([this, i] { wait(i); });
        const std::uint64_t steps = random_.between(5, 60);
        for (std::uint64_t i = 0; i < steps && !failed(); ++i) {
            begin_step(i);
            step();
            if (random_.chance(300)) std::this_thread::sleep_for(microseconds(random_.below(1000)));
        }
        begin_step(steps);
        watch_all();
        await_all();
        is_over_ = true;
        for (std::uint64_t i = 0; i < waiters_; ++i) wake();  // each ends one wait
        threads.clear();
        require(failed() || early_ <= wakes_, std::to_string(early_) + " waits came back with nothing, and " +
                                                  std::to_string(wakes_) + " had a reason");
    }

private:
    // Threads know it as the userdata of events; it stays until the end.
    struct Member {
        Socket near, far;
        std::uint64_t number = 0;
        bool is_registered = false, is_closed = false;  // as the one who changes knows
        std::uint64_t sent = 0;
        std::atomic<std::uint64_t> taken{0};
    };

    // --- The one who changes

    void step() {
        Member& member = members_[random_.below(members_.size())];
        switch (random_.below(12)) {
            case 0: return add();
            case 1: return set_registered(member);
            case 2: return close(member);
            case 3: return modify(member);
            case 4: return wake();
            case 5: return keep(member);
            default: return send(member);
        }
    }
    void add() {
        if (members_.size() == 12) return;
        Member& member = members_.emplace_back();
        SocketPair pair = must(Socket::pair());
        member.near = std::move(pair.first);
        member.far = std::move(pair.second);
        member.number = members_.size();
        must(member.near.settimeout(1ms));
        if (random_.chance(200)) (void)member.near.fileno();
        must(poll_.register_(member.near, POLLIN, &member));
        member.is_registered = true;
        trace("adds " + name(member));
    }
    void set_registered(Member& member) {
        if (member.is_closed) return;
        trace((member.is_registered ? "takes out " : "registers ") + name(member));
        if (member.is_registered) {
            must(poll_.unregister(member.near));
        } else {
            must(poll_.register_(member.near, POLLIN, &member));
        }
        member.is_registered = !member.is_registered;
    }
    // Whoever finds it takes it out.
    void close(Member& member) {
        if (member.is_closed || !random_.chance(300)) return;
        trace("closes " + name(member));
        member.near.close();
        member.is_closed = true;
    }
    void modify(Member& member) {
        if (member.is_closed || !member.is_registered) return;
        const unsigned events = random_.chance(500) ? 0 : POLLIN;
        trace("modifies " + name(member) + " to " + std::to_string(events));
        must(poll_.modify(member.near, events));
    }
    void wake() {
        ++wakes_;
        poll_.wake();
    }
    void send(Member& member) {
        if (member.is_closed) return;
        const std::string bytes(random_.between(1, 100), 'x');
        trace("sends " + std::to_string(bytes.size()) + " to " + name(member));
        member.sent += must(member.far.send(bytes));
    }
    // What a read has taken that times out is for the threads.
    void keep(Member& member) {
        if (member.is_closed) return;
        trace("a read of " + name(member) + " that is not to end");
        char memory[20'000];
        const auto got = member.near.readinto(memory);
        require(got.error() == Error(ETIMEDOUT), std::string("a read of too much: ") + got.error().message());
    }
    static std::string name(const Member& member) { return "member " + std::to_string(member.number); }

    void watch_all() {
        trace("all are watched");
        for (Member& member : members_) {
            if (!member.is_closed) must(poll_.register_(member.near, POLLIN, &member));
        }
    }
    void await_all() {
        const auto start = Clock::now();
        for (Member& member : members_) {
            while (!failed() && !member.is_closed && member.taken != member.sent) {
                std::this_thread::sleep_for(100us);
                require(Clock::now() - start < 5s, "no thread in poll() learns of " + name(member) + " (POLL-6)");
            }
        }
    }

    // --- Those who wait

    void wait(std::uint64_t number) {
        Random random(seed_ * 109 + number);
        std::vector<Poll::Event> events(room_);
        while (!is_over_ && !failed()) {
            const auto span = random.chance(500) ? 60s : microseconds(random.between(1000, 50'000));
            const auto start = Clock::now();
            const auto count = poll_.poll(events, span, is_one_shot_);
            if (!require(count.has_value(), std::string("poll: ") + count.error().message())) return;
            if (*count == 0 && Clock::now() - start < span - 1ms) ++early_;
            for (std::size_t i = 0; i < *count; ++i) take(random, events[i]);
        }
    }
    void take(Random& random, const Poll::Event& event) {
        auto* member = static_cast<Member*>(event.userdata);
        if (event.fd == -1) {
            (void)poll_.unregister(member->near);  // ENOENT: another has been quicker
            return;
        }
        char memory[64];
        const MutableBuffer room(memory, random.between(1, sizeof memory));
        // More than there is, now and then: then the socket keeps it, and another one has to learn of that.
        const bool is_patient = random.chance(200);
        const auto got = is_patient ? member->near.readinto(room) : member->near.recv_into(room, MSG_DONTWAIT);
        if (got) member->taken += *got;
        const Error error = got.error();
        const bool is_known =
            error == Error() || error == Error(EBADF) || error == Error(is_patient ? ETIMEDOUT : EAGAIN);
        require(is_known, std::string("a read: ") + error.message());
        if (is_one_shot_) (void)poll_.modify(member->near, POLLIN);
    }

    bool is_one_shot_;
    std::size_t room_;
    std::uint64_t waiters_;
    Poll poll_;
    std::deque<Member> members_;
    std::atomic<std::uint64_t> early_{0}, wakes_{0};
    std::atomic<bool> is_over_{false};
};

}  // namespace

void run_changing_trial(std::uint64_t seed, Record& record) { ChangingTrial(seed, record).run(); }

}  // namespace usocket::tests
