// Socket: what it has for TLS. The rest of its methods know a Layer, and no more.
#include <cerrno>

#include "socket/aside.hpp"
#include "socket/inside.hpp"
#include "tls/session.hpp"
#include "usocket/tls.hpp"
#include "wait/held.hpp"

namespace usocket {

namespace {

// How often a call that is inside may be met before it is taken for one that waits; another wrap is not.
constexpr int patience = 100;

bool listens(sys::Fd fd) noexcept {
    int on = 0;
    return sys::getsockopt(fd, sys::sol_socket, sys::so_acceptconn, {&on, sizeof on}) && on != 0;
}

// What a receive says of it: of AF_UNIX EINVAL.
bool has_no_peer(Error error) noexcept { return error == Error(ENOTCONN) || error == Error(EINVAL); }

}  // namespace

// In two steps: TLS is put on the socket while nobody else is inside, and then agreed on with the peer.
Result<void> Socket::wrap(TlsContext& context, const TlsOptions& options, Call&& call) noexcept {
    if (context.context_ == nullptr) return Error(EINVAL);
    bool waits_for_connect = false;
    const Error added = add_layer(call, *context.context_, options, waits_for_connect);
    if (added != Error()) return added;
    return options.do_handshake && !waits_for_connect ? do_handshake(static_cast<Call&&>(call)) : Result<void>();
}

// Memory is found before anybody is alone: who waits until that is over may have the lock of the host's.
Error Socket::add_layer(Call& call, tls::Context& context, const TlsOptions& options,
                        bool& waits_for_connect) noexcept {
    const Held held;
    if (gate_.make_aside() == nullptr) return Error(ENOMEM);
    const auto made = tls::Session::open(*context.engine, {&context, &options}, gate_.fd(), true);
    Error added = add_made(options, made, waits_for_connect);
    for (int met = 0; added == Error(EAGAIN) || (added == Error(TlsFailure::in_use) && ++met <= patience);) {
        Blocking(call, timeout_, &gate_).step_aside();
        added = add_made(options, made, waits_for_connect);
    }
    if (added != Error() && made) static_cast<tls::Session*>(*made)->free();
    return added;
}

// Alone: who reads or sends now would go on beside TLS.
Error Socket::add_made(const TlsOptions& options, const Result<Layer*>& made, bool& waits_for_connect) noexcept {
    const Error error = gate_.enter_alone();
    if (error == Error(EBUSY)) {
        return Error(layer_of(gate_) != nullptr ? TlsFailure::wrapped_before : TlsFailure::in_use);
    }
    if (error != Error()) return error;
    const Error added = add_session(options, made, waits_for_connect);
    Aside* aside = added == Error() ? gate_.aside() : nullptr;
    const bool is_news = aside != nullptr && aside->note_waits(*layer_of(gate_));
    (void)gate_.leave_alone();
    if (is_news) aside->tell(gate_.closed());
    return added;
}

// Bytes that came before it must not pass for what TLS protects (STARTTLS: RFC 3207, section 6).
Error Socket::add_session(const TlsOptions& options, const Result<Layer*>& made, bool& waits_for_connect) noexcept {
    if (!is_stream()) return Error(TlsFailure::not_a_stream);
    if (layer_of(gate_) != nullptr) return Error(TlsFailure::wrapped_before);
    const auto peer = sys::getpeername(gate_.fd());
    const bool is_listener = !peer && listens(gate_.fd());
    if (is_listener && !options.server_side) return Error(TlsFailure::listener);
    const bool may_wait = proto() == IPPROTO_SEC || !options.do_handshake || is_listener;
    waits_for_connect = peer.error() == Error(ENOTCONN) && may_wait;
    // One that was reset has no peer any more. That, and what had come before, is for TLS, which fails with reason.
    const unsigned shown = peer ? 0 : sys::wait(gate_.fd(), sys::poll_in, Timeout::zero()).value_or(0u);
    if (!peer && !waits_for_connect && (shown & sys::poll_err) == 0) {
        std::uint8_t one = 0;
        const auto front = sys::recv(gate_.fd(), {&one, 1}, sys::msg_peek | sys::msg_dontwait);
        // A server's that has no peer may listen later.
        waits_for_connect = options.server_side && has_no_peer(front.error());
        if (!front && !waits_for_connect) return front.error() == Error(EAGAIN) ? peer.error() : front.error();
    }
    inbox_.forget_calls();
    if (Inbox::has_pending(gate_)) return Error(TlsFailure::unread);
    const bool hides_front =
        gate_.knows(Gate::peeks_elsewhere) || (gate_.exposed() && sys::peeks_at_offset(gate_.fd()));
    if (!made) return made.error();
    if (hides_front) static_cast<tls::Session*>(*made)->hide_front();
    if (is_listener) (*made)->waits_for = 0;
    sys::refuse_sendfile(gate_.fd());  // by others who ask for its number, it would go out in the clear
    gate_.aside()->layer.store(*made, std::memory_order_release);
    return Error();
}

Result<void> Socket::do_handshake(Call&& call) noexcept {
    return inside(call, [&]() noexcept -> Result<void> {
        Layer* layer = layer_of(gate_);
        return layer != nullptr ? establish(call, *layer) : Error(ENOTCONN);
    });
}

bool Socket::is_wrapped() const noexcept { return layer_of(gate_) != nullptr; }

// --- What was agreed on

namespace {

tls::Session& session_of(Layer& layer) noexcept { return static_cast<tls::Session&>(layer); }

}  // namespace

Result<void> Socket::tell(tls::Fact fact, Sink& into) noexcept {
    Call call;
    return inside(call, [&]() noexcept -> Result<void> {
        Layer* layer = layer_of(gate_);
        if (layer == nullptr) return Error(ENOTCONN);
        Blocking waiting(call, timeout_, &gate_);
        return session_of(*layer).tell(waiting, fact, into);
    });
}

Result<Bytes> Socket::told(tls::Fact fact) noexcept {
    Sink sink = Bytes::sink();
    const auto done = tell(fact, sink);
    Bytes bytes = Bytes::take(sink);
    if (!done) return done.error();
    return bytes;
}

Result<Bytes> Socket::version() noexcept { return told(tls::Fact::version); }
Result<Bytes> Socket::cipher() noexcept { return told(tls::Fact::cipher); }
Result<Bytes> Socket::selected_alpn_protocol() noexcept { return told(tls::Fact::protocol); }
Result<Bytes> Socket::getpeercert() noexcept { return told(tls::Fact::certificate); }
Result<Bytes> Socket::tls_session() noexcept { return told(tls::Fact::session); }

Result<bool> Socket::session_reused() noexcept {
    const auto flag = told(tls::Fact::is_resumed);
    if (!flag) return flag.error();
    return !flag->empty();
}

}  // namespace usocket
