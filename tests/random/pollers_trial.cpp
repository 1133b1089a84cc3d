// POLL-6 POLL-5: several threads wait in one Poll; whatever happens to a socket of it, each of them learns.
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "connection.hpp"
#include "peer.hpp"
#include "trial.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;
using Clock = std::chrono::steady_clock;
using What = Peer::What;

class PollersTrial : Trial {
public:
    PollersTrial(std::uint64_t seed, Record& record) : Trial(seed, record), pattern_(seed, 0) {
        const Listener listener = listen(random_.chance(500) ? Medium::tcp : Medium::third);
        peer_.emplace(record, pattern_, pattern_, listener.fd);
        socket_ = must(Socket::open(listener.address.family(), SOCK_STREAM));
        must(socket_.connect(listener.address));
        peer_->tell(What::accept);
        must(poll_.register_(socket_, POLLIN));
    }

    void run() {
        const std::uint64_t count = random_.between(2, 5);
        const std::uint64_t what = random_.below(4);
        constexpr const char* names[] = {"close()", "kept bytes", "bytes", "the end of the stream"};
        trace(std::to_string(count) + " threads, " + names[what]);
        {
            std::vector<std::jthread> threads;
            for (std::uint64_t i = 0; i < count; ++i) threads.emplace_back([this] { wait(); });
            std::this_thread::sleep_for(microseconds(random_.below(4000)));
            happen(what);
            const auto since = Clock::now();
            while (woken_ != count && Clock::now() - since < 3s) std::this_thread::sleep_for(200us);
            if (woken_ != count) {
                require(false, std::string("a thread in poll() does not learn of ") + names[what] + " (POLL-6)");
                ::_exit(0);
            }
        }
        socket_.close();
    }

private:
    void wait() {
        Poll::Event event[1];
        const auto count = poll_.poll(event, 30s);
        require(count.value_or(std::size_t{0}) == 1, "poll");
        ++woken_;
    }
    void happen(std::uint64_t what) {
        switch (what) {
            case 0: return socket_.close();
            case 1: {
                // Less than the read wants: some of the pollers see it on its way, the others when it is kept.
                must(socket_.settimeout(5ms));
                peer_->tell(What::send, 10);
                const auto got = socket_.read(100);
                require(got.error() == Error(ETIMEDOUT), "read() gets too much");
                return;
            }
            case 2: return peer_->tell(What::send, random_.between(1, 100));
            default: return peer_->tell(What::end);
        }
    }

    Pattern pattern_;
    std::optional<Peer> peer_;
    Poll poll_;
    Socket socket_;
    std::atomic<std::uint64_t> woken_{0};
};

}  // namespace

void run_pollers_trial(std::uint64_t seed, Record& record) { PollersTrial(seed, record).run(); }

}  // namespace usocket::tests
