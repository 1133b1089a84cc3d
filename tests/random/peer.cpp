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
#include <cstring>
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
    Process(Record& record, Shared& shared, const Pattern& out, const Pattern& in, int listener)
        : record_(record), shared_(shared), out_(out), in_(in), listener_(listener) {}

    void run(int commands) {
        for (Command command{}; receive_command(commands, command);) {
            if (command.delay.count() != 0) std::this_thread::sleep_for(command.delay);
            obey(command);
            ++shared_.done;
        }
    }

private:
    // A descriptor may come with it (unix(7)).
    bool receive_command(int commands, Command& command) {
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
        iovec room{&command, sizeof command};
        msghdr message{};
        message.msg_iov = &room;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        if (::recvmsg(commands, &message, MSG_CMSG_CLOEXEC) != ssize_t{sizeof command}) return false;
        if (const cmsghdr* header = CMSG_FIRSTHDR(&message)) {
            if (watched_ >= 0) ::close(watched_);
            std::memcpy(&watched_, CMSG_DATA(header), sizeof watched_);
        }
        return true;
    }
    void obey(const Command& command) {
        const int value = static_cast<int>(command.value);
        switch (command.what) {
            case Peer::What::send: send(command.value); break;
            case Peer::What::end: (void)::shutdown(end_, SHUT_WR); break;
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
                if (end_ >= 0) ::close(end_);
                end_ = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
                break;
            case Peer::What::watch: break;  // it came with the command
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

    // What comes must go on where the last piece ended.
    void take(std::uint64_t until) {
        for (std::string bytes; shared_.taken < until;) {
            bytes.resize(std::min<std::uint64_t>(until - shared_.taken, 65536));
            pollfd readable{end_, POLLIN, 0};
            if (::poll(&readable, 1, 1) == 0 && shared_.takes_no_more) return;
            const ssize_t count = ::recv(end_, bytes.data(), bytes.size(), MSG_DONTWAIT);
            if (count == 0 || (count < 0 && errno != EAGAIN)) return;
            if (count < 0) continue;
            bytes.resize(static_cast<std::size_t>(count));
            if (!in_.is_at(shared_.taken, bytes)) record_.found("the peer got other bytes than were sent");
            shared_.taken += bytes.size();
        }
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
    int end_ = -1, watched_ = -1;
    int listener_;
};

}  // namespace

Peer::Peer(Record& record, const Pattern& in, const Pattern& out, int listener) : shared_(make_shared_memory()) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
    commands_ = ends[1];
    process_ = ::fork();
    if (process_ == 0) {
        (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::close(commands_);
        Process(record, shared_, in, out, listener).run(ends[0]);
        ::_exit(0);
    }
    if (process_ < 0) std::abort();
    ::close(ends[0]);
    ::close(listener);
}

Peer::~Peer() {
    ::close(commands_);
    (void)::kill(process_, SIGKILL);
    (void)::waitpid(process_, nullptr, 0);
    (void)::munmap(&shared_, sizeof shared_);
}

void Peer::tell(What what, std::uint64_t value, std::chrono::microseconds delay) {
    Command command{what, value, delay};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    iovec room{&command, sizeof command};
    msghdr message{};
    message.msg_iov = &room;
    message.msg_iovlen = 1;
    if (what == What::watch) {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        const int fd = static_cast<int>(value);
        std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    while (::sendmsg(commands_, &message, MSG_NOSIGNAL) < 0) {
        if (errno != EINTR) return;
    }
    ++told_;
}

bool Peer::settle() {
    for (int stuck = 0; shared_.done != told_;) {
        if (shared_.is_stuck && ++stuck == 40) return false;
        ::usleep(50);
    }
    return true;
}

}  // namespace usocket::tests
