// The seam's time and waiting, for one descriptor and for many.
#include <algorithm>
#include <cerrno>
#include <new>

#include "network.hpp"

namespace usocket::sys {

using namespace usocket::faulty;

const unsigned poll_in = POLLIN;
const unsigned poll_out = POLLOUT;
const unsigned poll_err = POLLERR;
const unsigned poll_hup = POLLHUP;
const unsigned poll_nval = POLLNVAL;
const unsigned poll_rdhup = POLLRDHUP;

std::int64_t now() noexcept {
    jump_point();
    return faulty::now();
}
void yield_thread() noexcept {}

namespace {

constexpr unsigned unasked = POLLERR | POLLHUP | POLLNVAL;

std::int64_t deadline_of(Timeout timeout) {
    if (timeout.is_none() || timeout.nanoseconds() >= never - now()) return never;
    return now() + timeout.nanoseconds();
}

unsigned events_of(Fd fd) {
    const File* file = find(fd);
    return file == nullptr ? POLLNVAL : file->events();
}

Result<unsigned> wait_for(Fd fd, unsigned events, Timeout timeout, Fd bell) {
    File* file = find(fd);
    if (const Error error = trouble(Sys::wait, file, Kind::reset, Kind::interrupt); error != Error()) return error;
    // Bytes that turn out not to be there may happen; a connection or an end that is not there would be a lie.
    const unsigned bytes = events & (POLLIN | POLLOUT);
    if (bytes != 0 && file != nullptr && file->state == File::State::connected && inject(Kind::spurious)) return bytes;
    const auto is_ready = [&] {
        const bool is_rung = bell != no_fd && events_of(bell) != 0;
        return is_rung || (fd != no_fd && (events_of(fd) & (events | unasked)) != 0);
    };
    if (sleep(deadline_of(timeout), is_ready) == Slept::interrupted) return Error(EINTR);
    return fd == no_fd ? 0 : events_of(fd) & (events | unasked);
}

Result<Fd> open_as(File::State state) {
    if (inject(Kind::no_memory)) return Error(ENOMEM);
    const auto file = make_file(AF_UNIX, SOCK_STREAM, 0);
    file->state = state;
    return install(file);
}

}  // namespace

Result<unsigned> wait(Fd fd, unsigned events, Timeout timeout, Fd bell) noexcept {
    begin(Sys::wait);
    const auto ready = wait_for(fd, events, timeout, bell);
    end(true);
    return ready;
}

// --- Bells, words, and queues that grow

Result<Fd> bell_open() noexcept { return open_as(File::State::bell); }

void bell_ring(Fd bell) noexcept { find(bell)->end(); }

Result<void> sleep_on_word(const std::atomic<std::uint32_t>& word, std::uint32_t value, Timeout timeout) noexcept {
    begin(Sys::wait);
    const auto slept = sleep(deadline_of(timeout), [&] { return word.load() != value; });
    return slept == Slept::interrupted ? Error(EINTR) : Error();
}

void wake_word(const std::atomic<std::uint32_t>&) noexcept {}

Result<Fd> growth_open(Fd fd) noexcept {
    const auto growth = open_as(File::State::growth);
    if (!growth) return growth;
    find(*growth)->grows = shared(fd);
    find(*growth)->arrivals_taken = shared(fd)->arrivals - 1;
    return growth;
}

bool growth_take(Fd growth) noexcept {
    File* file = find(growth);
    const auto watched = file->grows.lock();
    if (watched == nullptr) return true;
    file->arrivals_taken = watched->arrivals;
    return watched->ended;
}

Result<std::size_t> queued(Fd fd) noexcept {
    const File* file = find(fd);
    if (file == nullptr) return Error(EBADF);
    // TCP counts what is before a mark.
    return file->is_tcp() && !file->stops.empty() ? file->stops.front() : file->queue().size();
}

bool holds_more(Fd fd, std::size_t shown, bool /*has_mark*/) noexcept {
    const File* file = find(fd);
    if (file == nullptr) return false;
    // A peek that was cut short is none of these.
    return !file->stops.empty() && (file->is_tcp() ? file->stops.front() != 0 : file->queue().size() > shown);
}

bool holds_nothing_urgent(Fd fd) noexcept {
    const File* file = find(fd);
    return file != nullptr && !file->is_empty() && file->urgent.empty();
}

Fullness queue_fullness(Fd fd) noexcept {
    const File* file = find(fd);
    if (file == nullptr || !file->is_tcp()) return Fullness::unknown;
    return file->queue().size() >= file->room ? Fullness::full : Fullness::roomy;
}

// --- Many at once

// As epoll: what is watched is a file by a number. It stays as long as the file does, whoever has the number by then.
struct Poller {
    struct Watched {
        Fd fd = no_fd;
        std::weak_ptr<File> file;
        unsigned events = 0;
        std::uint32_t generation = 0;
    };
    std::vector<Watched> all;
    std::size_t first = 0;  // where the next wait looks first
    std::size_t room = 0;   // for how many it was provided
    bool rings = false;

    Watched* find(Fd fd) {
        const auto file = shared(fd);
        const auto found = std::find_if(all.begin(), all.end(), [&](const Watched& one) {
            return file != nullptr && one.fd == fd && one.file.lock() == file;
        });
        return found == all.end() ? nullptr : &*found;
    }
    static unsigned ready(const Watched& one) {
        const auto file = one.file.lock();
        if (file == nullptr || file->descriptors == 0 || one.events == poll_nothing) return 0;
        return file->events() & (one.events | unasked);
    }
    [[nodiscard]] bool any_ready() const { return std::any_of(all.begin(), all.end(), ready); }
};

Poller* poller_make() noexcept {
    void* memory = resize(nullptr, sizeof(Poller));
    return memory == nullptr ? nullptr : new (memory) Poller;
}

bool poller_provide(Poller* poller) noexcept {
    if (poller->all.size() < poller->room) return true;
    // As one that has to ask.
    void* memory = resize(nullptr, 1);
    (void)resize(memory, 0);
    poller->room += memory == nullptr ? 0 : 2;
    return memory != nullptr;
}

void poller_destroy(Poller* poller) noexcept {
    poller->~Poller();
    (void)resize(poller, 0);
}

void poller_close(Poller* poller) noexcept { poller->all.clear(); }

Error poller_open(Poller* poller, bool is_inherited) noexcept {
    jump_point();
    poller->all.clear();
    if (is_inherited) poller->rings = false;
    return Error();
}

Result<void> poller_add(Poller* poller, Fd fd, unsigned events, std::uint32_t generation) noexcept {
    jump_point();
    if (find(fd) == nullptr) return Error(EBADF);
    Poller::Watched* place = poller->find(fd);
    if (place == nullptr && poller->all.size() >= poller->room) return Error(ENOMEM);
    if (place == nullptr) place = &poller->all.emplace_back();
    *place = {fd, shared(fd), events, generation};
    return {};
}

Result<void> poller_change(Poller* poller, Fd fd, unsigned events, std::uint32_t generation) noexcept {
    jump_point();
    if (find(fd) == nullptr) return Error(EBADF);
    Poller::Watched* place = poller->find(fd);
    if (place == nullptr) return Error(ENOENT);
    place->events = events;
    place->generation = generation;
    return {};
}

void poller_remove(Poller* poller, Fd fd) noexcept {
    jump_point();
    if (const Poller::Watched* place = poller->find(fd))
        poller->all.erase(poller->all.begin() + (place - poller->all.data()));
}

Error poller_wait(Poller* poller, PollerEvents& found, std::size_t most, Timeout timeout) noexcept {
    auto* events = reinterpret_cast<PollerEvent*>(found.native);
    const std::size_t room = std::min(most, PollerEvents::room);
    found.count = 0;
    begin(Sys::poller_wait);
    jump_point();
    if (const Error error = trouble(Sys::poller_wait, nullptr, Kind::interrupt); error != Error()) return error;
    const auto is_ready = [&] { return poller->rings || poller->any_ready(); };
    if (sleep(deadline_of(timeout), is_ready) == Slept::interrupted) return Error(EINTR);
    const std::size_t size = poller->all.size();
    for (std::size_t i = 0; i < size && found.count < room; ++i) {
        const std::size_t index = (poller->first + i) % size;
        const Poller::Watched& one = poller->all[index];
        const unsigned ready = Poller::ready(one);
        if (ready == 0) continue;
        events[found.count++] = {one.fd, one.generation, ready};
        if (found.count == room) poller->first = index + 1;
    }
    if (poller->rings) events[found.count++] = {no_fd, 0, POLLIN};
    end(true);
    return Error();
}

PollerEvent poller_event(const PollerEvents& found, std::size_t index) noexcept {
    return reinterpret_cast<const PollerEvent*>(found.native)[index];
}

Result<void> poller_arm(Poller*) noexcept { return {}; }
void poller_ring(Poller* poller) noexcept {
    poller->rings = true;
    jump_point();
}
void poller_hush(Poller* poller) noexcept {
    jump_point();
    poller->rings = false;
}

}  // namespace usocket::sys
