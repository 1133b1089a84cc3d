// Socket: a BSD socket that is also a stream (SOCK-1..8, TIME-1..6, STRM-1..6).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

#include "usocket/address.hpp"
#include "usocket/buffer.hpp"
#include "usocket/detail/gate.hpp"
#include "usocket/detail/inbox.hpp"
#include "usocket/host.hpp"
#include "usocket/message.hpp"
#include "usocket/result.hpp"
#include "usocket/timeout.hpp"

namespace usocket {

namespace tls {
struct Context;
enum class Fact : std::uint8_t;
}  // namespace tls

class Blocking;
struct Layer;
class Outbox;
class Poll;
class Reader;
class Socket;
class TlsContext;
struct TlsOptions;
struct Window;

// The WiPy's protocol number for a socket that TLS can be put on before it connects (NAME-3, TLS-2).
inline constexpr int IPPROTO_SEC = 100;

struct Accepted;
struct Received;
struct ReceivedFrom;
struct SocketPair;

// Move-only; the destructor closes. Methods may be called from several threads at once, close() included
// (SOCK-4); moving and destroying may not.
//
// A trailing `call` is for host languages; a C++ program leaves it out.
class USOCKET_API Socket {
public:
    // A closed socket.
    Socket() noexcept = default;
    Socket(Socket&& other) noexcept;
    Socket& operator=(Socket&& other) noexcept;
    ~Socket();

    // A new socket; without arguments AF_INET and SOCK_STREAM (SOCK-1). A type may carry SOCK_NONBLOCK.
    [[nodiscard]] static Result<Socket> open() noexcept;
    [[nodiscard]] static Result<Socket> open(int af, int type, int proto = 0) noexcept;
    // A connected pair; without arguments AF_UNIX and SOCK_STREAM.
    [[nodiscard]] static Result<SocketPair> pair() noexcept;
    [[nodiscard]] static Result<SocketPair> pair(int af, int type, int proto = 0) noexcept;
    // Takes over a descriptor that somebody else opened; family, type and proto are asked of the system.
    [[nodiscard]] static Result<Socket> adopt(int fd) noexcept;
    // The same three into closed sockets that the caller has already made; as they are if it fails.
    static Result<void> open_into(Socket& socket, int af, int type, int proto = 0) noexcept;
    static Result<void> pair_into(Socket& first, Socket& second, int af, int type, int proto = 0) noexcept;
    static Result<void> adopt_into(Socket& socket, int fd) noexcept;

    // Idempotent; ends the calls of other threads with EBADF (SOCK-3, SOCK-4).
    void close() noexcept;
    [[nodiscard]] bool closed() const noexcept;

    // --- Connections
    Result<void> bind(const Address& address) noexcept;
    // A negative backlog counts as 0. Without one: 128, or SOMAXCONN if that is lower.
    Result<void> listen() noexcept;
    Result<void> listen(int backlog) noexcept;
    // The connection is blocking, whatever this socket is. Where TLS is on this socket, it is on the connection, whose
    // handshake is made by the first call that needs it, or do_handshake().
    [[nodiscard]] Result<Accepted> accept(Call&& call = Call()) noexcept;
    // The same into a closed socket that the caller has already made.
    Result<Address> accept_into(Socket& conn, Call&& call = Call()) noexcept;
    // Non-blocking: EINPROGRESS, then poll for POLLOUT and ask for SO_ERROR.
    Result<void> connect(const Address& address, Call&& call = Call()) noexcept;
    // how: SHUT_RD, SHUT_WR or SHUT_RDWR. With TLS, waits until its end has gone out (close_notify).
    Result<void> shutdown(int how, Call&& call = Call()) noexcept;

    // --- Socket methods. Non-blocking: EAGAIN. flags: MSG_*. Sizes are in bytes, at most 2147483647.
    // How many bytes went out; may be fewer than there are.
    Result<std::size_t> send(ConstBuffer data, int flags = 0) noexcept;
    Result<std::size_t> send(ConstBuffer data, int flags, Call&& call) noexcept;
    Result<void> sendall(ConstBuffer data, int flags = 0, Call&& call = Call()) noexcept;
    Result<std::size_t> sendto(ConstBuffer data, const Address& to, int flags = 0) noexcept;
    Result<std::size_t> sendto(ConstBuffer data, const Address& to, int flags, Call&& call) noexcept;
    // At most `size` bytes; none: the peer has shut down.
    [[nodiscard]] Result<Bytes> recv(std::size_t size, int flags = 0) noexcept;
    [[nodiscard]] Result<Bytes> recv(std::size_t size, int flags, Call&& call) noexcept;
    Result<std::size_t> recv_into(MutableBuffer buffer, int flags = 0) noexcept;
    Result<std::size_t> recv_into(MutableBuffer buffer, int flags, Call&& call) noexcept;
    [[nodiscard]] Result<Received> recvfrom(std::size_t size, int flags = 0) noexcept;
    [[nodiscard]] Result<Received> recvfrom(std::size_t size, int flags, Call&& call) noexcept;
    Result<ReceivedFrom> recvfrom_into(MutableBuffer buffer, int flags = 0) noexcept;
    // The same with the sender put into `from`; returns the size. On TCP it is the peer. Empty if the system names
    // none, as with an AF_UNIX socket that is not bound, or a peer whose connection is gone.
    Result<std::size_t> recvfrom_into(MutableBuffer buffer, Address& from, int flags, Call&& call) noexcept;

    // --- Messages: several pieces, and ancillary data (SOCK-10)
    // send() of the pieces as one. `control`: ancillary data (AncillaryWriter); `to`: where to, or nullptr.
    Result<std::size_t> sendmsg(Gathered pieces, ConstBuffer control = {}, int flags = 0, const Address* to = nullptr,
                                Call&& call = Call()) noexcept;
    // recv() into the pieces, filled one after the other, and what came beside the data into `control`. Bytes that the
    // socket holds itself come first (TIME-6) and alone: what came beside them is gone. MSG_WAITALL holds where the
    // system itself waits, without a timeout.
    Result<ReceivedMessage> recvmsg_into(Scattered pieces, MutableBuffer control = {}, int flags = 0,
                                         Call&& call = Call()) noexcept;
    [[nodiscard]] Result<ReceivedMessage> recvmsg(MutableBuffer buffer, MutableBuffer control = {}, int flags = 0,
                                                  Call&& call = Call()) noexcept {
        return recvmsg_into(Scattered(&buffer, 1), control, flags, static_cast<Call&&>(call));
    }
    // Sends `count` bytes of a file from `offset` on, or to its end: all of them when blocking, else what the system
    // takes, or EAGAIN. Without copying where the system can. The file's own position stays as it is. `sent`: how many
    // went out, also where the call fails. EINVAL: not a regular file.
    static constexpr std::size_t whole_file = SIZE_MAX;
    Result<std::size_t> sendfile(int file, std::uint64_t offset = 0, std::size_t count = whole_file) noexcept;
    Result<std::size_t> sendfile(int file, std::uint64_t offset, std::size_t count, std::size_t& sent,
                                 Call&& call = Call()) noexcept;

#if !defined(USOCKET_SMALL)
    // Moves `count` bytes of this stream, or all to its end, into another one, as a proxy does; without copying where
    // the system can and neither is wrapped. Returns how many: fewer only at the end, which `to` is not told
    // (shutdown()), or when non-blocking, where it takes a count lest a fast peer keep it busy. What could not be sent
    // is next in line here (TIME-6); where `to` has no room nothing is taken in the first place. This socket's timeout
    // and `call` are for all of it; EAGAIN: this one has nothing, or `to` no room. To close either ends it. `moved`:
    // how many went out, also where it fails, whichever socket is to blame. `to` may be this socket. EINVAL: one keeps
    // message boundaries. Not for a call with a Host: EOPNOTSUPP.
    Result<std::size_t> splice(Socket& to, std::size_t count = SIZE_MAX) noexcept;
    Result<std::size_t> splice(Socket& to, std::size_t count, std::size_t& moved, Call&& call = Call()) noexcept;
#endif

    // --- Stream methods. No short reads and writes when blocking. Non-blocking: what there was, or EAGAIN if
    // nothing moved at all. A call that fails loses nothing of what it had received (TIME-6). On a socket that
    // keeps message boundaries a read ends with the message.
    // Without a size: to EOF.
    [[nodiscard]] Result<Bytes> read(Call&& call = Call()) noexcept;
    [[nodiscard]] Result<Bytes> read(std::size_t size, Call&& call = Call()) noexcept;
    Result<std::size_t> readinto(MutableBuffer buffer, Call&& call = Call()) noexcept;
    // Through the next "\n", or `limit` bytes, or to EOF, whichever comes first.
    static constexpr std::size_t no_limit = SIZE_MAX;
    [[nodiscard]] Result<Bytes> readline(Call&& call = Call()) noexcept;
    [[nodiscard]] Result<Bytes> readline(std::size_t limit, Call&& call = Call()) noexcept;
    // The same into the caller's memory, whose size is the limit; returns the line's length.
    Result<std::size_t> readline_into(MutableBuffer buffer) noexcept;
    Result<std::size_t> readline_into(MutableBuffer buffer, Call&& call) noexcept;
    Result<std::size_t> write(ConstBuffer data, Call&& call = Call()) noexcept;
    // `sent`: how many bytes went out, also where the call fails (TIME-10).
    Result<std::size_t> write(ConstBuffer data, std::size_t& sent, Call&& call = Call()) noexcept;
    // The same into a host's memory. `limit` for read_to(): no_limit is to EOF.
    Result<void> read_to(Sink& sink, std::size_t limit, Call&& call = Call()) noexcept;
    Result<void> readline_to(Sink& sink, std::size_t limit, Call&& call = Call()) noexcept;

    // --- TLS (usocket/tls.hpp). Afterwards all methods work as before, on what TLS carries (TLS-3). A context that
    // another connection is being made from may not be changed meanwhile. What ends a handshake, ends the connection.
    //
    // A socket of IPPROTO_SEC may be wrapped before it connects: connect() then does the handshake too (TLS-2). Any
    // other has to be connected, or on its way to be if the handshake is put off. Non-blocking: EAGAIN once wrapped but
    // not through; go on with do_handshake(). While the handshake goes on, each call goes on with it first.
    //
    // One that listens, or will, may be wrapped with server_side: the connections that accept() returns have TLS.
    Result<void> wrap(TlsContext& context, const TlsOptions& options, Call&& call = Call()) noexcept;
    Result<void> do_handshake(Call&& call = Call()) noexcept;
    // TLS has been put on it, whether the handshake is through or not.
    [[nodiscard]] bool is_wrapped() const noexcept;
    // "TLSv1.2" or "TLSv1.3"; the cipher suite's name; the protocol that ALPN chose, empty if none. Before the end of
    // the handshake: ENOTCONN.
    [[nodiscard]] Result<Bytes> version() noexcept;
    [[nodiscard]] Result<Bytes> cipher() noexcept;
    [[nodiscard]] Result<Bytes> selected_alpn_protocol() noexcept;
    // The peer's certificate, in DER; empty if it has shown none.
    [[nodiscard]] Result<Bytes> getpeercert() noexcept;
    // What TlsOptions::session of a later connection to the same peer takes. Empty: there is none (yet; with TLS 1.3
    // it comes with what is read). Keep it secret.
    [[nodiscard]] Result<Bytes> tls_session() noexcept;
    // That connection took one up.
    [[nodiscard]] Result<bool> session_reused() noexcept;
    // Any of these, into memory of a host's; session_reused() is a byte or none.
    Result<void> tell(tls::Fact fact, Sink& into) noexcept;

    // --- Options
    // Timeout::none() blocks, Timeout::zero() does not; not while another thread is in a call (TIME-1).
    Result<void> settimeout(Timeout timeout) noexcept;
    [[nodiscard]] Timeout gettimeout() const noexcept { return timeout_; }
    Result<void> setblocking(bool blocking) noexcept;
    [[nodiscard]] bool getblocking() const noexcept { return !timeout_.is_zero(); }
    Result<void> setsockopt(int level, int name, int value) noexcept;
    Result<void> setsockopt(int level, int name, ConstBuffer value) noexcept;
    // A struct (linger, timeval, ip_mreqn, ...), or with its type named any value that is not an int:
    // setsockopt<std::uint64_t>(SOL_SOCKET, SO_MAX_PACING_RATE, 1'000'000).
    template <class T>
        requires(std::is_class_v<T> && std::is_trivially_copyable_v<T> && !std::is_convertible_v<const T&, ConstBuffer>)
    Result<void> setsockopt(int level, int name, const T& value) noexcept {
        return setsockopt(level, name, ConstBuffer(&value, sizeof value));
    }
    template <class T>
        requires(std::is_scalar_v<T> && !std::is_pointer_v<T>)
    Result<void> setsockopt(int level, int name, std::type_identity_t<T> value) noexcept {
        return setsockopt(level, name, ConstBuffer(&value, sizeof value));
    }
    [[nodiscard]] Result<int> getsockopt(int level, int name) const noexcept;
    // Returns the option's length.
    Result<std::size_t> getsockopt(int level, int name, MutableBuffer value) const noexcept;
    // getsockopt<tcp_info>(IPPROTO_TCP, TCP_INFO): what the system leaves out is zero.
    template <class T>
        requires std::is_trivially_copyable_v<T>
    [[nodiscard]] Result<T> getsockopt(int level, int name) const noexcept {
        T value{};
        const auto size = getsockopt(level, name, MutableBuffer(&value, sizeof value));
        if (!size) return size.error();
        return value;
    }
    // Joins or leaves a multicast group on an interface, given by its number (if_nametoindex(3)); 0: that of the
    // address's scopeid, else the system's choice. Only AF_INET and AF_INET6: else Fault::address_family.
    Result<void> join_group(const Address& group, std::uint32_t interface = 0) noexcept;
    Result<void> leave_group(const Address& group, std::uint32_t interface = 0) noexcept;

    // --- What it is
    [[nodiscard]] Result<Address> getsockname() const noexcept;
    [[nodiscard]] Result<Address> getpeername() const noexcept;
    // -1 if closed. Whoever asks may use the descriptor: from now on nothing handed out stays in the system's
    // queue, and readline() costs three system calls a line (STRM-5).
    [[nodiscard]] int fileno() noexcept;
    // Gives the descriptor away and leaves the socket closed; EBUSY while another thread is in a call, or while
    // received bytes are kept back (TIME-6), which the descriptor's next holder would miss.
    Result<int> detach() noexcept;
    // A second socket on the same connection, with the same timeout.
    [[nodiscard]] Result<Socket> dup() noexcept;
    // The same into a closed socket that the caller has already made.
    Result<void> dup_into(Socket& copy) noexcept;
    [[nodiscard]] int family() const noexcept { return family_; }
    [[nodiscard]] int type() const noexcept { return kind_ >> 12; }
    [[nodiscard]] int proto() const noexcept {
        const int proto = kind_ & proto_mask;
        return proto != proto_mask ? proto : large_proto();
    }
    // Bytes that the socket holds itself (TIME-6): there is something to read, whatever the system says.
    [[nodiscard]] bool has_kept() const noexcept;
    // Which of `events` (POLLIN, POLLOUT) are there now, kept bytes included (POLL-5), and POLLERR, POLLHUP; a closed
    // socket: POLLNVAL. For a host whose own poll asks one stream after the other.
    [[nodiscard]] unsigned poll_now(unsigned events) noexcept;
    // "fd=3, family=2, type=1, proto=6, timeout=None, laddr=('127.0.0.1', 80), raddr=..." into `text`, without a NUL;
    // returns its length, at most text.size(). For a repr.
    std::size_t describe(MutableBuffer text) const noexcept;

    // For a host that unwinds: after a longjmp out of a method that was given `call`.
    void unwound(Call& call) noexcept;
    // For a host with a collector: a word of its own, null at first. The socket leads to it, and of what the library
    // has nothing else does, so that what it points to lives as long as the socket. nullptr: there is none yet, since
    // the socket has never been registered in a Poll.
    [[nodiscard]] void** host_word() noexcept;

private:
    friend class Poll;  // watches it

    static constexpr int proto_mask = 0xfff;  // all of it: the protocol is larger, as those of AF_PACKET are
    [[nodiscard]] int large_proto() const noexcept;
    USOCKET_LOCAL Socket(int fd, int family, int type, int proto) noexcept;
    template <class Opened> USOCKET_LOCAL void become(const Opened& opened, int proto) noexcept;
    USOCKET_LOCAL void become_like(const Socket& other, int fd) noexcept;
    USOCKET_LOCAL Result<void> checked(int proto) noexcept;
    USOCKET_LOCAL void take(Socket& other) noexcept;
    USOCKET_LOCAL void destroy() noexcept;
    USOCKET_LOCAL void release() noexcept;
    USOCKET_LOCAL void end_calls(Gate::Shut shut) noexcept;
    USOCKET_LOCAL void expose() noexcept;
    USOCKET_LOCAL Result<void> keep_nonblocking() noexcept;
    USOCKET_LOCAL Result<Address> name_by(Result<Address> (*ask)(int fd) noexcept) const noexcept;
    USOCKET_LOCAL Result<void> connect_layer(Call& call, Layer& layer, const Address& address) noexcept;
    USOCKET_LOCAL Result<void> establish(Call& call, Layer& layer) noexcept;
    USOCKET_LOCAL Result<void> put_on(const Layer& listener) noexcept;
    USOCKET_LOCAL bool look() noexcept;
    USOCKET_LOCAL Error add_layer(Call& call, tls::Context& context, const TlsOptions& options,
                                  bool& waits_for_connect) noexcept;
    USOCKET_LOCAL Error add_made(const TlsOptions& options, const Result<Layer*>& made,
                                 bool& waits_for_connect) noexcept;
    USOCKET_LOCAL Error add_session(const TlsOptions& options, const Result<Layer*>& made,
                                    bool& waits_for_connect) noexcept;
    USOCKET_LOCAL Result<Bytes> told(tls::Fact fact) noexcept;
    USOCKET_LOCAL Result<void> connect_inside(Call& call, const Address& address) noexcept;
    USOCKET_LOCAL Result<void> connect_once(Blocking& blocking, const Address& address) noexcept;
    USOCKET_LOCAL [[nodiscard]] bool is_connected() const noexcept;
    USOCKET_LOCAL Aside* attempt_shared() noexcept;
    USOCKET_LOCAL Error finish_connect(Blocking& blocking, const Address& address) noexcept;

    // Every method runs inside the gate.
    static bool is_alone(const Call& call) noexcept;
    USOCKET_LOCAL Error enter() noexcept;
    USOCKET_LOCAL Error enter(Call& call) noexcept;
    USOCKET_LOCAL Error leave(Error error) noexcept;
    USOCKET_LOCAL Error leave(Call& call, Error error) noexcept;
    template <class Body> auto inside(Call& call, Body body) noexcept -> decltype(body());
    template <class Body> auto inside(Body body) noexcept -> decltype(body());
    template <class Body> auto inside(Body body) const noexcept -> decltype(body());
    template <class Body> auto inside_with_others(Call& call, Body body) noexcept -> decltype(body());
    template <class Send> Result<std::size_t> sending(Call& call, int flags, const Address* to, Send send) noexcept;
    [[nodiscard]] static bool is_given_up(const Call& call) noexcept;
    Error last_look(Call& call, Sink& got) noexcept;
    USOCKET_LOCAL Error unread(Call& call, Sink& got) noexcept;
    USOCKET_LOCAL Error unread_scattered(Call& call, Scattered pieces, std::size_t size) noexcept;

    // The short ways of a program with one thread.
    template <class Once, class Whole>
    auto at_once(unsigned events, bool is_usual, Once once, const Whole& whole) noexcept -> Result<std::size_t>;
    template <class Whole> auto go_on(Error error, unsigned events, const Whole& whole) noexcept -> Result<std::size_t>;
    [[nodiscard]] bool is_plain() const noexcept;
    [[nodiscard]] Window* window_at_hand(const Host* host) const noexcept;
    [[nodiscard]] Layer* layer_at_hand(const Host* host) const noexcept;
    template <class Take> std::size_t take_at_hand(const Host* host, Take take) noexcept;
    std::size_t copy_line(const Host* host, MutableBuffer buffer) noexcept;

    USOCKET_LOCAL Result<void> read_inside(Call& call, Sink& sink, std::size_t limit, bool is_line) noexcept;
    USOCKET_LOCAL Result<std::size_t> receive_inside(Call& call, MutableBuffer buffer, int flags,
                                                     Address* from) noexcept;
    USOCKET_LOCAL Reader reader(Call& call) noexcept;
    USOCKET_LOCAL Outbox outbox(Call& call) noexcept;
    USOCKET_LOCAL [[nodiscard]] bool is_stream() const noexcept;
    USOCKET_LOCAL [[nodiscard]] bool is_tcp() const noexcept;
    USOCKET_LOCAL void name_sender(Address& from) const noexcept;

    mutable Gate gate_;  // who asks something is counted in
    Timeout timeout_{};
    [[no_unique_address]] Inbox inbox_;
    std::uint8_t family_ = 0;
    std::uint16_t kind_ = 0;  // type and protocol
};

// What accept() returns: the connection, and who it is with.
struct Accepted {
    Socket socket;
    Address address;
};

// What recvfrom() returns: the bytes, and who sent them.
struct Received {
    Bytes bytes;
    Address address;
};

// What recvfrom_into() returns: how many bytes, and who sent them.
struct ReceivedFrom {
    std::size_t size = 0;
    Address address;
};

// Two sockets that are connected to one another.
struct SocketPair {
    Socket first;
    Socket second;
};

// The reference's constructor.
[[nodiscard]] inline Result<Socket> socket() noexcept { return Socket::open(); }
[[nodiscard]] inline Result<Socket> socket(int af, int type, int proto = 0) noexcept {
    return Socket::open(af, type, proto);
}
[[nodiscard]] inline Result<SocketPair> socketpair() noexcept { return Socket::pair(); }
[[nodiscard]] inline Result<SocketPair> socketpair(int af, int type, int proto = 0) noexcept {
    return Socket::pair(af, type, proto);
}

}  // namespace usocket
