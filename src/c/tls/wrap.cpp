// usocket.h: what a socket has for TLS.
#include "c/convert.hpp"
#include "tls/engine.hpp"
#include "usocket/tls.hpp"
#include "wait/held.hpp"

using namespace usocket;
using namespace usocket::c_face;

static_assert(static_cast<int>(tls::Fact::version) == USOCKET_TLS_VERSION &&
              static_cast<int>(tls::Fact::cipher) == USOCKET_TLS_CIPHER &&
              static_cast<int>(tls::Fact::protocol) == USOCKET_TLS_PROTOCOL &&
              static_cast<int>(tls::Fact::certificate) == USOCKET_TLS_CERTIFICATE &&
              static_cast<int>(tls::Fact::session) == USOCKET_TLS_SESSION &&
              static_cast<int>(tls::Fact::is_resumed) == USOCKET_TLS_IS_RESUMED);

usocket_error_t usocket_wrap(usocket_socket_t* socket, usocket_context_t* context, const usocket_tls_options_t* options,
                             usocket_call_t* call) {
    const TlsOptions wanted{.server_side = options->server_side,
                            .server_hostname = text(options->server_hostname),
                            .do_handshake = options->do_handshake,
                            .session = cxx(options->session)};
    return c(cxx(socket).wrap(opened<TlsContext>(context), wanted, Given(call)));
}

usocket_error_t usocket_do_handshake(usocket_socket_t* socket, usocket_call_t* call) {
    return c(cxx(socket).do_handshake(Given(call)));
}

usocket_error_t usocket_tell(usocket_socket_t* socket, int fact, usocket_sink_t* into) {
    const Held held;
    return c(cxx(socket).tell(static_cast<tls::Fact>(fact), cxx(into)));
}
