#include "peer.hpp"

#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include "descriptor.hpp"
#include "stack.hpp"

namespace usocket::tests {
namespace {

Shared& make_shared_memory() {
    void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) std::abort();
    return *new (memory) Shared;
}

}  // namespace

// --- What it does

Hands::~Hands() {
    for (const int fd : {end_, watched_, listener_}) {
        if (fd >= 0) close_descriptor(fd);
    }
}

void Hands::obey(const Command& command) {
    if (command.delay.count() != 0) std::this_thread::sleep_for(command.delay);
    const int value = static_cast<int>(command.value);
    switch (command.what) {
        case What::send: send(command.value); break;
        case What::send_beside: send_with_a_descriptor(command.value); break;
        case What::urge: (void)::send(end_, "!", 1, MSG_OOB | MSG_DONTWAIT | MSG_NOSIGNAL); break;
        case What::end: end(); break;
        case What::take: take(command.value); break;
        case What::look: look(); break;
        case What::set_lowat:
            shared_.lowat = value;
            set_option(watched_, SO_RCVLOWAT, value);
            break;
        case What::set_nonblocking:
            set_nonblocking(watched_, value != 0);
            shared_.nonblocking = value;
            break;
        case What::accept: accept(); break;
        case What::watch:
            if (watched_ >= 0) close_descriptor(watched_);
            watched_ = value;
            break;
    }
    ++shared_.done;
}

void Hands::accept() {
    if (end_ >= 0) close_descriptor(end_);
    for (end_ = -1; end_ < 0 && !shared_.is_over;) {
        pollfd pending{listener_, POLLIN, 0};
        if (::poll(&pending, 1, slice_ms) == 1) end_ = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    }
}

// All of it has then arrived, as far as there was room.
void Hands::send(std::uint64_t size) {
    while (size != 0 && !shared_.is_over) {
        const std::string bytes = out_.bytes(shared_.written, std::min<std::uint64_t>(size, 65536));
        const ssize_t count = ::send(end_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count >= 0) {
            shared_.written += static_cast<std::uint64_t>(count);
            size -= static_cast<std::uint64_t>(count);
        } else if (errno == EAGAIN) {
            shared_.is_stuck = true;
            pollfd writable{end_, POLLOUT, 0};
            (void)::poll(&writable, 1, slice_ms);
            shared_.is_stuck = false;
        } else {
            return;  // the socket under test has closed
        }
    }
    await_arrival();
}

// It comes with the first byte that a read takes of these (unix(7)).
void Hands::send_with_a_descriptor(std::uint64_t size) {
    ssize_t count = -1;
    while (count < 0 && !shared_.is_over) {
        count = usocket::tests::send_beside(end_, out_.bytes(shared_.written, size), listener_);
        if (count < 0 && errno != EAGAIN) return;
        shared_.is_stuck = count < 0;
        if (count < 0) ::usleep(1000);
    }
    if (count < 0) return;
    shared_.written += static_cast<std::uint64_t>(count);
    send(size - static_cast<std::uint64_t>(count));
}

void Hands::end() {
    (void)::shutdown(end_, SHUT_WR);
    await_arrival();
}

void Hands::await_arrival() {
    shared_.is_stuck = true;
    for (int queued = 1; !shared_.is_over && is_tcp(end_) && ::ioctl(end_, SIOCOUTQ, &queued) == 0 && queued != 0;)
        ::usleep(20);
    shared_.is_stuck = false;
}

// What comes must go on where the last piece ended.
void Hands::take(std::uint64_t until) {
    for (std::string bytes; shared_.taken < until && !shared_.is_over;) {
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
void Hands::look() {
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
void Hands::expect(const std::atomic<int>& expected, int name, const char* what) {
    const int before = expected;
    if (option(watched_, name) != before && expected == before) record_.found(what);
}

// --- The peer

Peer::Peer(Record& record, const Pattern& in, const Pattern& out, int listener)
    : shared_(make_shared_memory()), worker_(start_worker(Hands(record, shared_, in, out, listener))) {}

Peer::~Peer() {
    shared_.is_over = true;
    worker_.reset();
    (void)::munmap(&shared_, sizeof shared_);
}

void Peer::tell(What what, std::uint64_t value, std::chrono::microseconds delay) {
    if (worker_->tell({what, value, delay})) ++told_;
}

bool Peer::settle() {
    for (int stuck = 0; shared_.done != told_;) {
        if (shared_.is_stuck && ++stuck == 40) return false;
        ::usleep(50);
    }
    return true;
}

}  // namespace usocket::tests
