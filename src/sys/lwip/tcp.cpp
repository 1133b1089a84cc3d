#include "sys/lwip/tcp.hpp"

#include "lwip/priv/tcp_priv.h"
#include "lwip/sys.h"

namespace usocket::sys {
namespace {

using State = Sock::State;

// Those that are not established yet may be sacrificed for one of the program's own: lwIP does so when it has no PCB.
constexpr std::uint8_t half_open_prio = TCP_PRIO_NORMAL - 1;
// Before these those that are closed and whose peers have gone, also for one that comes.
constexpr std::uint8_t gone_prio = half_open_prio - 1;

// --- Between a socket and its PCB

// lwIP calls nobody for it any more.
tcp_pcb* part(Sock& sock) noexcept {
    tcp_pcb* pcb = std::exchange(sock.tcp, nullptr);
    if (pcb == nullptr) return nullptr;
    tcp_arg(pcb, nullptr);
    if (sock.state == State::listening) {
        tcp_accept(pcb, nullptr);
        return pcb;
    }
    tcp_recv(pcb, nullptr);
    tcp_sent(pcb, nullptr);
    tcp_err(pcb, nullptr);
    tcp_poll(pcb, nullptr, 0);
    return pcb;
}

// Of two times that wrap.
std::int32_t until(std::uint32_t end, std::uint32_t from) noexcept { return static_cast<std::int32_t>(end - from); }

// When a connection that is left to lwIP alone ends at the latest, of sys_now().
std::uint32_t end_of(const tcp_pcb& pcb) noexcept {
    return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(pcb.callback_arg));
}

// What was sent to it does not arrive.
bool takes_nothing(const tcp_pcb& pcb) noexcept { return pcb.persist_backoff > 1 || pcb.nrtx > 1; }

// Or it has had all of it, and does not end its stream.
bool is_gone(const tcp_pcb& pcb) noexcept {
    constexpr std::uint32_t silence = 2000 / TCP_SLOW_INTERVAL;
    return pcb.state == FIN_WAIT_2 ? tcp_ticks - pcb.tmr > silence : takes_nothing(pcb);
}

// A peer that answers and never reads would keep it for ever.
err_t on_closing(void*, tcp_pcb* pcb) noexcept {
    // Who is slow comes back. And lwIP counts silence from the close; here it is from when the peer has had all of it.
    pcb->prio = is_gone(*pcb) ? gone_prio : std::uint8_t{TCP_PRIO_NORMAL};
    if (pcb->state == FIN_WAIT_1) pcb->tmr = tcp_ticks;
    if (until(end_of(*pcb), sys_now()) > 0) return ERR_OK;
    tcp_abort(pcb);
    return ERR_ABRT;
}

// The PCB, which then has so long to end; nullptr: there is none.
tcp_pcb* leave_alone(Sock& sock) noexcept {
    const bool listens = sock.state == State::listening;
    tcp_pcb* pcb = part(sock);
    if (pcb == nullptr || listens) return pcb;
    const std::uint32_t seconds = sock.lingers && sock.linger_s != 0 ? sock.linger_s : USOCKET_LWIP_CLOSING;
    // lwIP keeps a pointer for whom it calls, which here is a time: NOLINTNEXTLINE(performance-no-int-to-ptr)
    tcp_arg(pcb, reinterpret_cast<void*>(std::uintptr_t{sys_now() + seconds * 1000}));
    tcp_poll(pcb, on_closing, 1);
    return pcb;
}

// Both ends have said that they send no more: lwIP does the rest, and frees the PCB without a word.
void part_if_over(Sock& sock) noexcept {
    if (sock.eof && sock.no_write) (void)leave_alone(sock);
}

// So many bytes have left the queue: the peer may send as many more.
void open_window(tcp_pcb* pcb, std::size_t count) noexcept {
    while (pcb != nullptr && count != 0) {
        const auto part = static_cast<std::uint16_t>(std::min<std::size_t>(count, 0xffff));
        tcp_recved(pcb, part);
        count -= part;
    }
}

// --- What lwIP tells

// When a connection could not send anything for want of memory the last time, of tcp_ticks.
std::uint32_t starved_at;

bool somebody_starves() noexcept { return tcp_ticks - starved_at <= 1; }

err_t on_recv(void* arg, tcp_pcb* pcb, pbuf* data, err_t /*always ERR_OK*/) noexcept {
    auto& sock = *static_cast<Sock*>(arg);
    if (data == nullptr) {
        sock.eof = true;
        part_if_over(sock);
    } else if (sock.no_read) {
        open_window(pcb, data->tot_len);
        pbuf_free(data);
    } else {
        sock.queue.append(data);
    }
    changed(sock);
    return ERR_OK;
}

err_t on_sent(void* arg, tcp_pcb*, std::uint16_t) noexcept {
    auto& sock = *static_cast<Sock*>(arg);
    sock.moved_at = sys_now();
    sock.lacks_memory = false;
    changed(sock);
    return ERR_OK;
}

// Every half second, of lwIP's. Whoever had no memory tries again, for others may have given some back.
err_t on_tick(void* arg, tcp_pcb* pcb) noexcept {
    auto& sock = *static_cast<Sock*>(arg);
    sock.is_last_try = sock.state == State::connecting && pcb->nrtx >= TCP_SYNMAXRTX;
    if (tcp_sndqueuelen(pcb) == 0) sock.moved_at = sys_now();
    if (sock.lacks_memory || somebody_starves()) changed(sock);
    sock.lacks_memory = false;
    return ERR_OK;
}

// As before there was a connection: what bind() has chosen stays.
void leave_name(Sock& sock) noexcept {
    sock.bound = sock.keeps_port;
    if (!sock.keeps_port) sock.local.port = 0;
    if (!sock.keeps_ip) sock.local.ip = any_ip(sock);
}

// The PCB is gone. lwIP says the same of an attempt that had no answer as of one whose interface has gone down.
void on_error(void* arg, err_t error) noexcept {
    auto& sock = *static_cast<Sock*>(arg);
    const bool was_connecting = sock.state == State::connecting;
    sock.tcp = nullptr;
    if (sock.state == State::fresh) return;  // bound to an address that has gone: need_tcp() makes another one
    if (error == ERR_CLSD) {
        sock.eof = true;
    } else if (error == ERR_RST) {
        // Where the peer had ended its stream before, that was whole, and only sending fails (EPIPE).
        if (!sock.eof) sock.error = was_connecting ? ECONNREFUSED : ECONNRESET;
    } else {
        sock.error = was_connecting && sock.is_last_try ? ETIMEDOUT : error_of(error).code();
    }
    if (error != ERR_CLSD) sock.state = State::closed;
    if (was_connecting) leave_name(sock);
    changed(sock);
}

void own(Sock& sock, tcp_pcb* pcb) noexcept {
    sock.tcp = pcb;
    sock.moved_at = sys_now();
    tcp_arg(pcb, &sock);
    tcp_recv(pcb, on_recv);
    tcp_sent(pcb, on_sent);
    tcp_err(pcb, on_error);
    tcp_poll(pcb, on_tick, 1);
}

err_t on_connected(void* arg, tcp_pcb* pcb, err_t) noexcept {
    auto& sock = *static_cast<Sock*>(arg);
    sock.state = State::connected;
    sock.local = {pcb->local_ip, pcb->local_port};
    changed(sock);
    return ERR_OK;
}

// The connections that wait to be accepted and are gone already: lwIP's backlog does not count them, so the oldest one
// goes when a living one comes and there are as many as the backlog has places.
void make_room(Sock& listener) noexcept {
    Sock** first_dead = nullptr;
    unsigned count = 0;
    for (Sock** at = &listener.first_pending; *at != nullptr; at = &(*at)->next_pending) {
        ++count;
        if ((*at)->tcp == nullptr && first_dead == nullptr) first_dead = at;
    }
    if (first_dead == nullptr || count < reinterpret_cast<const tcp_pcb_listen*>(listener.tcp)->backlog) return;
    Sock& dead = **first_dead;
    *first_dead = dead.next_pending;
    free_sock(dead);
}

// Without a place for it the connection is reset.
err_t on_accept(void* arg, tcp_pcb* pcb, err_t error) noexcept {
    auto* listener = static_cast<Sock*>(arg);
    if (error != ERR_OK || pcb == nullptr || listener == nullptr) return ERR_VAL;
    make_room(*listener);
    Sock* sock = new_sock(Sock::Kind::tcp);
    if (sock == nullptr) return ERR_MEM;
    own(*sock, pcb);
    tcp_setprio(pcb, TCP_PRIO_NORMAL);
    sock->state = State::connected;
    sock->bound = sock->told = true;
    sock->family = listener->family;
    sock->options = listener->options;
    put_options(*sock);
    sock->local = {pcb->local_ip, pcb->local_port};
    sock->peer = {pcb->remote_ip, pcb->remote_port};
    Sock** end = &listener->first_pending;
    while (*end != nullptr) end = &(*end)->next_pending;
    *end = sock;
    tcp_backlog_delayed(pcb);
    changed(*listener);
    return ERR_OK;
}

// --- What connections share. A peer that does not read or acknowledge keeps what it is sent in lwIP's segments and
// heap: all such peers together get six eighths of them. Each connection may always queue a little of the seventh. The
// last is for handshakes and ends.

constexpr unsigned at_will = 6, a_little_each = 7;  // eighths
constexpr unsigned little = 2;                      // segments
#if MEM_LIBC_MALLOC || MEM_USE_POOLS
constexpr std::size_t heap = PTRDIFF_MAX;
#else
constexpr std::size_t heap = MEM_SIZE;
#endif
constexpr int bytes_of_a_segment = 112;  // of lwIP's heap, beside what it carries
static_assert(heap / 8 * a_little_each >= TCP_MSS + bytes_of_a_segment, "no segment fits into lwIP's MEM_SIZE");
// A segment of a few bytes takes as much as a large one: as Linux has it, a peer does not get smaller ones.
constexpr std::uint16_t least_mss = std::min(48, TCP_MSS);

// As tcp_write() cuts them.
std::size_t size_of_segments(const tcp_pcb& pcb) noexcept {
    return std::clamp<std::size_t>(pcb.snd_wnd_max / 2, least_mss, std::max(pcb.mss, least_mss));
}

// Each segment of a peer's may say of what size it wants them, and lwIP takes it: it holds none that is larger, or its
// assertions fail; and one has to fit into its congestion window.
void keep_sizes(tcp_pcb& pcb) noexcept {
    auto mss = std::max<unsigned>(pcb.mss, least_mss);
    unsigned last = 0;
    for (const tcp_seg* one = pcb.unsent; one != nullptr; one = one->next) {
        last = one->len;
        mss = std::max(mss, last);
    }
#if TCP_OVERSIZE
    mss = std::max(mss, last + pcb.unsent_oversize);
#endif
    pcb.mss = static_cast<std::uint16_t>(mss);
    pcb.snd_wnd_max = std::max<tcpwnd_size_t>(pcb.snd_wnd_max, 2 * least_mss);
    pcb.cwnd = std::max<tcpwnd_size_t>(pcb.cwnd, pcb.mss);
}

// How many segments more, of that size, so many eighths of all have room for: connections that are closed hold some,
// too.
std::size_t fitting(unsigned eighths, std::size_t size) noexcept {
    auto segments = static_cast<std::ptrdiff_t>(MEMP_NUM_TCP_SEG * eighths / 8);
    auto bytes = static_cast<std::ptrdiff_t>(heap / 8 * eighths);
    for (const tcp_pcb* pcb = tcp_active_pcbs; pcb != nullptr; pcb = pcb->next) {
        const std::ptrdiff_t queued = tcp_sndqueuelen(pcb);
        segments -= queued;
        bytes -= queued * bytes_of_a_segment +
                 std::max<std::ptrdiff_t>(TCP_SND_BUF - static_cast<std::ptrdiff_t>(tcp_sndbuf(pcb)), 0);
    }
    if (segments <= 0 || bytes <= 0) return 0;
    return std::min(static_cast<std::size_t>(segments), static_cast<std::size_t>(bytes) / (size + bytes_of_a_segment));
}

// Of no bytes, where no connection has any queued.
constexpr std::size_t fitting_in_all =
    std::min<std::size_t>(MEMP_NUM_TCP_SEG, heap / 8 * 8 / std::size_t{bytes_of_a_segment});

// How many bytes more this one may queue.
std::size_t allowance(const tcp_pcb& pcb) noexcept {
    const unsigned queued = tcp_sndqueuelen(&pcb);
    const std::size_t size = size_of_segments(pcb);
    std::size_t segments = fitting(at_will, size);
    if (segments < little && queued < little) {
        segments = std::min<std::size_t>(little - queued, fitting(a_little_each, size));
        if (segments == 0) starved_at = tcp_ticks;
    }
    return segments * size;
}

// What poll() says and what send() does are the same.
bool has_room(const Sock& sock) noexcept {
    const tcp_pcb& pcb = *sock.tcp;
    const bool has_queue = tcp_sndbuf(&pcb) >= TCP_SNDLOWAT && tcp_sndqueuelen(&pcb) < TCP_SNDQUEUELOWAT;
    return has_queue && !sock.lacks_memory && allowance(pcb) != 0;
}

// Whether memory may be had back by its reset: its program has closed it and its peer takes nothing, or others are
// refused and it has taken nothing for long. `end`: whose is the earliest goes first.
bool may_go(const tcp_pcb& pcb, std::uint32_t& end) noexcept {
    if (pcb.poll == on_closing) {
        end = end_of(pcb);
        return takes_nothing(pcb);
    }
    if (pcb.poll != on_tick || tcp_sndqueuelen(&pcb) == 0) return false;
    const auto& sock = *static_cast<const Sock*>(pcb.callback_arg);
    end = sock.moved_at + std::uint32_t{USOCKET_LWIP_STUCK} * 1000;
    return somebody_starves() && until(end, sys_now()) <= 0;
}

// The peer sends nothing more: a segment does not fit.
bool is_almost_closed(const Sock& sock) noexcept { return sock.tcp != nullptr && sock.tcp->rcv_wnd < sock.tcp->mss; }

Error take_error(Sock& sock) noexcept { return Error(std::exchange(sock.error, 0)); }

void reset_pending(Sock& listener) noexcept {
    while (Sock* sock = std::exchange(listener.first_pending, nullptr)) {
        listener.first_pending = sock->next_pending;
        if (tcp_pcb* pcb = part(*sock)) tcp_abort(pcb);
        free_sock(*sock);
    }
}

}  // namespace

// --- Life

const ip_addr_t& any_ip(const Sock& sock) noexcept {
#if LWIP_IPV6
    if (sock.family == static_cast<std::uint8_t>(af_inet6)) return sock.v6only ? *IP6_ADDR_ANY : *IP_ANY_TYPE;
#endif
    (void)sock;
    return *IP4_ADDR_ANY;
}

Error need_tcp(Sock& sock) noexcept {
    if (sock.tcp != nullptr) return Error();
    tcp_pcb* pcb =
        tcp_new_ip_type(sock.family == static_cast<std::uint8_t>(af_inet) ? IPADDR_TYPE_V4 : IPADDR_TYPE_ANY);
    if (pcb == nullptr) return Error(ENOBUFS);
    own(sock, pcb);
    put_options(sock);
    if (!sock.bound) return Error();
    if (tcp_bind(pcb, &sock.local.ip, sock.local.port) == ERR_OK) return Error();
    tcp_abort(part(sock));
    return Error(EADDRINUSE);
}

// lwIP's timers cut segments.
void attend_tcp() noexcept {
    tcp_pcb* first = nullptr;
    std::uint32_t first_end = 0;
    for (tcp_pcb* pcb = tcp_active_pcbs; pcb != nullptr; pcb = pcb->next) {
        keep_sizes(*pcb);
        std::uint32_t end = 0;
        if (!may_go(*pcb, end) || (first != nullptr && until(end, first_end) >= 0)) continue;
        first = pcb;
        first_end = end;
    }
    if (first != nullptr && fitting(at_will, TCP_MSS) == 0) tcp_abort(first);
}

// Those that wait out their time, too.
void forget_closed_tcp() noexcept {
    for (tcp_pcb** list : {&tcp_active_pcbs, &tcp_tw_pcbs}) {
        for (tcp_pcb* pcb = *list; pcb != nullptr;) {
            tcp_pcb* next = pcb->next;
            if (pcb->poll == on_closing) tcp_abort(pcb);
            pcb = next;
        }
    }
}

// A connection whose bytes were not read is reset, as are those that nobody has accepted.
void end_tcp(Sock& sock) noexcept {
    reset_pending(sock);
    const bool aborts = sock.lingers && sock.linger_s == 0 && sock.state != State::listening;
    tcp_pcb* pcb = leave_alone(sock);
    if (pcb != nullptr && (aborts || tcp_close(pcb) != ERR_OK)) tcp_abort(pcb);
    sock.queue.drop(sock.queue.size());
}

void dissolve_tcp(Sock& sock) noexcept {
    reset_pending(sock);
    const bool was_listening = sock.state == State::listening;
    tcp_pcb* pcb = part(sock);
    if (pcb != nullptr) was_listening ? (void)tcp_close(pcb) : tcp_abort(pcb);
    sock.queue.drop(sock.queue.size());
    sock.state = State::fresh;
    leave_name(sock);
    sock.told = sock.eof = sock.no_read = sock.no_write = false;
    sock.error = 0;
    changed(sock);
}

// --- Connections

Error listen_tcp(Sock& sock, int backlog) noexcept {
    const auto most = static_cast<std::uint8_t>(std::clamp(backlog, 1, 255));
    if (sock.state == State::listening) {
        tcp_backlog_set(sock.tcp, most);
        return Error();
    }
    if (sock.state != State::fresh) return Error(EINVAL);
    if (const Error lacks = need_tcp(sock); lacks != Error()) return lacks;
    err_t error = ERR_OK;
    tcp_pcb* pcb = tcp_listen_with_backlog_and_err(sock.tcp, most, &error);
    if (pcb == nullptr) return error == ERR_MEM ? Error(ENOBUFS) : error_of(error);
    sock.tcp = pcb;
    sock.state = State::listening;
    tcp_setprio(pcb, half_open_prio);
    tcp_arg(pcb, &sock);
    tcp_accept(pcb, on_accept);
    changed(sock);
    return Error();
}

Sock* accept_tcp(Sock& sock) noexcept {
    Sock* first = sock.first_pending;
    if (first == nullptr) return nullptr;
    sock.first_pending = std::exchange(first->next_pending, nullptr);
    if (first->tcp != nullptr) tcp_backlog_accepted(first->tcp);
    return first;
}

Error connect_tcp(Sock& sock, const Endpoint& peer) noexcept {
    switch (sock.state) {
        case State::listening: return Error(EISCONN);
        case State::connecting: return Error(EALREADY);
        case State::connected: return std::exchange(sock.told, true) ? Error(EISCONN) : Error();
        case State::closed: {
            const Error error = take_error(sock);
            dissolve_tcp(sock);
            if (error != Error()) return error;
            break;  // its end has been told: another attempt
        }
        case State::fresh: break;
    }
    if (const Error error = need_tcp(sock); error != Error()) return error;
    // Nobody listens there, and lwIP would take it for no port.
    if (peer.port == 0) return Error(ECONNREFUSED);
    sock.state = State::connecting;
    sock.peer = peer;
    const err_t error = tcp_connect(sock.tcp, &peer.ip, peer.port, on_connected);
    if (error != ERR_OK) {
        sock.state = State::fresh;
        sock.peer = {};
        return error == ERR_MEM   ? Error(ENOBUFS)
               : error == ERR_BUF ? Error(EADDRNOTAVAIL)  // no port
                                  : error_of(error);
    }
    sock.bound = true;
    sock.local = {sock.tcp->local_ip, sock.tcp->local_port};
    return Error(EINPROGRESS);
}

// What goes on without a PCB is closed: a listener, an attempt.
Error shutdown_tcp(Sock& sock, bool reading, bool writing) noexcept {
    if (sock.state == State::listening) {
        if (reading) dissolve_tcp(sock);
        return Error();
    }
    if (sock.state == State::connecting) {
        dissolve_tcp(sock);
        return Error();
    }
    if (sock.state != State::connected) return Error(ENOTCONN);
    if (reading) sock.no_read = true;
    if (writing && !sock.no_write) {
        sock.no_write = true;
        if (sock.tcp != nullptr) {
            const err_t error = tcp_shutdown(sock.tcp, 0, 1);
            if (error != ERR_OK) return error_of(error);
        }
        part_if_over(sock);
        turn();
    }
    changed(sock);
    return Error();
}

unsigned ready_tcp(const Sock& sock) noexcept {
    switch (sock.state) {
        case State::fresh: return poll_out | poll_hup;
        case State::listening: return sock.first_pending != nullptr ? poll_in : 0;
        case State::connecting: return 0;
        case State::closed: return poll_in | poll_out | poll_hup | poll_rdhup | (sock.error != 0 ? poll_err : 0);
        case State::connected: break;
    }
    unsigned events = 0;
    const bool has_ended = sock.eof || sock.no_read;
    if (has_ended) events |= poll_in | poll_rdhup;
    if (sock.queue.size() >= sock.lowat || (sock.queue.size() != 0 && is_almost_closed(sock))) events |= poll_in;
    if (sock.no_write || sock.tcp == nullptr || has_room(sock)) events |= poll_out;
    if (has_ended && sock.no_write) events |= poll_hup;
    return events;
}

// --- Bytes

Result<std::size_t> receive_tcp(Sock& sock, MutableBuffer buffer, bool peeks) noexcept {
    if (sock.queue.size() != 0) {
        const std::size_t count = sock.queue.peek(buffer);
        if (!peeks) (void)drop_tcp(sock, count);
        return count;
    }
    switch (sock.state) {
        case State::fresh:
        case State::listening: return Error(ENOTCONN);
        case State::connecting: return Error(EAGAIN);
        case State::closed: {
            const Error error = take_error(sock);
            return error == Error() ? Result<std::size_t>(std::size_t{0}) : error;
        }
        case State::connected: break;
    }
    return sock.eof || sock.no_read ? Result<std::size_t>(std::size_t{0}) : Error(EAGAIN);
}

std::size_t drop_tcp(Sock& sock, std::size_t count) noexcept {
    count = std::min(count, sock.queue.size());
    sock.queue.drop(count);
    open_window(sock.tcp, count);
    return count;
}

// A piece that lwIP has no memory for is tried by halves. If nothing is on its way, of any connection, nothing will
// ever make room: ENOBUFS.
Result<std::size_t> write_tcp(Sock& sock, ConstBuffer data, bool more) noexcept {
    if (sock.error != 0) return take_error(sock);
    if (sock.state == State::connecting) return Error(EAGAIN);
    if (sock.state != State::connected || sock.no_write || sock.tcp == nullptr) return Error(EPIPE);
    keep_sizes(*sock.tcp);
    if (!has_room(sock)) return Error(EAGAIN);
    const std::size_t most = allowance(*sock.tcp);
    std::size_t done = 0;
    std::size_t piece = 0xffff;
    while (done != data.size()) {
        const std::size_t room = std::min<std::size_t>(tcp_sndbuf(sock.tcp), most - done);
        const std::size_t count = std::min({data.size() - done, room, piece});
        if (count == 0) break;
        const bool is_last = !more && done + count == data.size();
        const auto flags = static_cast<std::uint8_t>(TCP_WRITE_FLAG_COPY | (is_last ? 0 : TCP_WRITE_FLAG_MORE));
        const err_t error = tcp_write(sock.tcp, data.data() + done, static_cast<std::uint16_t>(count), flags);
        if (error == ERR_OK) {
            done += count;
        } else if (error == ERR_MEM) {
            piece = count / 2;
        } else {
            return error_of(error);
        }
    }
    if (done != 0 || data.size() == 0) return done;
    if (fitting(8, 0) == fitting_in_all) return Error(ENOBUFS);
    sock.lacks_memory = true;
    return Error(EAGAIN);
}

// What it has no memory for now, its timer sends.
void output_tcp(Sock& sock) noexcept {
    if (sock.tcp != nullptr && sock.state == State::connected) (void)tcp_output(sock.tcp);
    deliver();
}

}  // namespace usocket::sys
