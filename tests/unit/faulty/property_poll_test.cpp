// POLL-1 POLL-2 POLL-3 POLL-4 POLL-5 POLL-7: many registrations of sockets and descriptors that come, change and go:
// each poll says of each exactly what is the case.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "faulty.hpp"
#include "gtest/gtest.h"
#include "print.hpp"
#include "trial.hpp"

namespace usocket::tests {
namespace {

using faulty::Kind;

constexpr unsigned of_its_end = POLLERR | POLLHUP | POLLNVAL;
constexpr unsigned unasked = POLLERR | POLLHUP;

class Polling : Trial {
public:
    explicit Polling(std::uint64_t seed) : Trial(seed) {
        faulty::set_single_threaded(random_.chance(500));
        faulty::Faults faults;
        faults[Kind::interrupt] = random_.chance(500) ? 100 : 0;
        faulty::set_faults(faults);
    }

    void run() {
        const std::uint64_t steps = random_.between(5, 80);
        for (step_ = 0; step_ < steps && !failed_; ++step_) {
            step();
            if (random_.chance(400)) check_all();
            if (random_.chance(100)) check_few();
        }
        finish();
    }

private:
    struct End {
        std::unique_ptr<Socket> socket;
        faulty::Peer peer;
        faulty::Holder holder;
    };
    // What is registered, as the test sees it.
    struct Watched {
        End* end = nullptr;  // nullptr: the socket is gone
        bool is_socket = true;
        bool is_closed = false;
        bool is_spent = false;
        unsigned mask = 0;
        Registration* registration = nullptr;
        unsigned told = 0;  // of its end, while it is spent
    };

    using Ready = std::map<Registration*, unsigned>;

    // --- What can happen

    void step() {
        if (ends_.empty()) return open();
        End& end = *ends_[random_.below(ends_.size())];
        switch (random_.below(16)) {
            case 0: open(); break;
            case 1:
            case 2: end.peer.feed("some bytes"); break;
            case 3: keep_some(end); break;
            case 4: read_some(end); break;
            case 5: end.peer.shut_down(); break;
            case 6: close(end); break;
            case 7: register_descriptor(end); break;
            case 8: modify(); break;
            case 9: unregister(); break;
            case 10: poll_once(); break;
            case 11: fork(); break;
            case 12: go_stale(end); break;
            case 13: wake(); break;
            default: register_socket(end); break;
        }
    }

    void open() {
        auto connection = faulty::connect_pair(AF_INET, SOCK_STREAM);
        auto end = std::make_unique<End>();
        end->socket = std::make_unique<Socket>(std::move(connection.socket));
        end->peer = std::move(connection.peer);
        end->holder = end->peer.holder_of_socket();
        ends_.push_back(std::move(end));
        last_ = "open";
    }

    // A read that times out halfway: the socket has bytes that the system does not know of.
    void keep_some(End& end) {
        last_ = "keep";
        end.socket->settimeout(std::chrono::microseconds(1)).value();
        char memory[100];
        (void)end.socket->readinto(memory);
    }

    void read_some(End& end) {
        last_ = "read";
        end.socket->settimeout(Timeout::zero()).value();
        (void)end.socket->recv(random_.between(1, 20));
    }

    void close(End& end) {
        last_ = "close";
        const bool is_destroyed = random_.chance(500);
        for (Watched& one : watched_) {
            if (one.end != &end) continue;
            one.is_closed = true;
            one.end = nullptr;
        }
        // A bare descriptor leaves by itself.
        std::erase_if(watched_, [&](const Watched& one) {
            if (!one.is_closed || one.is_socket) return false;
            poll_.unregister(one.registration);
            return true;
        });
        if (is_destroyed) {
            end.socket.reset();
        } else {
            end.socket->close();
            closed_.push_back(std::move(end.socket));
        }
        std::erase_if(ends_, [&](const auto& other) { return other.get() == &end; });
    }

    unsigned choose_mask() { return static_cast<unsigned>(random_.below(2) * POLLIN + random_.below(2) * POLLOUT); }

    void register_socket(End& end) {
        last_ = "register a socket";
        const unsigned mask = choose_mask();
        const auto registration = poll_.register_(*end.socket, mask, &end);
        require(registration.has_value(), "register_");
        if (Watched* old = find(*registration)) {
            old->mask = mask;
            old->is_spent = false;
            old->told = 0;
        } else {
            watched_.push_back({&end, true, false, false, mask, *registration});
        }
    }

    void register_descriptor(End& end) {
        last_ = "register a descriptor";
        const unsigned mask = choose_mask();
        const int fd = end.socket->fileno();
        const auto registration =
            random_.chance(500) ? poll_.register_(fd, mask, &end) : poll_.register_another(fd, mask, &end);
        require(registration.has_value(), "register_");
        if (Watched* old = find(*registration)) {
            old->mask = mask;
            old->is_spent = false;
            old->told = 0;
        } else {
            watched_.push_back({&end, false, false, false, mask, *registration});
        }
    }

    Watched* find(const Registration* registration) {
        for (Watched& one : watched_) {
            if (one.registration == registration) return &one;
        }
        return nullptr;
    }

    void modify() {
        if (watched_.empty()) return;
        last_ = "modify";
        Watched& one = watched_[random_.below(watched_.size())];
        one.mask = choose_mask();
        one.is_spent = false;
        one.told = 0;
        const bool by_socket = one.is_socket && one.end != nullptr && random_.chance(500);
        const auto modified =
            by_socket ? poll_.modify(*one.end->socket, one.mask) : poll_.modify(one.registration, one.mask);
        require(modified.has_value(), "modify");
    }

    void unregister() {
        if (watched_.empty()) return;
        last_ = "unregister";
        const std::size_t index = random_.below(watched_.size());
        Watched& one = watched_[index];
        if (one.is_socket && one.end != nullptr && random_.chance(500)) {
            require(poll_.unregister(*one.end->socket).has_value(), "unregister");
            require(poll_.unregister(*one.end->socket).error() == Error(ENOENT), "it is no longer there (POLL-2)");
        } else {
            poll_.unregister(one.registration);
        }
        watched_.erase(watched_.begin() + static_cast<std::ptrdiff_t>(index));
    }

    // A descriptor that is closed behind the poll's back while its file lives on; its number is the next to be used.
    void go_stale(End& end) {
        last_ = "go stale";
        auto duplicate = end.socket->dup();
        if (!duplicate) return;
        const auto registration = poll_.register_another(duplicate->fileno(), choose_mask());
        require(registration.has_value(), "register_another");
        const bool is_seen = random_.chance(500);
        if (is_seen) (void)poll_.modify(*registration, choose_mask());
        duplicate->close();
        if (random_.chance(500)) require(poll_.modify(*registration, POLLIN).error() == Error(EBADF), "it is gone");
        poll_.unregister(*registration);
        if (random_.chance(500)) open();
    }

    // The next poll has its events all the same.
    void wake() {
        last_ = "wake";
        poll_.wake();
    }

    void fork() {
        last_ = "fork";
        random_.chance(500) ? faulty::fork_as_parent() : faulty::fork_as_child();
    }

    // One-shot: what it returns is not returned again until it is modified.
    void poll_once() {
        last_ = "poll one-shot";
        Poll::Event events[64];
        const auto count = poll_.poll(events, Timeout::zero(), true);
        if (!count) return;
        compare(events, *count, expected());
        for (std::size_t i = 0; i < *count; ++i) {
            Watched* one = find(events[i].registration);
            if (one == nullptr) continue;
            one->is_spent = true;
            one->mask = 0;
            one->told |= events[i].events & of_its_end;
        }
    }

    // What is spent has its end reported once.
    void note_told(const Ready& reported) {
        for (Watched& one : watched_) {
            const auto found = reported.find(one.registration);
            if (one.is_spent && found != reported.end()) one.told |= found->second & of_its_end;
        }
    }

    // --- What must be right

    [[nodiscard]] static unsigned expected_of(const Watched& one) {
        if (one.is_closed) return (one.told & POLLNVAL) != 0 ? 0 : POLLHUP | POLLNVAL;
        if (one.is_spent) return one.told != 0 ? 0 : one.end->holder.poll() & unasked;
        const unsigned kept = one.is_socket && one.end->socket->has_kept() ? POLLIN : 0;
        return (one.end->holder.poll() | kept) & (one.mask | unasked);
    }
    [[nodiscard]] Ready expected() const {
        Ready all;
        for (const Watched& one : watched_) {
            if (const unsigned events = expected_of(one); events != 0) all[one.registration] = events;
        }
        return all;
    }

    void compare(const Poll::Event* events, std::size_t count, Ready wanted) {
        for (std::size_t i = 0; i < count; ++i) {
            const auto found = wanted.find(events[i].registration);
            if (found == wanted.end()) return require(false, "reported though nothing is the case");
            require(events[i].events == found->second, "reported with " + std::to_string(events[i].events) +
                                                           " instead of " + std::to_string(found->second));
            const Watched* one = find(events[i].registration);
            require((events[i].fd == -1) == one->is_closed, "a closed one has no descriptor, and only that (POLL-3)");
            wanted.erase(found);
        }
        require(wanted.empty(), "something that is the case is not reported");
    }

    void check_all() {
        Poll::Event events[64];
        const auto count = poll_.poll(events, Timeout::zero());
        require(count.has_value(), "poll");
        require(poll_.size() == watched_.size(), "size()");
        if (!count) return;
        const Ready wanted = expected();
        compare(events, *count, wanted);
        note_told(wanted);
    }

    // With room for few: what does not fit has its turn soon, and nothing is left out for ever.
    void check_few() {
        const faulty::Calm calm;
        const Ready wanted = expected();
        const std::size_t room = random_.between(1, 3);
        Ready seen;
        for (std::size_t i = 0; i < 2 * wanted.size() * wanted.size() && seen != wanted; ++i) {
            Poll::Event events[3];
            const auto count = poll_.poll(events, room, Timeout::zero());
            require(count.has_value(), "poll");
            for (std::size_t k = 0; k < count.value_or(0u); ++k) seen[events[k].registration] |= events[k].events;
        }
        last_ = "poll with room for " + std::to_string(room) + " of " + std::to_string(wanted.size());
        require(seen == wanted, "in turn, not everything that is the case is reported");
        note_told(seen);
    }

    void finish() {
        faulty::set_faults(faulty::Faults());
        if (random_.chance(500)) poll_ = Poll();
        ends_.clear();
        closed_.clear();
        poll_ = Poll();
        require_nothing_left();
    }

    std::vector<std::unique_ptr<End>> ends_;
    std::vector<std::unique_ptr<Socket>> closed_;
    std::vector<Watched> watched_;
    Poll poll_;
};

TEST(PropertyPoll, SaysWhatIsTheCase) {
    for_each_seed([](std::uint64_t seed) { Polling(seed).run(); });
}

}  // namespace
}  // namespace usocket::tests
