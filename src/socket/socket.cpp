// Socket: life and connections, options, names. What moves bytes is in transfer.cpp.
#include "usocket/socket.hpp"

#include <algorithm>
#include <cerrno>
#include <new>

#include "socket/aside.hpp"
#include "socket/inside.hpp"
#include "stream/reader.hpp"
#include "wait/held.hpp"

namespace usocket {

// --- Life

Socket::Socket(int fd, int family, int type, int proto) noexcept
    : gate_(fd),
      family_(static_cast<std::uint8_t>(family)),
      kind_(static_cast<std::uint16_t>((static_cast<unsigned>(type) << 12) |
                                       std::min(static_cast<unsigned>(proto), unsigned{proto_mask}))) {
    const bool is_large = sys::has_large_protos && (kind_ & proto_mask) == proto_mask;
    Aside* aside = is_large ? gate_.make_aside() : nullptr;
    if (aside != nullptr) aside->proto = proto;
    if (!sys::knows_shutdown(family)) gate_.learn(Gate::needs_bell);
}

Socket::Socket(Socket&& other) noexcept { take(other); }

Socket& Socket::operator=(Socket&& other) noexcept {
    if (this == &other) return *this;
    destroy();
    take(other);
    return *this;
}

Socket::~Socket() { destroy(); }

// Both are nobody else's while they move.
void Socket::take(Socket& other) noexcept {
    gate_.take(other.gate_);
    inbox_.take(other.inbox_);
    timeout_ = other.timeout_;
    kind_ = other.kind_;
    family_ = other.family_;
    Windows::moved(inbox_);
}

void Socket::destroy() noexcept {
    const bool is_empty = gate_.fd() == Gate::no_fd && gate_.aside() == nullptr;
    if (is_empty) return;
    close();
    // A longjmp may have left the count of calls too high; by now nobody is inside.
    release();
    Aside* aside = gate_.take_aside();
    if (aside == nullptr) return;
    aside->tell_orphaned();
    aside->looking.lock();  // No poll begins to look any more.
    (void)sys::resize(aside, 0);
}

bool Socket::closed() const noexcept { return gate_.closed(); }

// Once nobody is alone inside any more.
static Error enter_gate(Gate& gate, Error (Gate::*enter)() noexcept) noexcept {
    for (;;) {
        const Error error = (gate.*enter)();
        if (error != Error(EAGAIN) || !sys::has_threads) return error;
        sys::yield_thread();
    }
}

void Socket::close() noexcept {
    const Uncancelled uncancelled;
    const Held held;
    // It is closed, or another is about to close it.
    if (enter_gate(gate_, &Gate::enter_to_close) != Error()) return;
    const Gate::Shut shut = gate_.shut();
    if (shut.is_first) {
        if (Aside* aside = gate_.aside()) aside->tell(true);
        if (shut.has_others) end_calls(shut);
    }
    if (gate_.leave() == Gate::Left::last) release();
}

// Of other threads; the last one out frees the descriptor.
void Socket::end_calls(Gate::Shut shut) noexcept {
    if (!sys::has_threads) return;
    inbox_.wake_waiters();
    const Aside* aside = gate_.aside();
    const sys::Fd bell = aside != nullptr ? aside->bell.fd() : sys::no_fd;
    if (bell != sys::no_fd) sys::bell_ring(bell);
    if (shut.has_sleepers) (void)sys::shutdown(gate_.fd(), sys::shut_rdwr);
}

// Alone, after close(): nobody can enter any more.
void Socket::release() noexcept {
    const Uncancelled uncancelled;
    const Held held;
    if (layer_of(gate_) != nullptr) {
        const Locked locked(gate_.aside()->looking);
        Layer* layer = gate_.aside()->layer.exchange(nullptr, std::memory_order_acq_rel);
        if (layer != nullptr) layer->hooks->release(*layer);
        gate_.aside()->layer_holds = 0;
    }
    inbox_.forget(gate_);
    const sys::Fd fd = gate_.take_fd();
    Aside* aside = sys::has_threads ? gate_.aside() : nullptr;
    if (aside != nullptr) aside->bell.close();
    if (fd != sys::no_fd) sys::close(fd);
}

// Each method has this, and leave(): a call is shorter.
[[gnu::noinline]] Error Socket::enter() noexcept { return enter_gate(gate_, &Gate::enter); }

Error Socket::enter(Call& call) noexcept {
    const Error error = enter();
    call.inside_ = error == Error();
    return error;
}

[[gnu::noinline]] Error Socket::leave(Call& call, Error error) noexcept {
    call.inside_ = false;
    return leave(error);
}

// Returns the error to report: whatever went wrong in a call that close() ended is EBADF.
Error Socket::leave(Error error) noexcept {
    const Gate::Left left = gate_.leave();
    if (left == Gate::Left::open) return error;
    if (left == Gate::Left::last) release();
    return error == Error() || error == Error(EINTR) ? error : Error(EBADF);
}

#if !defined(USOCKET_SMALL)
Error Socket::unread(Call& call, Sink& got) noexcept {
    (void)inside(call, [&]() noexcept -> Result<void> {
        reader(call).unread(got);
        return {};
    });
    return Error(EINTR);
}
#endif

void Socket::unwound(Call& call) noexcept {
    const Held held;
    reader(call).unwound();
    Layer* layer = call.inside_ ? layer_of(gate_) : nullptr;
    if (layer != nullptr) (void)layer->watch.give_up(Watch::id_of(&call));
    if (call.inside_) (void)leave(call, Error());
}

void** Socket::host_word() noexcept {
    Aside* const aside = gate_.aside();
    return aside != nullptr ? &aside->host_word : nullptr;
}

// What the system has opened, in a socket that is closed.
template <class Opened> void Socket::become(const Opened& opened, int proto) noexcept {
    destroy();
    new (this) Socket(opened.fd, opened.family, opened.type, proto);
    if (opened.nonblocking) timeout_ = Timeout::zero();
}

// A descriptor of the same kind as the other's.
void Socket::become_like(const Socket& other, int fd) noexcept {
    become(sys::Opened{fd, other.family_, other.type()}, other.proto());
}

// For a large protocol there may have been no memory: then it is closed.
Result<void> Socket::checked(int proto) noexcept {
    if (!sys::has_large_protos || this->proto() == proto) return {};
    close();
    return Error(ENOMEM);
}

int Socket::large_proto() const noexcept {
    const Aside* aside = sys::has_large_protos ? gate_.aside() : nullptr;
    return aside != nullptr ? aside->proto : 0;
}

Result<Socket> Socket::open() noexcept { return open(sys::af_inet, sys::sock_stream); }

Result<Socket> Socket::open(int af, int type, int proto) noexcept {
    Result<Socket> socket{Error()};
    const auto opened = open_into(*socket, af, type, proto);
    if (!opened) socket = opened.error();
    return socket;
}

Result<void> Socket::open_into(Socket& socket, int af, int type, int proto) noexcept {
    const bool is_secure = proto == IPPROTO_SEC && type == sys::sock_stream;
    const auto opened = sys::open(af, type, is_secure ? sys::ipproto_tcp : proto);
    if (!opened) return opened;
    const int known = is_secure ? IPPROTO_SEC : opened->proto;
    socket.become(*opened, known);
    return socket.checked(known);
}

Result<SocketPair> Socket::pair() noexcept { return pair(sys::af_unix, sys::sock_stream); }

Result<SocketPair> Socket::pair(int af, int type, int proto) noexcept {
    Result<SocketPair> pair{Error()};
    const auto opened = pair_into(pair->first, pair->second, af, type, proto);
    if (!opened) pair = opened.error();
    return pair;
}

Result<void> Socket::pair_into(Socket& first, Socket& second, int af, int type, int proto) noexcept {
    const auto opened = sys::open_pair(af, type, proto);
    if (!opened) return opened;
    first.become(opened->first, opened->first.proto);
    second.become(opened->second, opened->second.proto);
    return opened;
}

Result<Socket> Socket::adopt(int fd) noexcept {
    Result<Socket> socket{Error()};
    const auto adopted = adopt_into(*socket, fd);
    if (!adopted) socket = adopted.error();
    return socket;
}

Result<void> Socket::adopt_into(Socket& socket, int fd) noexcept {
    const auto opened = sys::inspect(fd);
    if (!opened) return opened;
    socket.become(*opened, opened->proto);
    socket.expose();
    return opened;
}

// --- Connections

// Of an address of another family the system says EINVAL, if its size is another, too.
static Error about_address(Error error, const Address& address, int family) noexcept {
    const bool is_other = error == Error(EINVAL) && address.family() != family && address.family() != sys::af_unspec;
    return is_other ? Error(EAFNOSUPPORT) : error;
}

Result<void> Socket::bind(const Address& address) noexcept {
    return inside([&]() noexcept -> Result<void> {
        return about_address(sys::bind(gate_.fd(), address).error(), address, family_);
    });
}

Result<void> Socket::listen() noexcept { return listen(sys::default_backlog); }

Result<void> Socket::listen(int backlog) noexcept {
    return inside([&]() noexcept -> Result<void> {
        Layer* layer = layer_of(gate_);
        if (layer != nullptr && !layer->is_server) return Error(TlsFailure::listener);
        const auto listens = sys::listen(gate_.fd(), backlog < 0 ? 0 : backlog);
        if (listens && layer != nullptr) {
            layer->waits_for = 0;
            if (gate_.aside()->note_waits(*layer)) gate_.aside()->tell(false);
        }
        return listens;
    });
}

Result<Accepted> Socket::accept(Call&& call) noexcept {
    Accepted accepted;
    auto peer = accept_into(accepted.socket, static_cast<Call&&>(call));
    if (!peer) return peer.error();
    accepted.address = *peer;
    return accepted;
}

Result<Address> Socket::accept_into(Socket& conn, Call&& call) noexcept {
    Result<Address> peer{Error()};
    const auto accepted = inside(call, [&]() noexcept -> Result<void> {
        const Layer* layer = layer_of(gate_);
        // Somebody else who has its number may have made it listen.
        if (layer != nullptr && !layer->is_server) return Error(TlsFailure::listener);
        Blocking waiting(call, timeout_, &gate_);
        waiting.trust_poll();  // SO_RCVLOWAT has no say in what a listening socket shows
        // A longjmp out of accept() would lose the descriptor: it waits outside.
        const bool may_sleep = waiting.sleep_flags() == 0 && !call.unwinds();
        // Without a deadline a descriptor that others hold is left as it is.
        const bool looks_first = !may_sleep && gate_.exposed() && waiting.is_endless() && !call.unwinds();
        if (sys::calls_sleep && !may_sleep) {
            const auto prepared =
                looks_first ? waiting.await_retry(gate_.fd(), sys::poll_in, false) : keep_nonblocking();
            if (!prepared) return prepared;
        }
        const auto take = [&]() noexcept -> Result<void> {
            const Held held;
            const auto fd = sys::accept(gate_.fd(), *peer);
            if (fd) conn.become_like(*this, *fd);
            return fd.error();
        };
        // Whoever holds the descriptor besides may let it block again at any time: then it might sleep.
        const auto taken = waiting.perform(gate_.fd(), sys::poll_in, take, gate_.exposed());
        if (taken && has_spans(gate_)) note_spans(conn.gate_, true);  // the system may hand them on
        return taken && layer != nullptr ? conn.put_on(*layer) : taken;
    });
    if (!accepted) peer = accepted.error();
    return peer;
}

// What the listener has, before anybody reads or writes: without it the connection would be in the clear, and is
// closed. The peer is not waited for: one that is silent would keep all others waiting.
Result<void> Socket::put_on(const Layer& listener) noexcept {
    const Held held;
    Aside* aside = gate_.make_aside();
    const Result<Layer*> made =
        aside != nullptr ? listener.hooks->another(listener, gate_.fd()) : Result<Layer*>(Error(ENOMEM));
    if (!made) {
        close();
        return made.error();
    }
    sys::refuse_sendfile(gate_.fd());
    aside->layer.store(*made, std::memory_order_release);
    (void)aside->note_waits(**made);
    return {};
}

// For the calls that have no flag for it. The descriptor stays non-blocking: to change it for the length of a call
// would be felt by its other holders, who may change it as well (TIME-9).
Result<void> Socket::keep_nonblocking() noexcept {
    const bool is_known = !timeout_.is_none() || gate_.knows(Gate::stays_nonblocking);
    if (is_known && !gate_.exposed()) return {};
    if (gate_.exposed() && sys::is_nonblocking(gate_.fd())) return {};
    if (timeout_.is_none()) gate_.learn(Gate::stays_nonblocking);
    return sys::set_nonblocking(gate_.fd(), true);
}

Result<void> Socket::connect(const Address& address, Call&& call) noexcept {
    return inside(call, [&]() noexcept -> Result<void> {
        Layer* layer = layer_of(gate_);
        return layer != nullptr ? connect_layer(call, *layer, address) : connect_inside(call, address);
    });
}

// The system's socket and what is on it, under one deadline (TLS-2). Non-blocking, and once SO_RCVTIMEO or SO_SNDTIMEO
// has expired (TIME-7): EINPROGRESS until both are.
Result<void> Socket::connect_layer(Call& call, Layer& layer, const Address& address) noexcept {
    const auto connected = connect_inside(call, address);
    const bool goes_on = connected.error() == Error(EISCONN) && !layer.is_established;
    if (!connected && !goes_on) return connected;
    const auto established = establish(call, layer);
    return established.error() == Error(EAGAIN) ? Error(EINPROGRESS) : established;
}

Result<void> Socket::establish(Call& call, Layer& layer) noexcept {
    Blocking waiting(call, timeout_, &gate_);
    const auto established = layer.hooks->establish(layer, waiting);
    inbox_.settle_unless_read(gate_);
    return established;
}

// A connection attempt goes on in the system whatever ends the first call: EINTR and EINPROGRESS both mean to wait
// for its end. Not so for AF_UNIX: while the backlog is full it is EAGAIN, the call is to be repeated, and there is
// nothing to poll for.
Result<void> Socket::connect_inside(Call& call, const Address& address) noexcept {
    const bool is_dissolved = is_stream() && address.family() == sys::af_unspec;
    if (is_dissolved) return reader(call).forget_after(sys::connect, address);
    Blocking waiting(call, timeout_, &gate_);
    const bool is_unix = sys::has_af_unix && family_ == sys::af_unix;
    for (;;) {
        const auto connected = connect_once(waiting, address);
        const int code = connected.error().code();
        if (Aside* const shared = attempt_shared()) shared->attempt.note(connected.error());
        const bool is_begun = code == EINPROGRESS || code == EALREADY;  // by this call, or by one before or beside it
        const bool goes_on = is_begun ? !waiting.is_nonblocking() : code == EINTR && !is_unix;
        if (goes_on) return finish_connect(waiting, address);
        if (code == EINTR) {
            if (const Error error = waiting.check_signals(); error != Error()) return error;
        } else if (sys::has_af_unix && code == EAGAIN) {
            // The system would have it wait for room, too, once another thread has connected it.
            if (is_connected()) return Error(EISCONN);
            if (const Error error = waiting.heed_descriptor(gate_.fd(), sys::poll_out); error != Error()) return error;
            const auto paused = waiting.pause(sys::no_fd, 0, Timeout::of_nanoseconds(2'000'000));
            if (!paused) return paused.error();
        } else {
            return about_address(connected.error(), address, family_);
        }
        if (closed()) return Error(EBADF);
    }
}

// In the system it would wait out of reach of a close() that has just begun, and for room in the backlog of AF_UNIX out
// of reach of any (SOCK-4). So a blocking descriptor does not block for this one system call, which has no flag for it;
// what is not yet connected is of no use to other holders.
Result<void> Socket::connect_once(Blocking& waiting, const Address& address) noexcept {
    const bool can_wait = sys::calls_sleep && (is_stream() || family_ == sys::af_unix);
    const bool is_endless = waiting.is_endless();
    const bool may_sleep = is_endless && sys::is_only_thread() && waiting.sleep_flags() == 0;
    const bool is_blocking =
        !gate_.knows(Gate::stays_nonblocking) && !(gate_.exposed() && sys::is_nonblocking(gate_.fd()));
    const bool must_switch = can_wait && is_endless && !may_sleep && is_blocking;
    if (can_wait && !is_endless) {
        if (const auto kept = keep_nonblocking(); !kept) return kept;
    }
    // Threads that connect the same socket would switch it for each other.
    Aside* const others = must_switch && !sys::is_only_thread() ? gate_.make_aside() : nullptr;
    const auto attempt = [&]() noexcept {
        if (!must_switch) return sys::connect(gate_.fd(), address);
        const Held held;
        if (others != nullptr) others->switching.lock();
        (void)sys::set_nonblocking(gate_.fd(), true);
        const auto result = sys::connect(gate_.fd(), address);
        (void)sys::set_nonblocking(gate_.fd(), false);
        if (others != nullptr) others->switching.unlock();
        return result;
    };
    for (bool is_another = false;; is_another = true) {
        const auto result = waiting.once(attempt);
        if (is_another || !tells_of_another(result.error())) return result;
    }
}

bool Socket::is_connected() const noexcept { return sys::getpeername(gate_.fd()).has_value(); }

// nullptr: no other thread waits, or has waited, for the end of the same attempt.
Aside* Socket::attempt_shared() noexcept {
#if defined(USOCKET_SMALL)
    return nullptr;
#else
    if (sys::is_only_thread()) return nullptr;
    return gate_.has_others() ? gate_.make_aside() : gate_.aside();
#endif
}

Error Socket::finish_connect(Blocking& waiting, const Address& address) noexcept {
    Aside* shared = attempt_shared();
    const std::uint32_t number = shared != nullptr ? shared->attempt.number() : 0;
    if (const Error error = waiting.check_signals(); error != Error()) return error;
    if (!sys::calls_sleep || has_spans(gate_)) (void)waiting.heed_descriptor(gate_.fd(), sys::poll_out);
    const auto ready = waiting.wait(gate_.fd(), sys::poll_out);
    // Once SO_SNDTIMEO has expired the attempt goes on by itself (TIME-7), as a non-blocking one does.
    if (!ready) return ready.error() == Error(EAGAIN) ? Error(EINPROGRESS) : ready.error();
    const auto ask = [this]() noexcept {
        if (is_connected()) return Error();
        int code = 0;
        const auto asked = sys::getsockopt(gate_.fd(), sys::sol_socket, sys::so_error, {&code, sizeof code});
        if (!asked || code != 0) return asked ? Error(code) : asked.error();
        // Somebody else may have been told why it failed: the system tells it once.
        return sys::is_only_thread() ? Error() : Error(ECONNABORTED);
    };
    shared = attempt_shared();
    const Error error = shared != nullptr ? shared->attempt.outcome(number, ask) : ask();
    if (error != Error()) return error;
    // Told so once more, Linux takes it for connected: from now on another connect is EISCONN.
    (void)sys::connect(gate_.fd(), address);
    return Error();
}

Result<void> Socket::shutdown(int how, Call&& call) noexcept {
    return inside(call, [&]() noexcept -> Result<void> {
        Layer* layer = layer_of(gate_);
        const bool is_reading = how == sys::shut_rd || how == sys::shut_rdwr;
        if (layer != nullptr && is_reading) layer->has_shut_reading = true;
        const bool listens = layer != nullptr && layer->waits_for == 0;
        if (layer != nullptr && !listens && how != sys::shut_rd) {
            Blocking waiting(call, timeout_, &gate_);
            if (const auto ended = layer->hooks->end_sending(*layer, waiting); !ended) return ended;
        }
        return sys::shutdown(gate_.fd(), how);
    });
}

// --- Options

Result<void> Socket::settimeout(Timeout timeout) noexcept {
    return inside([&]() noexcept -> Result<void> {
        // The descriptor is blocking only while there is no deadline: then one system call both waits and works.
        const bool is_other = timeout.is_none() != timeout_.is_none();
        if (is_other && !gate_.knows(Gate::stays_nonblocking)) {
            const auto set = sys::set_nonblocking(gate_.fd(), !timeout.is_none());
            if (!set) return set;
        }
        timeout_ = timeout;
        return {};
    });
}

Result<void> Socket::setblocking(bool blocking) noexcept {
    return settimeout(blocking ? Timeout::none() : Timeout::zero());
}

Result<void> Socket::setsockopt(int level, int name, int value) noexcept {
    return setsockopt(level, name, ConstBuffer(&value, sizeof value));
}

namespace {

int lowat_of(sys::Fd fd) noexcept {
    int lowat = 1;
    (void)sys::getsockopt(fd, sys::sol_socket, sys::so_rcvlowat, {&lowat, sizeof lowat});
    return lowat;
}

}  // namespace

bool is_overlooked(sys::Fd fd, const Aside* aside) noexcept {
    const int lowat = lowat_of(fd);
    const int own = aside != nullptr ? aside->lowat.load(std::memory_order_acquire) : 1;
    return lowat > 1 && lowat != own && sys::queued(fd).value_or(0u) != 0;
}

// Once, for all that give the value in their way.
[[gnu::noinline]] Result<void> Socket::setsockopt(int level, int name, ConstBuffer value) noexcept {
    return inside([&]() noexcept {
        const bool moves_peeks = sys::so_peek_off != -1 && level == sys::sol_socket && name == sys::so_peek_off;
        // A poll that counts bytes, or a peek, must not see those that readline() has handed out already.
        const bool is_lowat = level == sys::sol_socket && name == sys::so_rcvlowat;
        // Nor may an urgent byte in front of those begin to count, or cease to.
        const bool counts_urgent = sys::so_oobinline != -1 && level == sys::sol_socket && name == sys::so_oobinline;
        if (moves_peeks || is_lowat || counts_urgent) expose();
        // Whatever else changes what comes out of the queue (TCP_ULP).
        const Uncancelled uncancelled;
        inbox_.close_window();
        const auto set = sys::setsockopt(gate_.fd(), level, name, value);
#if !defined(USOCKET_WITHOUT_sharing)
        Aside* aside = set && is_lowat ? gate_.make_aside() : nullptr;
        if (aside != nullptr) aside->lowat.store(lowat_of(gate_.fd()), std::memory_order_release);
#endif
        if (sys::calls_sleep && set && sys::is_timeout_option(level, name)) {
            const auto is_set = [&](unsigned events) { return !sys::descriptor_timeout(gate_.fd(), events).is_none(); };
            note_spans(gate_, is_set(sys::poll_in) || is_set(sys::poll_out));
        }
        if (!set || !moves_peeks) return set;
        gate_.forget(Gate::peeks_elsewhere);
        if (sys::peeks_at_offset(gate_.fd())) gate_.learn(Gate::peeks_elsewhere);
        return set;
    });
}

Result<int> Socket::getsockopt(int level, int name) const noexcept {
    int value = 0;
    const auto size = getsockopt(level, name, MutableBuffer(&value, sizeof value));
    if (!size) return size.error();
    return value;
}

Result<std::size_t> Socket::getsockopt(int level, int name, MutableBuffer value) const noexcept {
    return inside([&]() noexcept { return sys::getsockopt(gate_.fd(), level, name, value); });
}

// --- What it is

Result<Address> Socket::getsockname() const noexcept { return name_by(sys::getsockname); }

Result<Address> Socket::getpeername() const noexcept { return name_by(sys::getpeername); }

Result<Address> Socket::name_by(Result<Address> (*ask)(int fd) noexcept) const noexcept {
    Result<Address> name{Error()};
    const auto asked = inside([&]() noexcept -> Result<void> {
        name = ask(gate_.fd());
        return name;
    });
    if (!asked) name = asked.error();
    return name;
}

// From now on others may hold the descriptor, and find in its queue just what was not returned.
void Socket::expose() noexcept {
#if !defined(USOCKET_WITHOUT_sharing)
    const bool is_news = !gate_.exposed();
    const Uncancelled uncancelled;
    gate_.expose();
    inbox_.close_window();
#if !defined(USOCKET_SMALL)
    // accept() may have left it non-blocking, which others would not expect. Calls that go on rely on it.
    const bool is_left = timeout_.is_none() && gate_.knows(Gate::stays_nonblocking) && !gate_.has_others();
    if (is_left && sys::set_nonblocking(gate_.fd(), false)) gate_.forget(Gate::stays_nonblocking);
#endif
    Aside* aside = is_news ? gate_.aside() : nullptr;
    if (aside != nullptr) aside->tell_exposed();
#endif
}

int Socket::fileno() noexcept {
    const auto fd = inside([&]() noexcept -> Result<int> {
        expose();
        return gate_.fd();
    });
    return fd ? *fd : Gate::no_fd;
}

// Like close(), but the descriptor lives on, so nobody may be inside and nothing may be pending.
Result<int> Socket::detach() noexcept {
    if (layer_of(gate_) != nullptr) return Error(TlsFailure::not_shared);
    if (const Error error = enter_gate(gate_, &Gate::enter); error != Error()) return error;
    expose();
    if (has_kept() || !gate_.shut_alone()) {
        if (gate_.leave() == Gate::Left::last) release();
        return Error(EBUSY);
    }
    if (Aside* aside = gate_.aside()) aside->tell(true);
    const int fd = gate_.take_fd();
    release();
    return fd;
}

Result<Socket> Socket::dup() noexcept {
    Result<Socket> copy{Error()};
    const auto made = dup_into(*copy);
    if (!made) copy = made.error();
    return copy;
}

Result<void> Socket::dup_into(Socket& copy) noexcept {
    const auto fd = inside([&]() noexcept -> Result<int> {
        if (layer_of(gate_) != nullptr) return Error(TlsFailure::not_shared);
        expose();
        return sys::duplicate(gate_.fd());
    });
    if (!fd) return fd;
    copy.become_like(*this, *fd);
    copy.expose();
    copy.timeout_ = timeout_;
    copy.gate_.learn_from(gate_);
    if (has_spans(gate_)) note_spans(copy.gate_, true);
    return copy.checked(proto());
}

bool Socket::has_kept() const noexcept { return Inbox::has_pending(gate_); }

// What the system shows of a wrapped socket may be nothing to read: has_kept() knows afterwards. True: there may be, as
// far as can be told now.
bool Socket::look() noexcept {
    const Held held;
    Aside& aside = *gate_.aside();
    Seen seen = Seen::nothing;
    {
        const Locked locked(aside.looking);
        seen = aside.look();
    }
    if (seen == Seen::something) aside.tell(gate_.closed());
    return seen == Seen::unknown;
}

unsigned Socket::poll_now(unsigned events) noexcept {
    const Uncancelled uncancelled;
    const auto ready = inside([&]() noexcept -> Result<unsigned> {
        const Layer* layer = layer_of(gate_);
        const unsigned waits_for = layer != nullptr ? layer->waits_for.load(std::memory_order_relaxed) : 0;
        const unsigned instead = waits_for & ~waits_for_plaintext;
        const auto shown = sys::wait(gate_.fd(), instead != 0 ? instead : events, Timeout::zero());
        if (!shown) return shown;
        if (instead != 0) return (*shown & instead) != 0 ? events | *shown : shown;
        if (waits_for == waits_for_plaintext) {
            const bool may_be_more = (*shown & sys::poll_in) != 0 && look();
            return may_be_more ? shown : *shown & ~sys::poll_in;
        }
        const unsigned missing = events & sys::poll_in & ~*shown;
        const bool is_more = missing != 0 && gate_.exposed() && is_overlooked(gate_.fd(), gate_.aside());
        return is_more ? *shown | missing : shown;
    });
    if (ready.error() == Error(EBADF)) return sys::poll_nval;
    return ready.value_or(0u) | (has_kept() ? events & sys::poll_in : 0u);
}

}  // namespace usocket
