// The peer in a process of its own.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "peer.hpp"
#include "stack.hpp"

namespace usocket::tests {
namespace {

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
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
        command.value = static_cast<std::uint64_t>(fd);
    }
    return true;
}

void put_beside(msghdr& message, char* control, std::size_t size, int fd) {
    message.msg_control = control;
    message.msg_controllen = size;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
}

class Process : public Worker {
public:
    explicit Process(Hands hands) {
        int ends[2];
        if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
        commands_ = ends[1];
        process_ = ::fork();
        if (process_ < 0) std::abort();
        if (process_ == 0) {
            (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
            ::close(commands_);
            for (Command command; receive_command(ends[0], command);) hands.obey(command);
            ::_exit(0);
        }
        ::close(ends[0]);
    }
    ~Process() override {
        ::close(commands_);
        (void)::kill(process_, SIGKILL);
        (void)::waitpid(process_, nullptr, 0);
    }

    bool tell(Command command) override {
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
        iovec room{&command, sizeof command};
        msghdr message{};
        message.msg_iov = &room;
        message.msg_iovlen = 1;
        if (command.what == Command::What::watch)
            put_beside(message, control, sizeof control, static_cast<int>(command.value));
        while (::sendmsg(commands_, &message, MSG_NOSIGNAL) < 0) {
            if (errno != EINTR) return false;
        }
        return true;
    }

private:
    int commands_ = -1;
    pid_t process_ = -1;
};

}  // namespace

std::unique_ptr<Worker> start_worker(Hands hands) { return std::make_unique<Process>(std::move(hands)); }

void prepare_stack(std::uint64_t) {}

ssize_t send_beside(int fd, std::string_view bytes, int beside) {
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    put_beside(message, control, sizeof control, beside);
    return ::sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace usocket::tests
