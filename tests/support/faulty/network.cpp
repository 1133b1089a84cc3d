// The clock, the faults, the descriptors, and the control of them all.
#include "network.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "left.hpp"

namespace usocket::faulty {

Network& network() {
    static Network the_network;
    return the_network;
}

const char* name_of(Sys call) noexcept {
    static constexpr const char* names[] = {
#define USOCKET_FAULTY_NAME(name) #name,
        USOCKET_FAULTY_CALLS(USOCKET_FAULTY_NAME)
#undef USOCKET_FAULTY_NAME
    };
    return names[static_cast<std::size_t>(call)];
}

void reset(std::uint64_t seed) {
    network() = Network{};
    network().random = tests::Random(seed);
    network().clock = 1'000'000'000;
    set_single_threaded(false);
}

int add_file(std::string content) {
    network().files.push_back(std::move(content));
    return static_cast<int>(network().files.size()) - 1;
}

void set_faults(const Faults& faults) { network().faults = faults; }

Calm::Calm() : before_(std::exchange(network().faults, Faults())) {}
Calm::Calm(Kind kind) : before_(network().faults) { network().faults[kind] = 0; }
Calm::~Calm() { network().faults = before_; }

std::size_t injected(Kind kind) { return network().injected[static_cast<std::size_t>(kind)]; }
std::size_t calls(Sys call) { return network().calls[static_cast<std::size_t>(call)]; }
std::size_t calls() { return network().all_calls; }
void fail(Sys call, int code, unsigned after) { network().failures[call] = {code, after}; }
void refuse_memory(unsigned after) { network().refuse_after = after + 1; }
void limit_memory(std::size_t most) { network().largest_block = most; }

bool inject(Kind kind) {
    const bool is_due = network().random.chance(network().faults[kind]);
    if (is_due) ++network().injected[static_cast<std::size_t>(kind)];
    return is_due;
}

Error planned_failure(Sys call) {
    const auto found = network().failures.find(call);
    if (found == network().failures.end()) return Error();
    if (found->second.after-- != 0) return Error();
    const int code = found->second.code;
    network().failures.erase(found);
    return Error(code);
}

Error random_failure(Kind kind, File* file) {
    switch (kind) {
        case Kind::interrupt: return Error(EINTR);
        case Kind::again: return Error(EAGAIN);
        case Kind::no_buffers: return Error(ENOBUFS);
        case Kind::no_memory: return Error(ENOMEM);
        case Kind::reset:
            // The call itself finds out what that means for it.
            if (file != nullptr && file->state == File::State::connected) file->break_connection();
            return Error();
        default: return Error();
    }
}

// --- Jumps

void arm_jump(std::jmp_buf& target, unsigned calls, bool after) {
    network().jump = &target;
    network().jump_in = calls;
    network().jump_after = after;
    network().jump_armed_now = false;
    network().jump_waits = false;
}

void disarm_jump() { network().jump = nullptr; }

namespace {

bool is_jumped_out_of(Sys call) {
    static constexpr Sys calls[] = {Sys::recv,   Sys::recvfrom, Sys::recv_noted, Sys::discard,    Sys::send,
                                    Sys::sendto, Sys::wait,     Sys::setsockopt, Sys::getsockopt, Sys::close};
    return std::find(std::begin(calls), std::end(calls), call) != std::end(calls);
}

// The signal comes: its handler jumps, now or when it may.
void jump() {
    network().jump_armed_now = false;
    network().jump_waits = network().held != 0;
    if (network().jump_waits) return;
    std::longjmp(*std::exchange(network().jump, nullptr), 1);
}

}  // namespace

void begin(Sys call) {
    ++network().calls[static_cast<std::size_t>(call)];
    ++network().all_calls;
    if (is_jumped_out_of(call)) jump_point();
}

void jump_point() {
    if (network().jump == nullptr || network().jump_waits) return;
    if (network().jump_in != 0) {
        --network().jump_in;
    } else if (network().jump_after) {
        network().jump_armed_now = true;
    } else {
        jump();
    }
}

void signal_released() {
    if (network().jump != nullptr) jump();
}

void end(bool is_noted) {
    if (network().jump == nullptr || !network().jump_armed_now) return;
    if (is_noted || network().held != 0) return jump();
    // Not here, where its result would be lost, but before the next.
    network().jump_armed_now = false;
    network().jump_after = false;
}

// --- Time

std::int64_t now() { return network().clock; }

void at(std::int64_t time, std::function<void()> event) {
    network().events.emplace(std::pair(std::max(time, now()), network().event_count++), std::move(event));
}

void when_idle(std::function<bool()> idle) { network().idle = std::move(idle); }
void explain_hangs(std::function<std::string()> explain) { network().explain = std::move(explain); }

namespace {

[[noreturn]] void hang() {
    const std::string why = network().explain ? network().explain() : "";
    std::fprintf(stderr, "everybody waits, and nothing is to come: %s\n", why.c_str());
    std::abort();
}

void run_first_event() {
    auto first = network().events.extract(network().events.begin());
    network().clock = std::max(network().clock, first.key().first);
    const tests::OtherThreads others;
    first.mapped()();
}

}  // namespace

void advance(std::int64_t span) {
    const std::int64_t target = now() + span;
    while (!network().events.empty() && network().events.begin()->first.first <= target) run_first_event();
    network().clock = std::max(network().clock, target);
}

bool pass_time(std::int64_t deadline) {
    if (!network().events.empty() && network().events.begin()->first.first <= deadline) {
        run_first_event();
        network().vain_waits = 0;
        return true;
    }
    if (deadline <= now()) return false;
    // Who looks again and again, each time for a while, waits as well.
    constexpr unsigned many = 20;
    constexpr unsigned too_many = 100'000;
    const bool is_stuck = deadline == never || ++network().vain_waits > many;
    if (is_stuck && network().idle && network().idle()) {
        network().vain_waits = 0;
        return true;
    }
    if (deadline == never || network().vain_waits > too_many) hang();
    network().clock = std::max(network().clock, deadline);
    return false;
}

void pass_some_time(std::int64_t deadline) {
    std::int64_t limit = std::min(deadline, now() + 10'000'000);
    if (!network().events.empty()) limit = std::min(limit, network().events.begin()->first.first);
    const auto most = static_cast<std::uint64_t>(limit - now());
    if (most != 0) network().clock += static_cast<std::int64_t>(network().random.below(most));
}

// --- Descriptors

std::size_t open_descriptors() {
    const auto& all = network().descriptors;
    return all.size() - static_cast<std::size_t>(std::count(all.begin(), all.end(), nullptr));
}

std::size_t live_blocks() { return network().live_blocks; }

std::shared_ptr<File> shared(sys::Fd fd) {
    const auto& all = network().descriptors;
    return fd >= 0 && static_cast<std::size_t>(fd) < all.size() ? all[static_cast<std::size_t>(fd)] : nullptr;
}

File* find(sys::Fd fd) { return shared(fd).get(); }

// The lowest number that is free, as on POSIX.
sys::Fd install(std::shared_ptr<File> file) {
    auto& all = network().descriptors;
    if (all.empty()) all.resize(3);
    auto place = std::find(all.begin() + 3, all.end(), nullptr);
    if (place == all.end()) place = all.insert(place, nullptr);
    ++file->descriptors;
    *place = std::move(file);
    return static_cast<sys::Fd>(place - all.begin());
}

std::shared_ptr<File> make_file(int family, int type, int proto) {
    auto file = std::make_shared<File>();
    file->family = family;
    file->type = type;
    file->proto = proto;
    return file;
}

void connect_files(const std::shared_ptr<File>& one, const std::shared_ptr<File>& other) {
    one->state = other->state = File::State::connected;
    one->peer = other;
    other->peer = one;
}

// --- Files

// It begins at a mark, or does not get over one.
std::string_view File::front() const {
    const auto stop = std::find_if(stops.begin(), stops.end(), [](std::size_t one) { return one != 0; });
    const std::size_t end = stop == stops.end() ? std::string_view::npos : *stop;
    return queue().substr(0, !urgent.empty() && urgent_at != 0 ? std::min(end, urgent_at) : end);
}

// A mark goes with what is behind it.
void File::consume(std::size_t count) {
    const std::size_t last = is_tcp() ? count : count + 1;
    while (!stops.empty() && stops.front() < last) stops.pop_front();
    for (std::size_t& stop : stops) stop -= count;
    if (urgent_at < count) urgent.clear();
    urgent_at -= std::min(urgent_at, count);
    taken += count;
    if (taken < stream.size() && taken < 64 * 1024) return;
    stream.erase(0, taken);
    taken = 0;
}

std::size_t File::room_at_peer() const {
    const auto other = peer.lock();
    if (!is_stream()) return other == nullptr || other->messages.size() < 16 ? 1 : 0;
    if (other == nullptr) return 0;
    const std::size_t used = other->queue().size();
    return used < other->room ? other->room - used : 0;
}

unsigned File::events() const {
    switch (state) {
        case State::lookup:
        case State::bell: return ended ? POLLIN : 0;
        case State::growth: {
            const auto watched = grows.lock();
            return watched != nullptr && watched->arrivals != arrivals_taken ? POLLIN : 0;
        }
        case State::listening: return backlog.empty() ? 0 : POLLIN;
        case State::connecting:
        case State::conduit: return 0;
        case State::fresh:
            if (error != 0) return POLLIN | POLLOUT | POLLERR | POLLHUP;
            if (is_stream()) return POLLOUT | POLLHUP;
            break;
        case State::connected: break;
    }
    unsigned all = 0;
    const bool is_low = is_tcp() && queue().size() < static_cast<std::size_t>(lowat) && !ended && error == 0;
    if (can_receive() && !is_low) all |= POLLIN;
    if (ended) all |= POLLRDHUP;
    if (can_send()) all |= POLLOUT;
    if (error != 0) all |= POLLERR;
    if (ended && cannot_send) all |= POLLHUP;
    return all;
}

void File::end() {
    ended = true;
    ++arrivals;
}

void File::arrive(std::string_view bytes) {
    stream += bytes;
    ++arrivals;
}

// What has arrived can still be read, then comes the error, once, then EOF.
void File::break_connection() {
    if (cannot_send && ended) return;
    error = ECONNRESET;
    end();
    cannot_send = true;
    if (const auto other = peer.lock()) {
        peer.reset();
        other->break_connection();
    }
}

void File::closed() {
    if (const auto other = peer.lock(); other != nullptr && is_stream()) {
        other->end();
        other->cannot_send = true;
        other->peer.reset();
    }
    for (const auto& one : backlog) one->closed();
    backlog.clear();
}

// --- Other holders and other ends

std::string Holder::queue() const { return std::string(file_->queue()); }

std::string Holder::read(std::size_t size) {
    const std::string bytes(file_->queue().substr(0, size));
    file_->consume(bytes.size());
    return bytes;
}

unsigned Holder::poll() const { return file_->events(); }
bool Holder::readable() const { return (poll() & POLLIN) != 0; }

Peer::Peer(int fd) : file_(shared(fd)), fd_(fd) {}

Peer::~Peer() {
    if (file_ != nullptr && find(fd_) == file_.get()) sys::close(fd_);
}

std::size_t Peer::feed(std::string_view bytes) {
    const auto other = file_->peer.lock();
    if (other == nullptr || other->ended) return 0;
    if (other->is_stream()) {
        other->arrive(bytes);
    } else {
        other->messages.push_back({std::string(bytes), file_->local});
    }
    return bytes.size();
}

// A second mark takes the place of the first.
void Peer::mark() {
    const auto other = file_->peer.lock();
    if (other == nullptr || (other->is_empty() && !other->is_tcp())) return;
    if (other->is_tcp()) other->stops.clear();
    other->stops.push_back(other->queue().size());
}

// The one before becomes one of the others.
void Peer::urge(char byte) {
    const auto other = file_->peer.lock();
    if (!other->urgent.empty()) other->stream.insert(other->taken + other->urgent_at, other->urgent);
    other->urgent = byte;
    other->urgent_at = other->queue().size();
}

std::string Peer::take(std::size_t size) {
    std::string bytes;
    if (!file_->is_stream()) {
        if (file_->messages.empty()) return bytes;
        bytes = std::move(file_->messages.front().bytes);
        file_->messages.pop_front();
        return bytes;
    }
    bytes = file_->queue().substr(0, size);
    file_->consume(bytes.size());
    return bytes;
}

std::size_t Peer::arrived() const { return file_->is_stream() ? file_->queue().size() : file_->messages.size(); }
void Peer::set_room(std::size_t room) { file_->room = room; }

void Peer::shut_down() {
    file_->cannot_send = true;
    if (const auto other = file_->peer.lock()) other->end();
}

void Peer::reset() { file_->break_connection(); }
Holder Peer::holder_of_socket() const { return Holder(file_->peer.lock()); }

Connection connect_pair(int af, int type) {
    const Calm calm;
    auto pair = Socket::pair(af, type);
    if (!pair) std::abort();
    Connection connection;
    connection.socket = std::move(pair->first);
    connection.peer = Peer(pair->second.detach().value_or(-1));
    return connection;
}

void set_connect_time(std::int64_t span) { network().connect_time = span; }

void add_name(std::string_view name, std::vector<Address> addresses, std::int64_t takes, int error) {
    network().names[std::string(name)] = {std::move(addresses), takes, error};
}

}  // namespace usocket::faulty
