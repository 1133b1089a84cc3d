// The engine `openssl`: one connection's state.
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "tls/openssl/common.hpp"

namespace usocket::tls::openssl {
namespace {

struct State {
    SSL* ssl = nullptr;
    Wire* wire = nullptr;
    Greeting greeting;
    bool is_established = false;
    bool was_asked = false;  // for a certificate, and has none
    bool may_hold_buffers = true;
    Error failure;
    Checks checks;
    unsigned char protocols[512];
    unsigned protocols_size = 0;
    unsigned char* shown = nullptr;  // the peer's certificate, as the session that is to be taken up has it
    std::size_t shown_size = 0;
};

State& of(void* state) noexcept { return *static_cast<State*>(state); }

// Of whatever called the library before. To clear an empty queue takes longer than to find it empty.
void forget_errors() noexcept {
    if (ERR_peek_error() != 0) ERR_clear_error();
}

// --- The wire, as OpenSSL sees it

int take_input(BIO* bio, char* into, int size) noexcept {
    State& state = of(BIO_get_data(bio));
    Wire& wire = *state.wire;
    BIO_clear_retry_flags(bio);
    const std::size_t count = std::min(wire.in.there().size(), static_cast<std::size_t>(size));
    if (count == 0) {
        if (wire.is_cut) return 0;
        BIO_set_retry_read(bio);
        return -1;
    }
    std::memcpy(into, wire.in.there().data(), count);
    state.greeting.take({into, count});
    wire.in.begin += count;
    return static_cast<int>(count);
}

int add_output(BIO* bio, const char* bytes, int size) noexcept {
    Wire& wire = *of(BIO_get_data(bio)).wire;
    BIO_clear_retry_flags(bio);
    const std::size_t count = wire.give(wire, {bytes, static_cast<std::size_t>(size)});
    if (count != 0) return static_cast<int>(count);
    BIO_set_retry_write(bio);
    return -1;
}

long control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) noexcept {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

// One for the program, for as long as it runs.
CRYPTO_ONCE wire_once = CRYPTO_ONCE_STATIC_INIT;
BIO_METHOD* the_wire_method = nullptr;

BIO_METHOD* wire_method() noexcept {
    (void)CRYPTO_THREAD_run_once(&wire_once, []() noexcept {
        BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "usocket wire");
        if (made == nullptr) return;
        BIO_meth_set_read(made, take_input);
        BIO_meth_set_write(made, add_output);
        BIO_meth_set_ctrl(made, control);
        the_wire_method = made;
    });
    return the_wire_method;
}

bool set_wire(State& state) noexcept {
    BIO* bio = wire_method() != nullptr ? BIO_new(wire_method()) : nullptr;
    if (bio == nullptr) return false;
    BIO_set_data(bio, &state);
    BIO_set_init(bio, 1);
    SSL_set_bio(state.ssl, bio, bio);
    return true;
}

// --- A connection begins

// Whether it may be a numeric address as inet_pton(3) takes it. OpenSSL takes more for one: signs, numbers that are too
// long, zeros in front, which others take for octal.
bool may_be_numeric(std::string_view name) noexcept {
    constexpr std::string_view longest = "255.255.255.255";
    if (name.find(':') != std::string_view::npos) return true;
    bool is_first = true;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (name[i] != '.' && (name[i] < '0' || name[i] > '9')) return false;
        if (is_first && name[i] == '0' && i + 1 < name.size() && name[i + 1] != '.') return false;
        is_first = name[i] == '.';
    }
    return name.size() <= longest.size();
}

// A numeric address is looked for among the certificate's addresses, and is not sent.
Error set_peer(SSL* ssl, std::string_view name) noexcept {
    PeerName peer;
    if (!peer.set(name)) return Error(TlsFailure::bad_hostname);
    if (may_be_numeric(peer.view()) && X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), peer.c_str()) == 1)
        return Error();
    forget_errors();
    // The subject's common name is no host name (RFC 9525, section 2).
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    const bool is_set = X509_VERIFY_PARAM_set1_host(SSL_get0_param(ssl), peer.c_str(), peer.view().size()) == 1 &&
                        SSL_set_tlsext_host_name(ssl, peer.c_str()) == 1;
    return is_set ? Error() : Error(ENOMEM);
}

bool make_checks(State& state, const OwnContext& context, const TlsOptions& options, CertReqs reqs) noexcept {
    const bool flags[] = {options.server_side, context.has_trusted, context.has_system};
    const auto demand = static_cast<std::uint8_t>(reqs);
    const ConstBuffer parts[] = {
        {&demand, 1}, {flags, sizeof flags}, {context.trusted, sizeof context.trusted}, options.server_hostname};
    return digest(parts, state.checks.bytes);
}

bool set_checks(State& state) noexcept {
    return SSL_set_session_id_context(state.ssl, state.checks.bytes, sizeof state.checks.bytes) == 1;
}

Error set_session(State& state, ConstBuffer session) noexcept {
    if (session.size() == 0) return Error();
    ConstBuffer certificate;
    SSL_SESSION* made = parse_session(session, certificate);
    unsigned size = 0;
    const unsigned char* checked = made != nullptr ? SSL_SESSION_get0_id_context(made, &size) : nullptr;
    const bool is_same = size == sizeof state.checks.bytes && std::memcmp(checked, state.checks.bytes, size) == 0;
    const bool is_set = made != nullptr && (!is_same || SSL_set_session(state.ssl, made) == 1);
    SSL_SESSION_free(made);
    forget_errors();
    if (!is_set) return Error(TlsFailure::bad_session);
    if (!is_same || certificate.size() == 0) return Error();
    state.shown = static_cast<unsigned char*>(OPENSSL_memdup(certificate.data(), certificate.size()));
    state.shown_size = certificate.size();
    return state.shown != nullptr ? Error() : Error(ENOMEM);
}

int verify_mode(CertReqs reqs, bool server_side) noexcept {
    if (reqs == CertReqs::none) return SSL_VERIFY_NONE;
    const bool is_required = server_side && reqs == CertReqs::required;
    return SSL_VERIFY_PEER | (is_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);
}

// The system's trusted issuers: when they are needed first, for there are many. Several threads may make connections.
void load_system(OwnContext& context) noexcept {
    if (CRYPTO_THREAD_write_lock(context.lock) != 1) return;
    if (!context.has_system) {
        context.has_system = SSL_CTX_set_default_verify_paths(context.ctx) == 1;
        const char* file = issuers_file.load(std::memory_order_acquire);
        const char* folder = issuers_folder.load(std::memory_order_acquire);
        if (file != nullptr) (void)SSL_CTX_load_verify_file(context.ctx, file);
        if (folder != nullptr) (void)SSL_CTX_load_verify_dir(context.ctx, folder);
    }
    CRYPTO_THREAD_unlock(context.lock);
    ERR_clear_error();
}

Error prepare(State& state, OwnContext& context, const TlsOptions& options) noexcept {
    SSL* ssl = state.ssl;
    const CertReqs reqs = context.demand.of(options.server_side);
    SSL_set_verify(ssl, verify_mode(reqs, options.server_side), nullptr);
    if (reqs != CertReqs::none && !context.has_trusted) load_system(context);
    if (SSL_set1_verify_cert_store(ssl, SSL_CTX_get_cert_store(context.ctx)) != 1) return Error(ENOMEM);
    if (!make_checks(state, context, options, reqs)) return Error(ENOMEM);
    if (!set_checks(state)) return Error(ENOMEM);
    if (context.chain != nullptr && !show_identity(ssl, context.chain, context.key)) return Error(ENOMEM);
    if (options.server_side) {
        if (context.chain == nullptr) return Error(TlsFailure::no_certificate);
        std::memcpy(state.protocols, context.protocols, context.protocols_size);
        state.protocols_size = static_cast<unsigned>(context.protocols_size);
        SSL_set_accept_state(ssl);
        return Error();
    }
    SSL_set_connect_state(ssl);
    const bool has_protocols = context.protocols_size != 0;
    const auto size = static_cast<unsigned>(context.protocols_size);
    if (has_protocols && SSL_set_alpn_protos(ssl, context.protocols, size) != 0) return Error(ENOMEM);
    if (options.server_hostname.empty()) {
        if (reqs != CertReqs::none) return Error(TlsFailure::no_hostname);
    } else if (const Error error = set_peer(ssl, options.server_hostname); error != Error()) {
        return error;
    }
    return set_session(state, options.session);
}

// As a server; what it shows and checks it has of another.
Error prepare_as(State& state, const State& another) noexcept {
    SSL* of = another.ssl;
    STACK_OF(X509)* chain = nullptr;
    X509_STORE* store = nullptr;
    SSL_set_verify(state.ssl, SSL_get_verify_mode(of), nullptr);
    state.checks = another.checks;
    const bool is_done =
        set_checks(state) && SSL_get0_verify_cert_store(of, &store) == 1 &&
        SSL_set1_verify_cert_store(state.ssl, store) == 1 && SSL_get0_chain_certs(of, &chain) == 1 &&
        SSL_use_cert_and_key(state.ssl, SSL_get_certificate(of), SSL_get_privatekey(of), chain, 1) == 1;
    if (!is_done) return Error(ENOMEM);
    std::memcpy(state.protocols, another.protocols, another.protocols_size);
    state.protocols_size = another.protocols_size;
    SSL_set_accept_state(state.ssl);
    return Error();
}

void close(void* state) noexcept {
    SSL_free(of(state).ssl);
    OPENSSL_free(of(state).shown);
    OPENSSL_free(state);
}

Result<void*> open(const Terms& terms, Wire& wire) noexcept {
    const State* another = static_cast<const State*>(terms.another);
    auto* context = static_cast<OwnContext*>(terms.context);
    void* memory = OPENSSL_malloc(sizeof(State));
    if (memory == nullptr) return Error(ENOMEM);
    auto* state = new (memory) State;
    state->wire = &wire;
    state->ssl = SSL_new(another != nullptr ? SSL_get_SSL_CTX(another->ssl) : context->ctx);
    const bool is_made = state->ssl != nullptr && set_wire(*state) && SSL_set_app_data(state->ssl, state) == 1;
    Error error(ENOMEM);
    if (is_made) error = another != nullptr ? prepare_as(*state, *another) : prepare(*state, *context, *terms.options);
    if (error == Error()) return memory;
    close(state);
    forget_errors();
    return error;
}

// --- It goes on

Step step_of(State& state, int returned) noexcept {
    if (returned > 0) return Step::done;
    switch (SSL_get_error(state.ssl, returned)) {
        case SSL_ERROR_WANT_READ: return Step::wants_input;
        case SSL_ERROR_WANT_WRITE: return Step::wants_output;
        case SSL_ERROR_ZERO_RETURN: return Step::ended;
        default: break;
    }
    state.failure = reason(state.ssl, {state.greeting.is_tls(), state.is_established, state.was_asked});
    return Step::failed;
}

// A close_notify in the middle of it ends no stream: there is none yet.
Step handshake(void* state) noexcept {
    forget_errors();
    const Step step = step_of(of(state), SSL_do_handshake(of(state).ssl));
    of(state).is_established = step == Step::done;
    if (step != Step::ended) return step;
    of(state).failure = Error(TlsFailure::alert);
    return Step::failed;
}

// Where libssl finds no memory in the middle of a record, it gives the connection up for good. So a trial comes first:
// for as much as a step takes, all together. Whoever reads may get a message of the handshake, as a ticket.
constexpr std::size_t memory_to_write = 20 * 1024;  // 17 KiB the record
constexpr std::size_t memory_to_read = 72 * 1024;   // 17 KiB the record, 47 such a message

bool has_memory(std::size_t size) noexcept {
    void* trial = OPENSSL_malloc(size);
    OPENSSL_free(trial);
    if (trial == nullptr) forget_errors();
    return trial != nullptr;
}

// The library would look through all of its layers to say so.
bool has_nothing(const State& state) noexcept {
    const bool is_empty = state.wire->in.empty() && !state.wire->is_cut && SSL_has_pending(state.ssl) == 0;
    return is_empty && SSL_in_init(state.ssl) == 0 && (SSL_get_shutdown(state.ssl) & SSL_RECEIVED_SHUTDOWN) == 0;
}

// Behind a record of the stream SSL_MODE_RELEASE_BUFFERS leaves no buffer; behind others it may leave two, of 17 KiB.
Step read(void* pointer, MutableBuffer room, std::size_t& count) noexcept {
    constexpr std::size_t around_a_record = 32;
    State& state = of(pointer);
    if (has_nothing(state)) {
        if (std::exchange(state.may_hold_buffers, false)) (void)SSL_free_buffers(state.ssl);
        return Step::wants_input;
    }
    if (!has_memory(memory_to_read)) return Step::lacks_memory;
    forget_errors();
    const std::size_t begin = state.wire->in.begin;
    std::uint8_t one = 0;
    const bool is_look = room.size() == 0;
    const int returned =
        is_look ? SSL_peek_ex(state.ssl, &one, 1, &count) : SSL_read_ex(state.ssl, room.data(), room.size(), &count);
    const bool is_one_record = !is_look && returned > 0 && state.wire->in.begin - begin <= count + around_a_record;
    state.may_hold_buffers = state.may_hold_buffers || !is_one_record;
    return step_of(state, returned);
}

Step write(void* state, ConstBuffer data, std::size_t& count) noexcept {
    if (!has_memory(memory_to_write)) return Step::lacks_memory;
    forget_errors();
    return step_of(of(state), SSL_write_ex(of(state).ssl, data.data(), data.size(), &count));
}

// 0: ours is made, the peer's has not come.
Step end(void* state) noexcept {
    if (!has_memory(memory_to_read)) return Step::lacks_memory;
    forget_errors();
    SSL* ssl = of(state).ssl;
    // In the middle of a message of the handshake, a ticket that has come in part, OpenSSL ends nothing.
    if (SSL_in_init(ssl) == 1) {
        std::uint8_t one = 0;
        std::size_t count = 0;
        const int peeked = SSL_peek_ex(ssl, &one, 1, &count);
        if (SSL_in_init(ssl) == 1) return step_of(of(state), peeked);
        ERR_clear_error();
    }
    const int returned = SSL_shutdown(ssl);
    return returned == 0 ? Step::done : step_of(of(state), returned);
}

Error failure(void* state) noexcept { return of(state).failure; }

// --- What was agreed on

// Of the session that was taken up, if one was.
ConstBuffer shown_before(const State& state) noexcept {
    return SSL_session_reused(state.ssl) == 1 ? ConstBuffer(state.shown, state.shown_size) : ConstBuffer();
}

Result<void> append_certificate(Sink& sink, const State& state) noexcept {
    const X509* shown = SSL_get0_peer_certificate(state.ssl);
    if (shown == nullptr) return append(sink, shown_before(state));
    const int size = i2d_X509(shown, nullptr);
    if (size <= 0 || !sink.reserve(static_cast<std::size_t>(size))) return Error(ENOMEM);
    unsigned char* into = sink.room().data();
    (void)i2d_X509(shown, &into);
    sink.set_size(sink.size() + static_cast<std::size_t>(size));
    return {};
}

Result<void> tell(void* state, Fact fact, Sink& into) noexcept {
    SSL* ssl = of(state).ssl;
    switch (fact) {
        case Fact::version: return append(into, std::string_view(SSL_get_version(ssl)));
        case Fact::cipher: return append(into, std::string_view(SSL_get_cipher_name(ssl)));
        case Fact::protocol: {
            const unsigned char* name = nullptr;
            unsigned size = 0;
            SSL_get0_alpn_selected(ssl, &name, &size);
            return append(into, {name, size});
        }
        case Fact::certificate: return append_certificate(into, of(state));
        case Fact::session: {
            SSL_SESSION* session = SSL_get0_session(ssl);
            const bool is_of_use = session != nullptr && SSL_SESSION_is_resumable(session) == 1;
            return is_of_use ? append_session(into, session, shown_before(of(state))) : Result<void>();
        }
        case Fact::is_resumed: return SSL_session_reused(ssl) == 1 ? append(into, "1") : Result<void>();
    }
    return Error(EINVAL);
}

}  // namespace

constinit std::atomic<const char*> issuers_file{nullptr};
constinit std::atomic<const char*> issuers_folder{nullptr};

const Engine engine = {open, close, handshake, read, write, end, failure, tell};

int note_lack(SSL* ssl, X509** /*certificate*/, EVP_PKEY** /*key*/) noexcept {
    of(SSL_get_app_data(ssl)).was_asked = true;
    return 0;
}

// As a server: the client's list is looked through for the best of ours.
int choose_protocol(SSL* ssl, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned offered_size, void* /*unused*/) noexcept {
    const State& state = of(SSL_get_app_data(ssl));
    if (state.protocols_size == 0) return SSL_TLSEXT_ERR_NOACK;
    unsigned char* found = nullptr;
    const int result =
        SSL_select_next_proto(&found, size, state.protocols, state.protocols_size, offered, offered_size);
    *chosen = found;
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace usocket::tls::openssl
