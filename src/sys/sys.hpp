// The seam: all that a network stack has to supply. One folder beside this file per stack, chosen by the build.
//
// Nothing here retries, waits longer than it is told to, or keeps state: EINTR and EAGAIN come back as errors
// (EWOULDBLOCK always as EAGAIN). No function throws. "MSG_*" flags are the system's own.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "usocket/address.hpp"
#include "usocket/buffer.hpp"
#include "usocket/host.hpp"
#include "usocket/message.hpp"
#include "usocket/resolver.hpp"
#include "usocket/result.hpp"
#include "usocket/timeout.hpp"

namespace usocket::sys {

using Fd = int;
inline constexpr Fd no_fd = -1;

// --- Names that the core needs without the system's headers
extern const int msg_trunc, msg_errqueue, msg_fastopen;    // 0: there is none
extern const int so_peek_off, so_reuseport, so_oobinline;  // -1: there is none
extern const int sock_seqpacket;                           // -1: there is none
extern const int default_backlog;
extern const bool has_af_unix;         // false: no socket is of it
extern const bool has_large_protos;    // false: no protocol has more than 12 bits
extern const bool calls_sleep;         // false: none of its calls does, as if every descriptor were non-blocking
extern const std::size_t most_pieces;  // of one message
// NAME(what the core calls it, what the headers of every stack call it): a stack defines them by USOCKET_DEFINE_NAME.
#define USOCKET_NAMES(NAME) \
    NAME(af_unspec, AF_UNSPEC) \
    NAME(af_inet, AF_INET) \
    NAME(af_inet6, AF_INET6) \
    NAME(af_unix, AF_UNIX) \
    NAME(sock_stream, SOCK_STREAM) \
    NAME(ipproto_tcp, IPPROTO_TCP) \
    NAME(ipproto_ipv6, IPPROTO_IPV6) \
    NAME(shut_rd, SHUT_RD) \
    NAME(shut_rdwr, SHUT_RDWR) \
    NAME(msg_peek, MSG_PEEK) \
    NAME(msg_dontwait, MSG_DONTWAIT) \
    NAME(msg_waitall, MSG_WAITALL) \
    NAME(msg_oob, MSG_OOB) \
    NAME(sol_socket, SOL_SOCKET) \
    NAME(so_error, SO_ERROR) \
    NAME(so_acceptconn, SO_ACCEPTCONN) \
    NAME(so_rcvlowat, SO_RCVLOWAT) \
    NAME(so_reuseaddr, SO_REUSEADDR) \
    NAME(ipv6_v6only, IPV6_V6ONLY) \
    NAME(ai_passive, AI_PASSIVE)
// NOLINTBEGIN(bugprone-macro-parentheses): a declarator
#define USOCKET_DECLARE_NAME(name, native) extern const int name;
#define USOCKET_DEFINE_NAME(name, native) const int name = (native);
// NOLINTEND(bugprone-macro-parentheses)
USOCKET_NAMES(USOCKET_DECLARE_NAME)
extern const unsigned poll_in, poll_out, poll_err, poll_hup, poll_nval, poll_rdhup;

// --- Sockets
struct Opened {
    Fd fd = no_fd;
    int family = 0;
    int type = 0;
    int proto = 0;
    bool nonblocking = false;  // its type asked for that (SOCK_NONBLOCK)
};
struct OpenedPair {
    Opened first, second;
};
// Close-on-exec, and without SIGPIPE for what is sent on it (SOCK-2). The proto of the result is what the system chose.
Result<Opened> open(int family, int type, int proto) noexcept;
Result<OpenedPair> open_pair(int family, int type, int proto) noexcept;
// Nothing about a descriptor that somebody else opened is known before this; close-on-exec after it. ENOTSOCK, EBADF.
Result<Opened> inspect(Fd fd) noexcept;
Result<Fd> duplicate(Fd fd) noexcept;
void close(Fd fd) noexcept;
Result<void> set_nonblocking(Fd fd, bool nonblocking) noexcept;
bool is_nonblocking(Fd fd) noexcept;
// From now on no sendfile() and no splice() of anybody puts bytes into it, where the system can refuse that. What a
// program writes still gets through.
void refuse_sendfile(Fd fd) noexcept;
// Whether shutdown() ends the calls that sleep on a socket of this family.
bool knows_shutdown(int family) noexcept;

Result<void> bind(Fd fd, const Address& address) noexcept;
Result<void> listen(Fd fd, int backlog) noexcept;
// The new descriptor is blocking and close-on-exec.
Result<Fd> accept(Fd fd, Address& peer) noexcept;
Result<void> connect(Fd fd, const Address& address) noexcept;
Result<void> shutdown(Fd fd, int how) noexcept;

Result<std::size_t> recv(Fd fd, MutableBuffer buffer, int flags) noexcept;
Result<std::size_t> recvfrom(Fd fd, MutableBuffer buffer, int flags, Address& from) noexcept;
// recv that says how many bytes it took in the note too, which is right even if a signal handler longjmps out of it.
Result<std::size_t> recv_noted(Fd fd, MutableBuffer buffer, int flags, ReceiveNote& note) noexcept;
std::size_t noted(const ReceiveNote& note) noexcept;
// Drops up to scratch.size() bytes, which are there, off a stream's queue without waiting.
Result<std::size_t> discard(Fd fd, MutableBuffer scratch, bool is_tcp) noexcept;
Result<std::size_t> send(Fd fd, ConstBuffer data, int flags) noexcept;
Result<std::size_t> sendto(Fd fd, ConstBuffer data, int flags, const Address& to) noexcept;

// `to`: nullptr is the peer.
Result<std::size_t> sendmsg(Fd fd, Gathered pieces, ConstBuffer control, int flags, const Address* to) noexcept;
// Descriptors that come with it are close-on-exec.
Result<ReceivedMessage> recvmsg(Fd fd, Scattered pieces, MutableBuffer control, int flags) noexcept;
// EINVAL: not a regular file.
Result<void> check_file(Fd file) noexcept;
// What a regular file has there; 0 at its end.
Result<std::size_t> read_file(Fd file, std::uint64_t offset, MutableBuffer room) noexcept;
// A part of a regular file, without SIGPIPE; 0 at its end. `waits`: false is MSG_DONTWAIT.
Result<std::size_t> sendfile(Fd fd, Fd file, std::uint64_t offset, std::size_t count, bool waits) noexcept;

// --- A conduit: through it bytes of one stream's queue get into another stream without being copied. Empty between
// calls.
struct Conduit {
    Fd in = no_fd, out = no_fd;
    [[nodiscard]] bool is_open() const noexcept { return in != no_fd; }
};
// For `size` bytes, about. An error: there is none.
Result<Conduit> conduit_open(std::size_t size) noexcept;
void conduit_close(const Conduit& conduit) noexcept;
// At most `count` bytes into an empty one; 0 or EAGAIN: there are none, or an urgent mark is in the way, or the stream
// has ended. Of a descriptor that is non-blocking, or has something. EINVAL: not from this kind of socket.
Result<std::size_t> conduit_take(const Conduit& conduit, Fd from, std::size_t count) noexcept;
// Out of it into a stream whose descriptor is non-blocking, without SIGPIPE. EINVAL: not into this kind.
Result<std::size_t> conduit_pass(const Conduit& conduit, Fd to, std::size_t count) noexcept;
// What is in it, into memory; returns how much.
std::size_t conduit_recover(const Conduit& conduit, MutableBuffer room) noexcept;

// --- Ancillary data in control memory. Sizes that cannot be counted: 0.
std::size_t ancillary_space(std::size_t data_size) noexcept;
std::size_t ancillary_length(std::size_t data_size) noexcept;
// Into memory of ancillary_space() bytes.
void ancillary_put(std::uint8_t* memory, const Ancillary& item) noexcept;
// The item at a position, which moves behind it. False: there is none.
bool ancillary_get(ConstBuffer control, std::size_t& position, Ancillary& item) noexcept;
// Those that have been received, for nobody.
void close_descriptors(ConstBuffer control) noexcept;

Result<void> setsockopt(Fd fd, int level, int name, ConstBuffer value) noexcept;
Result<std::size_t> getsockopt(Fd fd, int level, int name, MutableBuffer value) noexcept;
// SO_RCVTIMEO for poll_in, SO_SNDTIMEO for poll_out, as the user has set it; none if he has not.
Timeout descriptor_timeout(Fd fd, unsigned events) noexcept;
// It is one of these two, by any of its names.
bool is_timeout_option(int level, int name) noexcept;
// SO_PEEK_OFF is set.
bool peeks_at_offset(Fd fd) noexcept;
Result<Address> getsockname(Fd fd) noexcept;
Result<Address> getpeername(Fd fd) noexcept;

// --- Time and waiting
// Nanoseconds of a clock that never goes back; not 0.
std::int64_t now() noexcept;
// Until one of `events` (poll_*) or an error condition; returns what there is, 0 on timeout. no_fd: just sleeps. A bell
// beside it ends the wait as well.
Result<unsigned> wait(Fd fd, unsigned events, Timeout timeout, Fd bell = no_fd) noexcept;
// A bell ends the waits that watch it, once it was rung; freed by close().
Result<Fd> bell_open() noexcept;
void bell_ring(Fd bell) noexcept;
// Until the word is not `value` any more and wake_word() was called, or for no reason at all.
Result<void> sleep_on_word(const std::atomic<std::uint32_t>& word, std::uint32_t value, Timeout timeout) noexcept;
void wake_word(const std::atomic<std::uint32_t>& word) noexcept;

// --- A receive queue that grows: a descriptor of its own, freed by close(), that becomes readable each time when
// something new arrives at `fd`, or the end, whatever is there already; at first it is. An error: there is no such
// thing.
Result<Fd> growth_open(Fd fd) noexcept;
// Until the next time. True: nothing more will come.
bool growth_take(Fd growth) noexcept;
// How many bytes are in a stream's receive queue, at least; at an urgent mark that may be 0.
Result<std::size_t> queued(Fd fd) noexcept;
// Whether there is more in it than the `shown` bytes that a peek has shown, with room for more, or queued() has
// counted: these end where the system ends every receive, at an urgent mark or beside what came with some of the bytes.
// has_mark: an urgent mark is known to stand behind them, unless it has been reached meanwhile.
bool holds_more(Fd fd, std::size_t shown, bool has_mark) noexcept;
// Whether something is in the queue of a stream, not TCP's, and nothing urgent: an urgent byte that no peek shows is
// one of the others once the peer sends another.
bool holds_nothing_urgent(Fd fd) noexcept;
// Whether the peer cannot send more before something is taken off the queue.
// tight: it can send so little that it may not.
enum class Fullness : std::uint8_t { roomy, tight, full, unknown };
Fullness queue_fullness(Fd fd) noexcept;

// --- Many at once
struct PollerEvent {
    Fd fd;                     // no_fd: not an event, but the bell
    std::uint32_t generation;  // as it was told with the descriptor
    unsigned events;           // poll_nval: the number is no longer the file's that was added
};
// What a wait has found, in the stack's own form, so that nothing is copied before it is wanted.
struct PollerEvents {
    static constexpr std::size_t room = 256;
    std::size_t count = 0;
    alignas(std::uint64_t) unsigned char native[room * 16];  // uninitialised
};
// For the masks below: not even errors.
inline constexpr unsigned poll_nothing = 0x80000000;
// Its memory and its descriptors come and go apart: the latter under a lock, under which nothing may ask for memory,
// as a host that collects its garbage for that closes sockets and polls.
struct Poller;
Poller* poller_make() noexcept;  // nullptr: no memory
// For one poller_add() more, which had none, unless another thread has got it meanwhile; false: there is none.
bool poller_provide(Poller* poller) noexcept;
void poller_destroy(Poller* poller) noexcept;  // once it is closed
// Opens it, or opens it anew: takes everything out, also what lives on under no number; waits that go on hear the bell.
// In a child of fork (is_inherited) the parent's is left alone. Whoever rings meanwhile does no harm.
Error poller_open(Poller* poller, bool is_inherited) noexcept;
void poller_close(Poller* poller) noexcept;
// EPERM: the descriptor is always ready (a regular file). ENOMEM: maybe poller_provide() helps.
Result<void> poller_add(Poller* poller, Fd fd, unsigned events, std::uint32_t generation) noexcept;
// ENOENT, EBADF: the number is not the file's that was added.
Result<void> poller_change(Poller* poller, Fd fd, unsigned events, std::uint32_t generation) noexcept;
void poller_remove(Poller* poller, Fd fd) noexcept;
// At most `most` events, and as many as there is room for; none on timeout. The bell may come besides.
Error poller_wait(Poller* poller, PollerEvents& found, std::size_t most, Timeout timeout) noexcept;
PollerEvent poller_event(const PollerEvents& found, std::size_t index) noexcept;
// To be called before a wait that the bell may have to end.
Result<void> poller_arm(Poller* poller) noexcept;
// The bell ends every wait from now on, until it is hushed. From any thread or signal handler; leaves errno alone. No
// bell yet: nothing.
void poller_ring(Poller* poller) noexcept;
void poller_hush(Poller* poller) noexcept;

// --- Addresses: what only the stack's headers know
Result<PackedAddress> parse_ip(int family, std::string_view text) noexcept;
Address::Text format_ip(int family, ConstBuffer packed) noexcept;
// Of an interface's number or name, as it stands behind a % in an address; 0: there is none such.
std::uint32_t zone_index(std::string_view text) noexcept;
Address make_inet(int family, const PackedAddress& ip, std::uint16_t port, std::uint32_t flowinfo,
                  std::uint32_t scopeid) noexcept;
Result<Address> make_unix(std::string_view path) noexcept;
// The family and nothing else.
Address make_other(int family) noexcept;
int address_family(const Address& address) noexcept;
// The least that an address of this family holds; what its fields are.
std::size_t address_min_size(int family) noexcept;
// The most, once normalised: less than Address::max_size only for AF_UNIX, of a path as long as make_unix() takes.
std::size_t address_max_size(int family) noexcept;
std::uint16_t address_port(const Address& address) noexcept;
std::uint32_t address_flowinfo(const Address& address) noexcept;
std::uint32_t address_scopeid(const Address& address) noexcept;
ConstBuffer address_payload(const Address& address) noexcept;
// The socket option that joins or leaves a multicast group. interface: its number; 0: the system's choice.
struct GroupOption {
    int level = 0, name = 0;
    std::size_t size = 0;
    alignas(8) unsigned char bytes[Address::max_size + 8];
};
GroupOption group_option(const Address& group, std::uint32_t interface, bool joins) noexcept;
// Zero padding, no NUL behind a path: one endpoint, one spelling.
std::size_t address_normalise(std::uint8_t* bytes, std::size_t size) noexcept;

// --- Resolving
struct Query {
    const char* host = nullptr;     // NUL-terminated; nullptr: none
    const char* service = nullptr;  // likewise
    int family = 0, type = 0, proto = 0, flags = 0;
};
// Numeric hosts only, without waiting. EAI_NONAME: not numeric.
Result<void*> resolve_numeric(const Query& query) noexcept;
// In the background: ready_fd becomes readable once it has ended. The query's strings are copied.
struct Lookup;
Result<Lookup*> lookup_start(const Query& query) noexcept;
Fd lookup_ready_fd(const Lookup* lookup) noexcept;
// Only once it is ready; frees the lookup.
Result<void*> lookup_finish(Lookup* lookup) noexcept;
// At any time: forgets it. What it finds is freed by itself.
void lookup_cancel(Lookup* lookup) noexcept;
void resolved_free(void* list) noexcept;
// One node of the list; sets `next` to the one behind it or nullptr.
AddressInfo resolved_entry(const void* node, const void*& next) noexcept;
bool is_name_unknown(Error error) noexcept;  // EAI_NONAME

// --- Processes. A child of fork shares every descriptor with its parent.
// How often this process has forked or been forked, saturated at 255.
std::uint32_t forks() noexcept;
// Which process this is: differs between a child and its parent.
std::uint32_t process_generation() noexcept;
// What to do before a fork, step by step, and after it in both processes, the other way round.
constexpr std::size_t fork_steps = 3;
void on_fork(std::size_t step, void (*before)(), void (*after)()) noexcept;
void yield_thread() noexcept;
// Not 0 while the process has one thread alone; 0 where the system does not tell.
extern const char* const single_threaded;
#if defined(USOCKET_ONE_THREAD)
// There never is another.
inline constexpr bool has_threads = false;
constexpr bool is_only_thread() noexcept { return true; }
#elif defined(USOCKET_SMALL)
// What is shorter for one thread alone costs code that a small device has better uses for.
inline constexpr bool has_threads = true;
constexpr bool is_only_thread() noexcept { return false; }
#else
inline constexpr bool has_threads = true;
inline bool is_only_thread() noexcept { return *single_threaded != 0; }
#endif

// --- Signals whose handler longjmps out of calls (Host::unwinds). Between these two they wait; pairs may be nested.
void hold_signals() noexcept;
void release_signals() noexcept;

// --- A thread that another one cancels. Between these two that waits; the first returns what the second is to be
// given.
int hold_cancellation() noexcept;
void release_cancellation(int before) noexcept;

// --- Memory of the core's own: nullptr if there is none. resize(p, 0) frees and returns nullptr.
void* resize(void* memory, std::size_t size) noexcept;

// --- Messages
const char* error_message(int code) noexcept;     // positive errno
const char* resolver_message(int code) noexcept;  // negative EAI_*

}  // namespace usocket::sys
