#include "peer.hpp"

#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include "descriptor.hpp"

namespace usocket::tests {
namespace {

struct Command {
    Peer::What what;
    std::uint64_t value;
    std::chrono::microseconds delay;
};

Shared& make_shared_memory() {
    void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) std::abort();
    return *new (memory) Shared;
}

// The process itself.
class Process {
public:
    Process(Record& record, Shared& shared, const Pattern& out, const Pattern& in, int end, int watched, int listener)
        : record_(record), shared_(shared), out_(out), in_(in), end_(end), watched_(watched), listener_(listener) {}

    void run(int commands) {
        for (Command command{}; ::read(commands, &command, sizeof command) == ssize_t{sizeof command};) {
            if (command.delay.count() != 0) std::this_thread::sleep_for(command.delay);
            obey(command);
            ++shared_.done;
        }
    }

private:
    void obey(const Command& command) {
        const int value = static_cast<int>(command.value);
        switch (command.what) {
            case Peer::What::send: send(command.value); break;
            case Peer::What::end: (void)::shutdown(end_, SHUT_WR); break;
            case Peer::What::reset: reset(); break;
            case Peer::What::take: take(command.value); break;
            case Peer::What::look: look(); break;
            case Peer::What::set_lowat:
                shared_.lowat = value;
                set_option(watched_, SO_RCVLOWAT, value);
                break;
            case Peer::What::set_nonblocking:
                set_nonblocking(watched_, value != 0);
                shared_.nonblocking = value;
                break;
            case Peer::What::accept:
                ::close(end_);
                end_ = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
                break;
            case Peer::What::drop:
                ::close(watched_);
                watched_ = -1;
                break;
        }
    }

    // All of it has then arrived, as far as there was room.
    void send(std::uint64_t size) {
        while (size != 0) {
            const std::string bytes = out_.bytes(shared_.written, std::min<std::uint64_t>(size, 65536));
            const ssize_t count = ::send(end_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
            if (count >= 0) {
                shared_.written += static_cast<std::uint64_t>(count);
                size -= static_cast<std::uint64_t>(count);
            } else if (errno == EAGAIN) {
                shared_.is_stuck = true;
                pollfd writable{end_, POLLOUT, 0};
                (void)::poll(&writable, 1, -1);
                shared_.is_stuck = false;
            } else {
                return;  // the socket under test has closed
            }
        }
        shared_.is_stuck = true;
        for (int queued = 1; ::ioctl(end_, SIOCOUTQ, &queued) == 0 && queued != 0 && is_tcp(end_);) ::usleep(20);
        shared_.is_stuck = false;
    }

    void reset() {
        const linger hard{1, 0};
        (void)::setsockopt(end_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        ::close(end_);
        end_ = -1;
    }

    // What has arrived, at most `size` bytes: it must go on where the last piece ended.
    void take(std::uint64_t size) {
        std::string bytes(std::min<std::uint64_t>(size, 1 << 20), ' ');
        const ssize_t count = ::recv(end_, bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (count <= 0) return;
        bytes.resize(static_cast<std::size_t>(count));
        if (!in_.is_at(shared_.taken, bytes)) record_.found("the peer got other bytes than were sent");
        shared_.taken += bytes.size();
    }

    // TIME-9: what all holders share is as it was, also in the middle of a call; a poll is not deaf.
    void look() {
        expect(shared_.lowat, SO_RCVLOWAT, "SO_RCVLOWAT is changed (TIME-9)");
        if (shared_.peek_off != -1) expect(shared_.peek_off, SO_PEEK_OFF, "SO_PEEK_OFF is changed (TIME-9)");
        const int nonblocking = shared_.nonblocking;
        if (nonblocking != -1 && is_nonblocking(watched_) != (nonblocking != 0) && shared_.nonblocking == nonblocking) {
            record_.found("O_NONBLOCK is changed (TIME-9)");
        }
        for (int tries = 0; shared_.lowat == 1 && queued(watched_) != 0 && !is_readable(watched_); ++tries) {
            if (tries == 50) return record_.found("a poll of the descriptor is deaf though bytes are queued (TIME-9)");
            ::usleep(20);
        }
    }
    void expect(const std::atomic<int>& expected, int name, const char* what) {
        const int before = expected;
        if (option(watched_, name) != before && expected == before) record_.found(what);
    }

    Record& record_;
    Shared& shared_;
    Pattern out_, in_;
    int end_, watched_, listener_;
};

}  // namespace

Peer::Peer(Record& record, const Pattern& in, const Pattern& out, int end, int watched, int listener)
    : shared_(make_shared_memory()) {
    int pipe[2];
    if (::pipe2(pipe, O_CLOEXEC) != 0) std::abort();
    commands_ = pipe[1];
    process_ = ::fork();
    if (process_ == 0) {
        (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::close(pipe[1]);
        Process(record, shared_, in, out, end, watched, listener).run(pipe[0]);
        ::_exit(0);
    }
    if (process_ < 0) std::abort();
    ::close(pipe[0]);
    ::close(end);
    if (listener >= 0) ::close(listener);
}

Peer::~Peer() {
    ::close(commands_);
    (void)::kill(process_, SIGKILL);
    (void)::waitpid(process_, nullptr, 0);
    (void)::munmap(&shared_, sizeof shared_);
}

void Peer::tell(What what, std::uint64_t value, std::chrono::microseconds delay) {
    const Command command{what, value, delay};
    if (::write(commands_, &command, sizeof command) == ssize_t{sizeof command}) ++told_;
}

bool Peer::settle() {
    for (int stuck = 0; shared_.done != told_;) {
        if (shared_.is_stuck && ++stuck == 40) return false;
        ::usleep(50);
    }
    return true;
}

}  // namespace usocket::tests
