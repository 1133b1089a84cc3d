// The seam's sockets, in memory.
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include "network.hpp"

namespace usocket::sys {

using namespace usocket::faulty;

USOCKET_NAMES(USOCKET_DEFINE_NAME)
const int msg_trunc = MSG_TRUNC;
const int sock_seqpacket = SOCK_SEQPACKET;
const int msg_errqueue = MSG_ERRQUEUE;
const int msg_fastopen = 0;
const int so_peek_off = SO_PEEK_OFF;
const int so_oobinline = SO_OOBINLINE;
const int so_reuseport = SO_REUSEPORT;
const int default_backlog = 128;
const bool has_af_unix = true;
const bool has_large_protos = true;
const bool calls_sleep = true;
const std::size_t most_pieces = 3;

namespace {

int default_protocol(int family, int type) {
    if (family == AF_UNIX) return 0;
    return type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
}

Opened opened_as(Fd fd, const File& file) {
    const int proto = file.proto != 0 ? file.proto : default_protocol(file.family, file.type);
    return {fd, file.family, file.type, proto, file.nonblocking};
}

Result<std::shared_ptr<File>> new_file(int family, int type, int proto) {
    const int bare = type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (family != AF_INET && family != AF_INET6 && family != AF_UNIX) return Error(EAFNOSUPPORT);
    if (bare != SOCK_STREAM && bare != SOCK_DGRAM) return Error(EPROTONOSUPPORT);
    auto file = make_file(family, bare, proto);
    file->nonblocking = (type & SOCK_NONBLOCK) != 0;
    return file;
}

std::string key_of(const Address& address) { return {reinterpret_cast<const char*>(address.data()), address.size()}; }

std::shared_ptr<File> bound_to(const Address& address) {
    const auto found = network().bound.find(key_of(address));
    return found == network().bound.end() ? nullptr : found->second.lock();
}

// A port of one's own, for who has not asked for one.
void name(File& file) {
    if (file.local.size() != 0 || file.family == AF_UNIX) return;
    PackedAddress loopback;
    loopback.size = file.family == AF_INET ? 4 : 16;
    if (file.family == AF_INET) loopback.bytes[0] = 127;
    loopback.bytes[loopback.size - 1u] = 1;
    file.local = make_inet(file.family, loopback, network().next_port++, 0, 0);
}

}  // namespace

// --- Life

Result<Opened> open(int family, int type, int proto) noexcept {
    begin(Sys::open);
    if (const Error error = trouble(Sys::open, nullptr, Kind::no_memory, Kind::no_buffers); error != Error())
        return error;
    auto file = new_file(family, type, proto);
    if (!file) return file.error();
    const Fd fd = install(*file);
    return opened_as(fd, **file);
}

Result<OpenedPair> open_pair(int family, int type, int proto) noexcept {
    begin(Sys::open_pair);
    if (const Error error = trouble(Sys::open_pair, nullptr, Kind::no_memory); error != Error()) return error;
    auto first = new_file(family, type, proto);
    auto second = new_file(family, type, proto);
    if (!first) return first.error();
    connect_files(*first, *second);
    const Fd first_fd = install(*first);
    return OpenedPair{opened_as(first_fd, **first), opened_as(install(*second), **second)};
}

Result<Opened> inspect(Fd fd) noexcept {
    begin(Sys::inspect);
    const File* file = find(fd);
    if (file == nullptr) return Error(EBADF);
    return opened_as(fd, *file);
}

Result<Fd> duplicate(Fd fd) noexcept {
    begin(Sys::duplicate);
    if (const Error error = trouble(Sys::duplicate, nullptr, Kind::no_memory); error != Error()) return error;
    if (find(fd) == nullptr) return Error(EBADF);
    return install(shared(fd));
}

void close(Fd fd) noexcept {
    begin(Sys::close);
    const auto file = shared(fd);
    if (file == nullptr) return;
    network().descriptors[static_cast<std::size_t>(fd)] = nullptr;
    if (--file->descriptors == 0) file->closed();
}

Result<void> set_nonblocking(Fd fd, bool nonblocking) noexcept {
    begin(Sys::set_nonblocking);
    if (const Error error = trouble(Sys::set_nonblocking, nullptr, Kind::no_memory); error != Error()) return error;
    File* file = find(fd);
    if (file == nullptr) return Error(EBADF);
    file->nonblocking = nonblocking;
    return {};
}

bool is_nonblocking(Fd fd) noexcept {
    const File* file = find(fd);
    return file != nullptr && file->nonblocking;
}

bool knows_shutdown(int) noexcept { return true; }

// --- Connections

Result<void> bind(Fd fd, const Address& address) noexcept {
    begin(Sys::bind);
    if (const Error error = trouble(Sys::bind, nullptr, Kind::no_memory); error != Error()) return error;
    File* file = find(fd);
    if (file == nullptr) return Error(EBADF);
    if (file->local.size() != 0 || address.family() != file->family) return Error(EINVAL);
    if (bound_to(address) != nullptr) return Error(EADDRINUSE);
    if (file->family != AF_UNIX && address.port() == 0) {
        name(*file);
    } else {
        file->local = address;
    }
    network().bound[key_of(file->local)] = shared(fd);
    return {};
}

Result<void> listen(Fd fd, int backlog) noexcept {
    begin(Sys::listen);
    if (const Error error = trouble(Sys::listen, nullptr, Kind::no_memory); error != Error()) return error;
    File* file = find(fd);
    if (file == nullptr) return Error(EBADF);
    if (!file->is_stream()) return Error(EOPNOTSUPP);
    if (file->state == File::State::connected) return Error(EINVAL);
    name(*file);
    network().bound[key_of(file->local)] = shared(fd);
    file->state = File::State::listening;
    file->backlog_limit = static_cast<std::size_t>(backlog) + 1;
    return {};
}

namespace {

void establish(const std::shared_ptr<File>& file, File& listener) {
    auto conn = make_file(listener.family, listener.type, listener.proto);
    name(*file);
    conn->local = file->remote = listener.local;
    conn->remote = file->local;
    connect_files(file, conn);
    listener.backlog.push_back(std::move(conn));
}

void let_in(File& listener) {
    while (!listener.knocking.empty() && listener.backlog.size() < listener.backlog_limit) {
        const auto file = listener.knocking.front().lock();
        listener.knocking.pop_front();
        if (file != nullptr && file->state == File::State::connecting) establish(file, listener);
    }
}

}  // namespace

Result<Fd> accept(Fd fd, Address& peer) noexcept {
    begin(Sys::accept);
    File* file = find(fd);
    if (file == nullptr) return Error(EBADF);
    const Error error = trouble(Sys::accept, file, Kind::no_memory, Kind::no_buffers, Kind::interrupt, Kind::again);
    if (error != Error()) return error;
    if (file->backlog.empty() && file->state == File::State::listening) {
        if (file->nonblocking) return Error(EAGAIN);
        const auto slept =
            sleep(never, [&] { return !file->backlog.empty() || file->state != File::State::listening; });
        if (slept == Slept::interrupted) return Error(EINTR);
    }
    if (file->state != File::State::listening) return Error(EINVAL);
    const auto conn = file->backlog.front();
    file->backlog.pop_front();
    peer = conn->remote;
    let_in(*file);
    return install(conn);
}

namespace {

// The handshake's end.
void try_to_establish(const std::weak_ptr<File>& weak, const Address& address) {
    const auto file = weak.lock();
    if (file == nullptr || file->state != File::State::connecting) return;
    const auto listener = bound_to(address);
    if (listener == nullptr || listener->state != File::State::listening) {
        file->state = File::State::fresh;
        file->error = ECONNREFUSED;
        file->is_unheard = true;
    } else {
        listener->knocking.push_back(file);
        let_in(*listener);
    }
}

Result<void> connect_unix(Fd fd, const Address& address) {
    File* file = find(fd);
    const auto is_full = [&] {
        const auto listener = bound_to(address);
        return listener != nullptr && listener->backlog.size() >= listener->backlog_limit;
    };
    if (is_full() && file->nonblocking) return Error(EAGAIN);
    if (sleep(never, [&] { return !is_full(); }) == Slept::interrupted) return Error(EINTR);
    const auto listener = bound_to(address);
    if (listener == nullptr || listener->state != File::State::listening) return Error(ECONNREFUSED);
    establish(shared(fd), *listener);
    return {};
}

// As Linux: whoever takes SO_ERROR before leaves it ECONNABORTED.
Error tell_failure(File& file) {
    file.is_unheard = false;
    const int code = std::exchange(file.error, 0);
    return Error(code != 0 ? code : ECONNABORTED);
}

Result<void> connect_inet(Fd fd, const Address& address) {
    const auto file = shared(fd);
    file->state = File::State::connecting;
    file->remote = address;
    const std::weak_ptr<File> weak = file;
    if (network().connect_time == 0) {
        try_to_establish(weak, address);
    } else {
        at(now() + network().connect_time, [weak, address] { try_to_establish(weak, address); });
    }
    if (file->nonblocking && file->state == File::State::connecting) return Error(EINPROGRESS);
    if (sleep(never, [&] { return file->state != File::State::connecting; }) == Slept::interrupted) return Error(EINTR);
    if (file->state == File::State::connected) return {};
    return tell_failure(*file);
}

}  // namespace

Result<void> connect(Fd fd, const Address& address) noexcept {
    begin(Sys::connect);
    File* file = find(fd);
    if (file == nullptr) return Error(EBADF);
    if (const Error error = trouble(Sys::connect, file, Kind::no_memory, Kind::no_buffers); error != Error())
        return error;
    if (address.family() != file->family) return Error(EAFNOSUPPORT);
    if (!file->is_stream()) {
        name(*file);
        file->remote = address;
        return {};
    }
    if (file->state == File::State::connecting) return Error(EALREADY);
    if (file->is_unheard) return tell_failure(*file);
    if (file->state != File::State::fresh) return Error(EISCONN);
    return file->family == AF_UNIX ? connect_unix(fd, address) : connect_inet(fd, address);
}

Result<void> shutdown(Fd fd, int how) noexcept {
    begin(Sys::shutdown);
    File* file = find(fd);
    if (file == nullptr) return Error(EBADF);
    const auto state = file->state;
    if (state == File::State::listening || state == File::State::connecting) {
        file->state = File::State::fresh;
        if (state == File::State::connecting) file->error = ECONNRESET;
        return {};
    }
    if (how != SHUT_WR) file->end();
    if (how != SHUT_RD) {
        file->cannot_send = true;
        if (const auto other = file->peer.lock(); other != nullptr && file->is_stream()) other->end();
    }
    if (state == File::State::fresh) return Error(ENOTCONN);
    return {};
}

// --- Receiving

namespace {

Timeout timeout_of(const File& file, int name) {
    const auto found = file.options.find({SOL_SOCKET, name});
    timeval span{};
    if (found == file.options.end() || found->second.size() != sizeof span) return Timeout::none();
    std::memcpy(&span, found->second.data(), sizeof span);
    const std::int64_t nanoseconds = std::int64_t{span.tv_sec} * 1'000'000'000 + std::int64_t{span.tv_usec} * 1000;
    return nanoseconds == 0 ? Timeout::none() : Timeout::of_nanoseconds(nanoseconds);
}

// When a sleep in the system that begins now is over, whatever has moved.
std::int64_t end_of_sleep(const File& file, int name) {
    const Timeout span = timeout_of(file, name);
    return span.is_none() ? never : now() + span.nanoseconds();
}

std::size_t cut(std::size_t size) {
    return size > 1 && inject(Kind::cut) ? 1 + network().random.below(size - 1) : size;
}

std::size_t take_message(File& file, MutableBuffer buffer, int flags, Address* from) {
    if (file.messages.empty()) return 0;
    const Packet& packet = file.messages.front();
    const std::size_t size = std::min(packet.bytes.size(), buffer.size());
    std::memcpy(buffer.data(), packet.bytes.data(), size);
    if (from != nullptr) *from = packet.from;
    const std::size_t result = (flags & MSG_TRUNC) != 0 ? packet.bytes.size() : size;
    if ((flags & MSG_PEEK) == 0) file.messages.pop_front();
    return result;
}

std::size_t take_bytes(File& file, MutableBuffer buffer, int flags) {
    const std::size_t size = cut(std::min(file.front().size(), buffer.size()));
    if (size != 0) std::memcpy(buffer.data(), file.queue().data(), size);
    if ((flags & MSG_PEEK) == 0) file.consume(size);
    return size;
}

// As the system: takes what is there, and with MSG_WAITALL waits for the rest of it.
Result<std::size_t> receive(Sys call, Fd fd, MutableBuffer buffer, int flags, Address* from) {
    File* file = find(fd);
    if (file == nullptr) return Error(EBADF);
    const Error error =
        trouble(call, file, Kind::reset, Kind::interrupt, Kind::again, Kind::no_buffers, Kind::no_memory);
    if (error != Error()) return error;
    if (file->is_stream() && file->state != File::State::connected) return Error(ENOTCONN);
    const bool may_sleep = !file->nonblocking && (flags & MSG_DONTWAIT) == 0;
    const bool wants_all = may_sleep && file->is_stream() && (flags & (MSG_WAITALL | MSG_PEEK)) == MSG_WAITALL;
    std::size_t done = 0;
    const std::int64_t end = end_of_sleep(*file, SO_RCVTIMEO);
    for (;;) {
        if (!file->is_empty()) {
            if (!file->is_stream()) return take_message(*file, buffer, flags, from);
            const std::size_t there = std::min(file->front().size(), buffer.size() - done);
            const std::size_t taken = take_bytes(*file, buffer.from(done), flags);
            done += taken;
            const bool is_at_stop = !file->stops.empty() && file->stops.front() == 0;
            if (!wants_all || done == buffer.size() || taken < there || is_at_stop) return done;
        }
        if (file->error != 0 && done == 0) return Error(std::exchange(file->error, 0));
        if (file->ended || file->error != 0) return done;
        if (!may_sleep) return Error(EAGAIN);
        const Slept slept = sleep(end, [&] { return file->can_receive(); });
        if (slept != Slept::ready) {
            if (done != 0) return done;
            return Error(slept == Slept::late ? EAGAIN : EINTR);
        }
        if (find(fd) != file) std::abort();  // freed under a call (SOCK-4)
    }
}

}  // namespace

Result<std::size_t> recv(Fd fd, MutableBuffer buffer, int flags) noexcept {
    begin(Sys::recv);
    const auto received = receive(Sys::recv, fd, buffer, flags, nullptr);
    end((flags & MSG_PEEK) != 0);
    return received;
}

Result<std::size_t> recvfrom(Fd fd, MutableBuffer buffer, int flags, Address& from) noexcept {
    begin(Sys::recvfrom);
    const auto received = receive(Sys::recvfrom, fd, buffer, flags, &from);
    end((flags & MSG_PEEK) != 0);
    return received;
}

Result<std::size_t> recv_noted(Fd fd, MutableBuffer buffer, int flags, ReceiveNote& note) noexcept {
    auto* count = new (note.bytes) std::size_t{0};
    begin(Sys::recv_noted);
    const auto received = receive(Sys::recv_noted, fd, buffer, flags, nullptr);
    if (received) *count = *received;
    end(true);
    return received;
}

std::size_t noted(const ReceiveNote& note) noexcept {
    std::size_t count = 0;
    std::memcpy(&count, note.bytes, sizeof count);
    return count;
}

namespace {

Result<std::size_t> drop(Fd fd, std::size_t most) {
    File* file = find(fd);
    if (file == nullptr) return Error(EBADF);
    if (const Error error = trouble(Sys::discard, file, Kind::interrupt); error != Error()) return error;
    const std::size_t there = std::min(file->queue().size(), most);
    if (there == 0 && !file->ended) return Error(EAGAIN);
    const std::size_t dropped = cut(there);
    file->consume(dropped);
    return dropped;
}

}  // namespace

Result<std::size_t> discard(Fd fd, MutableBuffer scratch, bool) noexcept {
    begin(Sys::discard);
    const auto dropped = drop(fd, scratch.size());
    end(false);
    return dropped;
}

// --- Sending

namespace {

Result<std::size_t> transmit(Sys call, Fd fd, ConstBuffer data, int flags) {
    File* file = find(fd);
    if (file == nullptr) return Error(EBADF);
    const Error error =
        trouble(call, file, Kind::reset, Kind::interrupt, Kind::again, Kind::no_buffers, Kind::no_memory);
    if (error != Error()) return error;
    if (file->is_stream() && file->state != File::State::connected) return Error(ENOTCONN);
    if (!file->can_send()) {
        if (file->nonblocking || (flags & MSG_DONTWAIT) != 0) return Error(EAGAIN);
        const Slept slept = sleep(end_of_sleep(*file, SO_SNDTIMEO), [&] { return file->can_send(); });
        if (slept != Slept::ready) return Error(slept == Slept::late ? EAGAIN : EINTR);
        if (find(fd) != file) std::abort();  // freed under a call (SOCK-4)
    }
    if (file->error != 0) return Error(std::exchange(file->error, 0));
    if (file->cannot_send) return Error(EPIPE);
    const auto other = file->peer.lock();
    const char* bytes = reinterpret_cast<const char*>(data.data());
    if (!file->is_stream()) {
        if (other == nullptr) return Error(ENOTCONN);
        other->messages.push_back({std::string(bytes, data.size()), file->local});
        return data.size();
    }
    const std::size_t size = cut(std::min(data.size(), file->room_at_peer()));
    other->arrive({bytes, size});
    return size;
}

Result<std::size_t> transmit_to(Fd fd, ConstBuffer data, const Address& to) {
    File* file = find(fd);
    if (file == nullptr) return Error(EBADF);
    if (const Error error = trouble(Sys::sendto, file, Kind::interrupt, Kind::again, Kind::no_buffers);
        error != Error()) {
        return error;
    }
    name(*file);
    if (const auto other = bound_to(to)) {
        const char* bytes = reinterpret_cast<const char*>(data.data());
        other->messages.push_back({std::string(bytes, data.size()), file->local});
    }
    return data.size();
}

}  // namespace

Result<std::size_t> send(Fd fd, ConstBuffer data, int flags) noexcept {
    begin(Sys::send);
    const auto sent = transmit(Sys::send, fd, data, flags);
    end(true);
    return sent;
}

Result<std::size_t> sendto(Fd fd, ConstBuffer data, int flags, const Address& to) noexcept {
    begin(Sys::sendto);
    const File* file = find(fd);
    const auto sent =
        file != nullptr && file->is_stream() ? transmit(Sys::sendto, fd, data, flags) : transmit_to(fd, data, to);
    end(true);
    return sent;
}

// --- Several pieces; no ancillary data passes

Result<std::size_t> sendmsg(Fd fd, Gathered pieces, ConstBuffer, int flags, const Address* to) noexcept {
    begin(Sys::sendmsg);
    std::string all;
    for (const ConstBuffer& piece : pieces) all.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    const File* file = find(fd);
    const bool is_elsewhere = to != nullptr && file != nullptr && !file->is_stream();
    const auto sent = is_elsewhere ? transmit_to(fd, ConstBuffer(all.data(), all.size()), *to)
                                   : transmit(Sys::sendmsg, fd, ConstBuffer(all.data(), all.size()), flags);
    end(true);
    return sent;
}

Result<ReceivedMessage> recvmsg(Fd fd, Scattered pieces, MutableBuffer, int flags) noexcept {
    begin(Sys::recvmsg);
    std::size_t room = 0;
    for (const MutableBuffer& piece : pieces) room += piece.size();
    std::string all(room, '\0');
    ReceivedMessage message;
    const auto received = receive(Sys::recvmsg, fd, MutableBuffer(all.data(), room), flags, &message.address);
    end((flags & MSG_PEEK) != 0);
    if (!received) return received.error();
    message.size = *received;
    std::size_t done = 0;
    for (const MutableBuffer& piece : pieces) {
        const std::size_t count = std::min(piece.size(), std::min(*received, room) - done);
        std::memcpy(piece.data(), all.data() + done, count);
        done += count;
    }
    return message;
}

Result<void> check_file(Fd file) noexcept {
    return static_cast<std::size_t>(file) < network().files.size() ? Error() : Error(EBADF);
}

Result<std::size_t> read_file(Fd file, std::uint64_t offset, MutableBuffer room) noexcept {
    const std::string& content = network().files.at(static_cast<std::size_t>(file));
    const auto start = static_cast<std::size_t>(std::min<std::uint64_t>(offset, content.size()));
    const std::size_t count = std::min(room.size(), content.size() - start);
    if (count != 0) std::memcpy(room.data(), content.data() + start, count);
    return count;
}

Result<std::size_t> sendfile(Fd fd, Fd file, std::uint64_t offset, std::size_t count, bool waits) noexcept {
    begin(Sys::sendfile);
    const std::string& content = network().files.at(static_cast<std::size_t>(file));
    const auto start = static_cast<std::size_t>(std::min<std::uint64_t>(offset, content.size()));
    const auto rest = std::string_view(content).substr(start, count);
    const auto sent = rest.empty() ? Result<std::size_t>(std::size_t{0})
                                   : transmit(Sys::sendfile, fd, rest, waits ? 0 : MSG_DONTWAIT);
    end(true);
    return sent;
}

// --- Conduits: one descriptor, whose queue is what is in it

Result<Conduit> conduit_open(std::size_t) noexcept {
    auto file = std::make_shared<File>();
    file->type = SOCK_STREAM;
    file->state = File::State::conduit;
    const Fd fd = install(std::move(file));
    return Conduit{fd, fd};
}

void conduit_close(const Conduit& conduit) noexcept { close(conduit.in); }

Result<std::size_t> conduit_take(const Conduit& conduit, Fd from, std::size_t count) noexcept {
    begin(Sys::conduit_take);
    // As Linux, it does not get over an urgent mark.
    const File* file = find(from);
    const bool is_at_mark = file->is_tcp() && !file->stops.empty() && file->stops.front() == 0;
    if (is_at_mark) return file->ended ? Result<std::size_t>(std::size_t{0}) : Error(EAGAIN);
    std::string bytes(count, '\0');
    const auto taken = receive(Sys::conduit_take, from, MutableBuffer(bytes.data(), count), MSG_DONTWAIT, nullptr);
    if (taken) find(conduit.in)->stream.append(bytes, 0, *taken);
    end(false);
    return taken;
}

Result<std::size_t> conduit_pass(const Conduit& conduit, Fd to, std::size_t count) noexcept {
    begin(Sys::conduit_pass);
    File* file = find(conduit.out);
    const auto passed = transmit(Sys::conduit_pass, to, file->queue().substr(0, count), MSG_DONTWAIT);
    if (passed) file->consume(*passed);
    end(true);
    return passed;
}

std::size_t conduit_recover(const Conduit& conduit, MutableBuffer room) noexcept {
    File* file = find(conduit.out);
    const std::size_t count = std::min(room.size(), file->queue().size());
    std::memcpy(room.data(), file->queue().data(), count);
    file->consume(count);
    return count;
}

// --- Options and names

Result<void> setsockopt(Fd fd, int level, int name, ConstBuffer value) noexcept {
    begin(Sys::setsockopt);
    File* file = find(fd);
    if (file == nullptr) return Error(EBADF);
    if (level == SOL_SOCKET && name == SO_RCVLOWAT && value.size() == sizeof file->lowat) {
        std::memcpy(&file->lowat, value.data(), sizeof file->lowat);
        return {};
    }
    file->options[{level, name}] = std::string(reinterpret_cast<const char*>(value.data()), value.size());
    return {};
}

Result<std::size_t> getsockopt(Fd fd, int level, int name, MutableBuffer value) noexcept {
    begin(Sys::getsockopt);
    File* file = find(fd);
    if (file == nullptr) return Error(EBADF);
    if (level == SOL_SOCKET && name == SO_ERROR) {
        const int error = std::exchange(file->error, 0);
        std::memcpy(value.data(), &error, std::min(value.size(), sizeof error));
        return sizeof error;
    }
    if (level == SOL_SOCKET && name == SO_ACCEPTCONN) {
        const int listens = file->state == File::State::listening ? 1 : 0;
        std::memcpy(value.data(), &listens, std::min(value.size(), sizeof listens));
        return sizeof listens;
    }
    if (level == SOL_SOCKET && name == SO_RCVLOWAT) {
        std::memcpy(value.data(), &file->lowat, std::min(value.size(), sizeof file->lowat));
        return sizeof file->lowat;
    }
    const auto found = file->options.find({level, name});
    if (found == file->options.end()) return Error(ENOPROTOOPT);
    const std::size_t size = std::min(value.size(), found->second.size());
    std::memcpy(value.data(), found->second.data(), size);
    return size;
}

Timeout descriptor_timeout(Fd fd, unsigned events) noexcept {
    const File* file = find(fd);
    return file == nullptr ? Timeout::none() : timeout_of(*file, (events & POLLIN) != 0 ? SO_RCVTIMEO : SO_SNDTIMEO);
}

bool is_timeout_option(int level, int name) noexcept {
    return level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO);
}

void refuse_sendfile(Fd) noexcept {}
bool peeks_at_offset(Fd) noexcept { return false; }

Result<Address> getsockname(Fd fd) noexcept {
    begin(Sys::getsockname);
    const File* file = find(fd);
    if (file == nullptr) return Error(EBADF);
    return file->local;
}

Result<Address> getpeername(Fd fd) noexcept {
    begin(Sys::getpeername);
    const File* file = find(fd);
    if (file == nullptr) return Error(EBADF);
    if (file->state != File::State::connected) return Error(ENOTCONN);
    return file->remote;
}

}  // namespace usocket::sys
