// SOCK-4 TIME-6 TIME-8 STRM-5: several threads read one stream by whatever method, others ask for its descriptor and
// duplicate it meanwhile and read there. Each gets runs of the stream; together they are all of it, each byte once.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "connection.hpp"
#include "descriptor.hpp"
#include "pattern.hpp"
#include "peer.hpp"
#include "reading.hpp"
#include "trial.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;
using Clock = std::chrono::steady_clock;
using What = Peer::What;

// A run that is shorter could be from anywhere.
constexpr std::size_t shortest_run = 16;

class ReadersTrial : Trial {
public:
    ReadersTrial(std::uint64_t seed, Record& record)
        : Trial(seed, record),
          pattern_(seed, random_.between(1, 4), 32),
          medium_(static_cast<Medium>(random_.below(3))) {
        if (medium_ == Medium::tcp6 && !has_ipv6()) medium_ = Medium::tcp;
        const Listener listener = listen(medium_);
        peer_.emplace(record, pattern_, pattern_, listener.fd);
        descriptor_ = next_descriptor();
        socket_ = must(Socket::open(listener.address.family(), SOCK_STREAM));
        must(socket_.connect(listener.address));
        peer_->tell(What::accept);
        if (random_.chance(500)) must(socket_.settimeout(microseconds(random_.between(100, 20'000))));
    }

    void run() {
        const std::uint64_t total = random_.between(1, 200) * 1000;
        const std::uint64_t readers = random_.between(1, 4);
        trace(std::string(medium_names[static_cast<int>(medium_)]) + ", " + std::to_string(total) + " bytes, " +
              std::to_string(readers) + " threads");
        {
            std::vector<std::jthread> threads;
            for (std::uint64_t i = 0; i < readers; ++i) threads.emplace_back([this, i] { read_to_the_end(i); });
            if (random_.chance(200)) look_while_they_wait();
            feed(total);
            threads.emplace_back([this] { interfere(); });
        }
        check_runs(total);
        socket_.close();
        copy_.close();
    }

private:
    void feed(std::uint64_t total) {
        const bool may_urge = medium_ != Medium::third && !lacks("errors") && random_.chance(300);
        const std::uint64_t urges_at = may_urge ? random_.below(total) : total;
        for (std::uint64_t sent = 0, before = 0; sent < total; before = sent) {
            const std::uint64_t size = std::min(total - sent, random_.between(1, 20'000));
            peer_->tell(What::send, size, microseconds(random_.chance(700) ? 0 : random_.below(2000)));
            sent += size;
            if (before <= urges_at && urges_at < sent) peer_->tell(What::urge);
        }
        peer_->tell(What::end);
    }

    // TIME-8: nothing comes before this is done.
    void look_while_they_wait() {
        std::atomic<bool> is_done = false;
        const std::jthread looking([&] {
            (void)socket_.recv(1, MSG_DONTWAIT);
            (void)socket_.recv(1, MSG_OOB);
            (void)socket_.poll_now(POLLIN);
            is_done = true;
        });
        const auto start = Clock::now();
        while (!is_done && Clock::now() - start < 2s) std::this_thread::sleep_for(100us);
        require(is_done, "a call for one time waits for another thread's read (TIME-8)");
        if (!is_done) ::_exit(0);
    }

    void read_to_the_end(std::uint64_t number) {
        Random random(seed_ * 101 + number + 1);
        const bool reads_lines = random.chance(500);
        for (bool is_at_end = false; !is_at_end && !failed();) {
            Reading reading{static_cast<Reading::How>(random.below(Reading::ways)), random.between(shortest_run, 3000)};
            if (reads_lines) reading.how = random.chance(500) ? Reading::How::readline : Reading::How::readline_into;
            if (reading.how == Reading::How::read_all && !random.chance(20)) continue;
            const Got got = perform(reading, socket_, nullptr);
            keep_run(reading.text(), got.bytes);
            is_at_end = got.error == Error() && got.count == 0;
            const bool is_expected =
                got.error == Error() || (got.error == Error(ETIMEDOUT) && !socket_.gettimeout().is_none());
            require(is_expected, std::string("unexpected: ") + got.error.message());
        }
    }

    // What must not wait for the readers, and what must not disturb them.
    void interfere() {
        Random random(seed_ * 103);
        for (int i = 0; i < 6 && !failed(); ++i) {
            std::this_thread::sleep_for(microseconds(random.below(2000)));
            switch (random.below(8)) {
                case 0: (void)socket_.poll_now(POLLIN); break;
                case 1:
                case 5:
                case 6: return read_from_the_number(random);
                case 2: return read_from_a_copy(random);
                case 3: read_at_once(random); break;
                case 4: (void)socket_.recv(1, MSG_OOB); break;
                default: (void)socket_.has_kept(); break;
            }
        }
    }
    void read_at_once(Random& random) {
        const auto got = socket_.recv(random.between(shortest_run, 500), MSG_DONTWAIT);
        if (got) keep_run("recv(MSG_DONTWAIT)", std::string(got->view()));
    }
    void read_from_the_number(Random& random) {
        is_shared_ = true;
        const int fd = socket_.fileno();
        if (!require(fd == descriptor_, "fileno() is another")) return;
        for (int i = 0; i < 20; ++i) keep_run("::recv", take(fd, random.between(shortest_run, 3000)));
    }
    void read_from_a_copy(Random& random) {
        is_shared_ = true;
        auto copy = socket_.dup();
        if (!require(copy.has_value(), "dup()")) return;
        copy_ = std::move(*copy);
        for (int i = 0; i < 20; ++i) {
            if (const auto got = copy_.recv(random.between(shortest_run, 3000), MSG_DONTWAIT)) {
                keep_run("copy.recv", std::string(got->view()));
            }
        }
    }

    // --- The runs

    struct Run {
        std::string how, bytes;
    };
    void keep_run(const std::string& how, const std::string& bytes) {
        if (bytes.empty()) return;
        const std::lock_guard locked(mutex_);
        runs_.push_back({how, bytes});
    }

    // Where each piece of the shortest run's length is.
    class Places {
    public:
        Places(const Pattern& pattern, std::uint64_t total) : text_(pattern.bytes(0, total)) {
            for (std::uint64_t at = 0; at + shortest_run <= total; ++at) order_.push_back(at);
            std::sort(order_.begin(), order_.end(), [this](auto a, auto b) { return piece(a) < piece(b); });
        }
        [[nodiscard]] std::uint64_t find(std::string_view run) const {
            const std::string_view head = run.substr(0, shortest_run);
            const auto at =
                std::lower_bound(order_.begin(), order_.end(), head, [this](auto a, auto b) { return piece(a) < b; });
            return at != order_.end() && piece(*at) == head ? *at : UINT64_MAX;
        }

    private:
        [[nodiscard]] std::string_view piece(std::uint64_t at) const {
            return std::string_view(text_).substr(at, shortest_run);
        }
        std::string text_;
        std::vector<std::uint64_t> order_;
    };

    // A piece of the stream that somebody got.
    struct Piece {
        std::uint64_t begin, end;
        const Run* run;
        // Where the run goes on, if it was torn, and by how much its end, and the beginning of the rest, may be too
        // late: the bytes there are the same by chance.
        Piece* rest = nullptr;
        std::uint64_t doubt = 0;
    };

    // Long pieces tell where they belong; short ones, of which there are few, must fill what is left between them.
    void check_runs(std::uint64_t total) {
        if (failed()) return;
        const Places places(pattern_, total);
        std::vector<const Run*> short_ones;
        for (const Run& run : runs_) {
            if (run.bytes.size() < shortest_run) {
                short_ones.push_back(&run);
            } else if (!place(run, places)) {
                return;
            }
        }
        pieces_.sort([](const Piece& a, const Piece& b) { return a.begin < b.begin; });
        std::uint64_t end = 0;
        Piece* last = nullptr;
        for (Piece& piece : pieces_) {
            fill_gap(end, piece.begin, short_ones);
            const std::uint64_t overlap = end - std::min(end, piece.begin);
            if (overlap != 0 && last != nullptr && last->doubt >= overlap) {
                last->rest->begin -= overlap;
                end -= overlap;
            }
            const std::string where =
                "position " + std::to_string(piece.begin) + ", by " + piece.run->how + " (TIME-6)";
            if (!require(piece.begin >= end, "bytes twice: " + where)) return;
            // Short runs that were torn could be from anywhere; there are enough of them, or there are not.
            const std::uint64_t gap = piece.begin - end;
            if (gap != 0 && is_shared_ && gap <= size_of(short_ones)) return;
            if (!require(gap == 0, std::to_string(gap) + " bytes are lost before " + where)) return;
            end = piece.end;
            last = &piece;
        }
        fill_gap(end, total, short_ones);
        if (end != total && is_shared_ && total - end <= size_of(short_ones)) return;
        require(end == total, "bytes are lost: from " + std::to_string(end) + " to the end (TIME-6)");
    }

    // Another holder may come between the parts of a read; threads that read the same socket may not.
    bool place(const Run& run, const Places& places) {
        Piece* before = nullptr;
        for (std::string_view left = run.bytes; !left.empty();) {
            const std::uint64_t begin = left.size() < shortest_run ? UINT64_MAX : places.find(left);
            if (begin == UINT64_MAX && is_shared_) return false;  // torn into pieces that could be from anywhere
            if (!require(begin != UINT64_MAX, run.how + " returned what is nowhere in the stream (TIME-6)"))
                return false;
            std::size_t size = 0;
            while (size < left.size() && left[size] == pattern_.at(begin + size)) ++size;
            if (!require(size == left.size() || is_shared_,
                         run.how + " returned what is no run of the stream (TIME-6)"))
                return false;
            Piece& piece = pieces_.emplace_back(Piece{begin, begin + size, &run});
            if (before != nullptr) {
                before->rest = &piece;
                while (before->doubt < begin &&
                       pattern_.at(before->end - 1 - before->doubt) == pattern_.at(begin - 1 - before->doubt))
                    ++before->doubt;
            }
            before = &piece;
            left.remove_prefix(size);
        }
        return true;
    }
    static std::uint64_t size_of(const std::vector<const Run*>& runs) {
        std::uint64_t size = 0;
        for (const Run* run : runs) size += run->bytes.size();
        return size;
    }
    void fill_gap(std::uint64_t& end, std::uint64_t until, std::vector<const Run*>& rest) {
        for (bool found = true; found && end < until;) {
            found = false;
            for (auto run = rest.begin(); run != rest.end(); ++run) {
                if ((*run)->bytes.size() > until - end || !pattern_.is_at(end, (*run)->bytes)) continue;
                end += (*run)->bytes.size();
                rest.erase(run);
                found = true;
                break;
            }
        }
    }

    Pattern pattern_;
    Medium medium_;
    std::optional<Peer> peer_;
    Socket socket_, copy_;
    int descriptor_ = -1;
    std::mutex mutex_;
    std::vector<Run> runs_;
    std::list<Piece> pieces_;  // which point to each other
    std::atomic<bool> is_shared_{false};
};

}  // namespace

void run_readers_trial(std::uint64_t seed, Record& record) { ReadersTrial(seed, record).run(); }

}  // namespace usocket::tests
