// usocket.h: contexts of TLS. Stands in the library that has an engine for it, not in the core.
#include "c/convert.hpp"
#include "usocket/tls.hpp"

using namespace usocket;
using namespace usocket::c_face;

namespace {

static_assert(static_cast<int>(CertReqs::none) == USOCKET_CERT_NONE &&
              static_cast<int>(CertReqs::required) == USOCKET_CERT_REQUIRED);

// Steps that a longjmp must not leave halfway. Held is the core's own, which this library is not part of.
class HeldOutside {
public:
    HeldOutside() noexcept { usocket_host_hold_signals(); }
    ~HeldOutside() { usocket_host_release_signals(); }
    HeldOutside(const HeldOutside&) = delete;
    HeldOutside& operator=(const HeldOutside&) = delete;
};

TlsContext& cxx(usocket_context_t* context) noexcept { return opened<TlsContext>(context); }

}  // namespace

usocket_error_t usocket_context_init(usocket_context_t* context) {
    const HeldOutside held;
    context->state = nullptr;
    auto made = TlsContext::make();
    if (made) new (&cxx(context)) TlsContext(std::move(*made));
    return c(made);
}

// What is left is one that a finaliser may be called for once more.
void usocket_context_destroy(usocket_context_t* context) {
    const HeldOutside held;
    cxx(context).~TlsContext();
    context->state = nullptr;
}

usocket_error_t usocket_context_set_cert_key(usocket_context_t* context, usocket_bytes_t cert, usocket_bytes_t key) {
    const HeldOutside held;
    return c(cxx(context).set_cert_key(c_face::cxx(cert), c_face::cxx(key)));
}

usocket_error_t usocket_context_load_verify_locations(usocket_context_t* context, usocket_bytes_t certificates) {
    const HeldOutside held;
    return c(cxx(context).load_verify_locations(c_face::cxx(certificates)));
}

usocket_error_t usocket_context_set_cert_reqs(usocket_context_t* context, int reqs) {
    if (reqs < USOCKET_CERT_NONE || reqs > USOCKET_CERT_REQUIRED) return c(Error(EINVAL));
    const HeldOutside held;
    return c(cxx(context).set_cert_reqs(static_cast<CertReqs>(reqs)));
}

usocket_error_t usocket_context_set_alpn_protocols(usocket_context_t* context, usocket_bytes_t names) {
    const HeldOutside held;
    return c(cxx(context).set_alpn_protocols(text(names)));
}
