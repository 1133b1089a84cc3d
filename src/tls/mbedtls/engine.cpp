// The engine `mbedtls`: one connection's state.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "tls/mbedtls/common.hpp"

namespace usocket::tls::mbedtls {
namespace {

// What the connections of one listener share.
struct Agreed : Lent {
    CertReqs reqs = CertReqs::none;
    Checks checks;
};

struct State : Agreed {
    State() noexcept {
        mbedtls_ssl_init(&ssl);
        mbedtls_ssl_config_init(&conf);
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
        forget_name();
        mbedtls_ssl_free(&ssl);
        mbedtls_ssl_config_free(&conf);
    }
    // Of no use after the handshake.
    void forget_name() noexcept {
        verdict.name = {};
        if (name != nullptr) destroy(name);
        name = nullptr;
    }

    mbedtls_ssl_config conf;
    mbedtls_ssl_context ssl;
    Wire* wire = nullptr;
    Verdict verdict;
    Circumstances around;
    PeerName* name = nullptr;
    Error failure;
    std::uint64_t said = 0;  // what the wire had been given before the library's last step
    bool is_full = false;    // a handshake with certificates, not a session that was taken up
};

State& of(void* state) noexcept { return *static_cast<State*>(state); }

// --- The wire, as the library sees it

int take_input(void* context, unsigned char* into, std::size_t size) noexcept {
    State& state = of(context);
    Pipe& in = state.wire->in;
    const std::size_t count = std::min(in.there().size(), size);
    if (count == 0) return MBEDTLS_ERR_SSL_WANT_READ;
    std::memcpy(into, in.there().data(), count);
    state.around.greeting.take({into, count});
    in.begin += count;
    return static_cast<int>(count);
}

// Records in the clear, {type, 3, version, size, size}: an alert {level, description}, and the certificate that we do
// not have, {11, 0, 0, 3, 0, 0, 0}, which is sent to whom asks for one.
void note(State& state, const unsigned char* bytes, std::size_t size) noexcept {
    if (size == 7 && bytes[0] == 21 && bytes[4] == 2) state.around.alert_out = bytes[6];
    if (size == 12 && bytes[0] == 22 && bytes[5] == 11) state.around.was_asked = true;
}

int add_output(void* context, const unsigned char* bytes, std::size_t size) noexcept {
    State& state = of(context);
    note(state, bytes, size);
    const std::size_t count = state.wire->give(*state.wire, {bytes, size});
    return count != 0 ? static_cast<int>(count) : MBEDTLS_ERR_SSL_WANT_WRITE;
}

// --- A connection begins

void set_versions(mbedtls_ssl_config& conf) noexcept {
#if MBEDTLS_VERSION_NUMBER >= 0x03020000
    mbedtls_ssl_conf_min_tls_version(&conf, MBEDTLS_SSL_VERSION_TLS1_2);
#else
    mbedtls_ssl_conf_min_version(&conf, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
#endif
}

int auth_mode(CertReqs reqs, bool server_side) noexcept {
    if (reqs == CertReqs::none) return MBEDTLS_SSL_VERIFY_NONE;
    return server_side && reqs == CertReqs::optional ? MBEDTLS_SSL_VERIFY_OPTIONAL : MBEDTLS_SSL_VERIFY_REQUIRED;
}

// A numeric address is not sent. The library has a look of its own at the name, which does not count (verify.cpp).
Error set_peer(State& state, std::string_view name) noexcept {
    state.name = make<PeerName>();
    if (state.name == nullptr) return Error(ENOMEM);
    if (!state.name->set(name)) return Error(TlsFailure::bad_hostname);
    state.verdict.name = state.name->view();
    const char* sent = numeric(state.name->view()).size == 0 ? state.name->c_str() : nullptr;
    const int code = mbedtls_ssl_set_hostname(&state.ssl, sent);
    if (code == 0) return Error();
    return is_out_of_memory(code) ? Error(ENOMEM) : Error(TlsFailure::bad_hostname);
}

bool make_checks(State& state, const TlsOptions& options) noexcept {
    const auto demand = static_cast<std::uint8_t>(state.reqs);
    const ConstBuffer issuers =
        state.trusted ? ConstBuffer(state.trusted->digest, sizeof state.trusted->digest) : ConstBuffer();
    const ConstBuffer parts[] = {{&demand, 1}, issuers, options.server_hostname};
    return digest(parts, state.checks.bytes);
}

Error set_session(State& state, ConstBuffer session) noexcept {
    if (session.size() == 0) return Error();
    const std::size_t checks_size = sizeof state.checks.bytes;
    if (!Seal::take(session, digest) || session.size() < checks_size) return Error(TlsFailure::bad_session);
    mbedtls_ssl_session made;
    mbedtls_ssl_session_init(&made);
    const ConstBuffer packed = session.from(checks_size);
    int code = mbedtls_ssl_session_load(&made, packed.data(), packed.size());
    const bool is_same = std::memcmp(session.data(), state.checks.bytes, checks_size) == 0;
    if (code == 0 && is_same) code = mbedtls_ssl_set_session(&state.ssl, &made);
    mbedtls_ssl_session_free(&made);
    if (is_out_of_memory(code)) return Error(ENOMEM);
    return code == 0 ? Error() : Error(TlsFailure::bad_session);
}

Error set_tickets(State& state, OwnContext& context) noexcept {
#if USOCKET_TLS_TICKETS
    constexpr std::uint32_t lifetime = 86400;  // seconds
    const Locked locked(handshakes);
    if (!context.tickets) {
        auto made = Shared<Tickets>::made();
        if (!made) return Error(ENOMEM);
        const int code =
            mbedtls_ssl_ticket_setup(&made->context, random::get, nullptr, MBEDTLS_CIPHER_AES_256_GCM, lifetime);
        if (code != 0) return Error(ENOMEM);
        context.tickets = std::move(made);
    }
    state.tickets = context.tickets;
#else
    (void)state;
    (void)context;
#endif
    return Error();
}

Error set_protocols(State& state) noexcept {
#if defined(MBEDTLS_SSL_ALPN)
    if (state.protocols && mbedtls_ssl_conf_alpn_protocols(&state.conf, state.protocols->names) != 0) {
        return Error(TlsFailure::bad_protocols);
    }
#else
    (void)state;
#endif
    return Error();
}

Error configure(State& state, bool server_side) noexcept {
    mbedtls_ssl_config& conf = state.conf;
    const int side = server_side ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT;
    if (mbedtls_ssl_config_defaults(&conf, side, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) != 0) {
        return Error(ENOMEM);
    }
    set_versions(conf);
    mbedtls_ssl_conf_rng(&conf, random::get, nullptr);
    mbedtls_ssl_conf_authmode(&conf, auth_mode(state.reqs, server_side));
    mbedtls_ssl_conf_cert_profile(&conf, &strong);
    mbedtls_ssl_conf_verify(&conf, Verdict::look_at, &state.verdict);
    state.verdict.is_servers = !server_side;
    state.verdict.is_final = state.reqs == CertReqs::optional;
    if (state.trusted) {
        state.verdict.trusted = &state.trusted->issuers;
        mbedtls_ssl_conf_ca_chain(&conf, &state.trusted->issuers, nullptr);
    }
#if defined(MBEDTLS_SSL_PROTO_TLS1_3) && defined(MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED) && \
    defined(MBEDTLS_SSL_SESSION_TICKETS)
    mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(&conf,
                                                             MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#endif
#if USOCKET_TLS_TICKETS
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
    // They hold no certificate, by which a server that asks for one knows its client.
    if (server_side && state.reqs != CertReqs::none) mbedtls_ssl_conf_new_session_tickets(&conf, 0);
#endif
    if (state.tickets) {
        mbedtls_ssl_conf_session_tickets_cb(&conf, mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse,
                                            &state.tickets->context);
    }
#endif
    if (!state.identity) return Error();
    const int code = mbedtls_ssl_conf_own_cert(&conf, &state.identity->chain, &state.identity->key);
    return code == 0 ? Error() : Error(ENOMEM);
}

// The buffers of records. A server's are made once the client has said something.
bool has_buffers(State& state) noexcept {
    return state.ssl.conf != nullptr || mbedtls_ssl_setup(&state.ssl, &state.conf) == 0;
}

Error agree(State& state, OwnContext& context, const TlsOptions& options) noexcept {
    state.reqs = context.demand.of(options.server_side);
    if (options.server_side && !context.identity) return Error(TlsFailure::no_certificate);
    const bool has_name = options.server_side || !options.server_hostname.empty();
    if (!has_name && state.reqs != CertReqs::none) return Error(TlsFailure::no_hostname);
    state.identity = context.identity;
    state.trusted = context.trusted;
    state.protocols = context.protocols;
    if (!make_checks(state, options)) return Error(ENOMEM);
    return options.server_side ? set_tickets(state, context) : Error();
}

Error prepare(State& state, const Terms& terms) noexcept {
    const bool is_server = terms.another != nullptr || terms.options->server_side;
    if (const Error error = random::prepare(); error != Error()) return error;
    if (terms.another != nullptr) {
        static_cast<Agreed&>(state) = *static_cast<const State*>(terms.another);
    } else if (const Error error = agree(state, static_cast<OwnContext&>(*terms.context), *terms.options);
               error != Error()) {
        return error;
    }
    if (const Error error = configure(state, is_server); error != Error()) return error;
    if (const Error error = set_protocols(state); error != Error()) return error;
    mbedtls_ssl_set_bio(&state.ssl, &state, add_output, take_input, nullptr);
    if (is_server) return Error();
    const TlsOptions& options = *terms.options;
    if (!has_buffers(state)) return Error(ENOMEM);
    if (options.server_hostname.empty()) {
        if (mbedtls_ssl_set_hostname(&state.ssl, nullptr) != 0) return Error(ENOMEM);
    } else if (const Error error = set_peer(state, options.server_hostname); error != Error()) {
        return error;
    }
    return set_session(state, options.session);
}

void close(void* state) noexcept { destroy(&of(state)); }

Result<void*> open(const Terms& terms, Wire& wire) noexcept {
    auto* state = make<State>();
    if (state == nullptr) return Error(ENOMEM);
    state->wire = &wire;
    const Error error = prepare(*state, terms);
    if (error == Error()) return static_cast<void*>(state);
    close(state);
    return error;
}

// --- It goes on

// A ticket for a later session: nothing to do, and nothing to wait for.
bool is_notice(int code) noexcept {
#if defined(MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
    return code == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET;
#else
    (void)code;
    return false;
#endif
}

// What the peer is told where the library leaves it without a word.
unsigned char last_word(const State& state, int code) noexcept {
    constexpr unsigned char certificate_required = 116;
    const bool has_word = std::strcmp(mbedtls_ssl_get_version(&state.ssl), "TLSv1.3") == 0;
    if (state.failure == Error(ENOMEM)) return MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR;
    if (code == MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE && has_word) return certificate_required;
    return state.around.is_established ? MBEDTLS_SSL_ALERT_MSG_DECODE_ERROR : MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE;
}

// What the library says where memory has run out, and it has forgotten about that on its way.
bool may_be_for_memory(Error failure) noexcept {
    switch (failure.tls_failure()) {
        case TlsFailure::certificate_issuer:
        case TlsFailure::certificate_bad:
        case TlsFailure::nothing_in_common:
        case TlsFailure::not_tls:
        case TlsFailure::failed: return true;
        default: return false;
    }
}

// TLS 1.3: a client that refuses a server may have no keys yet to say so with, as OpenSSL's. The library takes that for
// a record that is not right.
bool is_alert_in_the_clear(const State& state, int code) noexcept {
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
    constexpr unsigned char size[] = {0, 2};
    const mbedtls_ssl_context& ssl = state.ssl;
    const bool may_be = code == MBEDTLS_ERR_SSL_INVALID_MAC && !state.around.is_established;
    return may_be && ssl.tls_version == MBEDTLS_SSL_VERSION_TLS1_3 && ssl.in_hdr[0] == MBEDTLS_SSL_MSG_ALERT &&
           std::memcmp(ssl.in_len, size, sizeof size) == 0;
#else
    (void)state;
    (void)code;
    return false;
#endif
}

Step fail(State& state, int code) noexcept {
    // What the library finds out by itself, after all else: that the peer's key is not for what the suite does with it.
    constexpr std::uint32_t wrong_use = MBEDTLS_X509_BADCERT_KEY_USAGE;
    const mbedtls_ssl_session* begun = state.ssl.session_negotiate;
    if (begun != nullptr && begun->verify_result == wrong_use) state.verdict.flags |= wrong_use;
    if (is_alert_in_the_clear(state, code)) code = MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE;
    state.around.alert_in = state.ssl.in_msg != nullptr ? state.ssl.in_msg[1] : 0;
    state.failure = reason(code, state.verdict, state.around);
    const bool is_answer = code == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE || code == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY;
    if (!is_answer && may_be_for_memory(state.failure) && !has_memory()) state.failure = Error(ENOMEM);
    if (!is_answer && state.around.greeting.is_tls() && state.wire->given == state.said) {
        (void)mbedtls_ssl_send_alert_message(&state.ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL, last_word(state, code));
    }
    return Step::failed;
}

Step step_of(State& state, int code) noexcept {
    switch (code) {
        case MBEDTLS_ERR_SSL_WANT_READ: return Step::wants_input;
        case MBEDTLS_ERR_SSL_WANT_WRITE: return Step::wants_output;
        case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY: return state.around.is_established ? Step::ended : fail(state, code);
        default: return fail(state, code);
    }
}

// At the beginning of a step.
State& begin(void* pointer) noexcept {
    State& state = of(pointer);
    state.said = state.wire->given;
    return state;
}

// TLS 1.3: the keys under which an alert goes out in the step to come. The library (3.6) changes them with the next of
// its messages, which is too late for an alert: a peer could not read why it is refused (RFC 8446, section 7.1).
void choose_keys(mbedtls_ssl_context& ssl) noexcept {
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
    if (ssl.tls_version != MBEDTLS_SSL_VERSION_TLS1_3) return;
    mbedtls_ssl_transform* keys = ssl.transform_out;
    const bool is_server = ssl.conf->endpoint == MBEDTLS_SSL_IS_SERVER;
    switch (ssl.state) {
        // A server that has sent its last message.
        case MBEDTLS_SSL_CLIENT_CERTIFICATE:
        case MBEDTLS_SSL_CLIENT_CERTIFICATE_VERIFY:
        case MBEDTLS_SSL_CLIENT_FINISHED:
            if (is_server) keys = ssl.transform_application;
            break;
        // A client, which reads under the keys of the handshake, and has sent nothing under them yet.
        case MBEDTLS_SSL_ENCRYPTED_EXTENSIONS:
        case MBEDTLS_SSL_CERTIFICATE_REQUEST:
        case MBEDTLS_SSL_SERVER_CERTIFICATE:
        case MBEDTLS_SSL_CERTIFICATE_VERIFY:
        case MBEDTLS_SSL_SERVER_FINISHED:
            if (!is_server) keys = ssl.transform_in;
            break;
        // What it sends now has to be in the clear.
        case MBEDTLS_SSL_CLIENT_CCS_AFTER_SERVER_FINISHED: keys = nullptr; break;
        default: break;
    }
    if (keys == ssl.transform_out) return;
    ssl.transform_out = keys;
    std::memset(ssl.cur_out_ctr, 0, sizeof ssl.cur_out_ctr);
#else
    (void)ssl;
#endif
}

// The peer has proved that it has the key to its certificate, of which only the bytes are looked at from now on.
void forget_peers_key(const mbedtls_ssl_context& ssl) noexcept {
#if defined(MBEDTLS_SSL_KEEP_PEER_CERTIFICATE)
    mbedtls_x509_crt* one = ssl.session != nullptr ? ssl.session->peer_cert : nullptr;
    for (; one != nullptr; one = one->next) mbedtls_pk_free(&one->pk);
#else
    (void)ssl;
#endif
}

Step handshake(void* pointer) noexcept {
    State& state = begin(pointer);
    if (!has_buffers(state)) return Step::lacks_memory;
    const Locked locked(handshakes);
    while (state.ssl.state != MBEDTLS_SSL_HANDSHAKE_OVER) {
        if (state.ssl.state == MBEDTLS_SSL_SERVER_CERTIFICATE) state.is_full = true;
        choose_keys(state.ssl);
        state.said = state.wire->given;
        const int code = mbedtls_ssl_handshake_step(&state.ssl);
        if (code == 0 || is_notice(code)) continue;
        return step_of(state, code);
    }
    state.around.is_established = true;
    state.forget_name();
    forget_peers_key(state.ssl);
    return Step::done;
}

// The library would begin with the next record to say so.
bool has_nothing(const State& state) noexcept {
    return state.wire->in.empty() && mbedtls_ssl_check_pending(&state.ssl) == 0;
}

// An answer for which there was no room: the library has it still, and would take it for the next record that it is to
// send, which it would say is sent. So this one sends no alert.
Step send_owed(State& state) noexcept {
    if (state.ssl.out_left == 0) return Step::done;
    const int code =
        mbedtls_ssl_send_alert_message(&state.ssl, MBEDTLS_SSL_ALERT_LEVEL_WARNING, MBEDTLS_SSL_ALERT_MSG_CLOSE_NOTIFY);
    return code == 0 ? Step::done : step_of(state, code);
}

Step read(void* pointer, MutableBuffer room, std::size_t& count) noexcept {
    State& state = begin(pointer);
    (void)send_owed(state);
    if (has_nothing(state)) return Step::wants_input;
    for (;;) {
        unsigned char none = 0;
        const bool has_room = room.size() != 0;
        const int code = mbedtls_ssl_read(&state.ssl, has_room ? room.data() : &none, room.size());
        // 0 of a record that has nothing in it, too.
        if (code > 0 || (code == 0 && mbedtls_ssl_get_bytes_avail(&state.ssl) != 0)) {
            count = static_cast<std::size_t>(code);
            return Step::done;
        }
        // What the library passes over, as a wish to negotiate anew, is not all that there is. Where there is no room
        // for its answer, it goes on all the same.
        const bool is_passed_over = code == 0 || code == MBEDTLS_ERR_SSL_WANT_READ;
        const bool has_more = code == MBEDTLS_ERR_SSL_WANT_WRITE || (is_passed_over && !state.wire->in.empty());
        if (!has_more && !is_notice(code)) return is_passed_over ? Step::wants_input : step_of(state, code);
    }
}

// Whether a record for so much would be on its way at once.
bool has_room(const State& state, std::size_t size) noexcept {
    const int payload = mbedtls_ssl_get_max_out_record_payload(&state.ssl);
    const int overhead = mbedtls_ssl_get_record_expansion(&state.ssl);
    if (payload < 0 || overhead < 0) return false;
    return state.wire->out.room().size() >=
           std::min(size, static_cast<std::size_t>(payload)) + static_cast<std::size_t>(overhead);
}

// A peer may have asked for small records: as many as there is room for.
Step write(void* pointer, ConstBuffer data, std::size_t& count) noexcept {
    State& state = begin(pointer);
    count = 0;
    if (const Step owed = send_owed(state); owed != Step::done) return owed;
    while (count < data.size() && (count == 0 || has_room(state, data.size() - count))) {
        const int code = mbedtls_ssl_write(&state.ssl, data.data() + count, data.size() - count);
        if (code > 0) {
            count += static_cast<std::size_t>(code);
        } else if (!is_notice(code)) {
            return step_of(state, code);
        }
    }
    return Step::done;
}

Step end(void* pointer) noexcept {
    State& state = begin(pointer);
    if (const Step owed = send_owed(state); owed != Step::done) return owed;
    const int code = mbedtls_ssl_close_notify(&state.ssl);
    return code == 0 ? Step::done : step_of(state, code);
}

Error failure(void* state) noexcept { return of(state).failure; }

// --- What was agreed on

// By its registered name (IANA): the library writes TLS1-3-AES-256-GCM-SHA384, TLS-ECDHE-RSA-WITH-...
Result<void> append_cipher(Sink& sink, std::string_view name) noexcept {
    constexpr std::string_view newer = "TLS1-3-";
    if (name.starts_with(newer)) {
        if (const auto done = append(sink, "TLS_"); !done) return done;
        name.remove_prefix(newer.size());
    }
    const std::size_t begin = sink.size();
    if (const auto done = append(sink, name); !done) return done;
    std::replace(sink.data() + begin, sink.data() + sink.size(), std::uint8_t{'-'}, std::uint8_t{'_'});
    return {};
}

Result<void> append_certificate(Sink& sink, const State& state) noexcept {
#if defined(MBEDTLS_SSL_KEEP_PEER_CERTIFICATE)
    const mbedtls_x509_crt* peer = mbedtls_ssl_get_peer_cert(&state.ssl);
    return peer != nullptr ? append(sink, {peer->raw.p, peer->raw.len}) : Result<void>();
#else
    (void)sink;
    (void)state;
    return Error(EOPNOTSUPP);
#endif
}

bool is_of_use(const mbedtls_ssl_session* session) noexcept {
    if (session == nullptr) return false;
    bool has_ticket = false;
#if defined(MBEDTLS_SSL_SESSION_TICKETS) && defined(MBEDTLS_SSL_CLI_C)
    has_ticket = session->ticket != nullptr && session->ticket_len != 0;
#endif
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
    if (session->tls_version == MBEDTLS_SSL_VERSION_TLS1_3) return has_ticket;
#endif
    return has_ticket || session->id_len != 0;
}

// The checks, what the library makes of it, and their seal.
Result<void> append_session(Sink& sink, const State& state) noexcept {
    const mbedtls_ssl_session* session = state.ssl.session;
    if (!is_of_use(session)) return {};
    std::size_t size = 0;
    (void)mbedtls_ssl_session_save(session, nullptr, 0, &size);
    const std::size_t begin = sink.size();
    const std::size_t all = sizeof state.checks.bytes + size + Seal::size;
    if (size == 0 || !sink.reserve(all)) return Error(ENOMEM);
    sink.append(state.checks.bytes, sizeof state.checks.bytes);
    if (mbedtls_ssl_session_save(session, sink.room().data(), size, &size) != 0) return Error(ENOMEM);
    sink.set_size(sink.size() + size);
    return Seal::append(sink, begin, digest) ? Error() : Error(ENOMEM);
}

Result<void> append_protocol(Sink& sink, const State& state) noexcept {
#if defined(MBEDTLS_SSL_ALPN)
    const char* name = mbedtls_ssl_get_alpn_protocol(&state.ssl);
    if (name != nullptr) return append(sink, std::string_view(name));
#else
    (void)sink;
    (void)state;
#endif
    return {};
}

Result<void> tell(void* pointer, Fact fact, Sink& into) noexcept {
    const State& state = of(pointer);
    switch (fact) {
        case Fact::version: return append(into, std::string_view(mbedtls_ssl_get_version(&state.ssl)));
        case Fact::cipher: return append_cipher(into, mbedtls_ssl_get_ciphersuite(&state.ssl));
        case Fact::protocol: return append_protocol(into, state);
        case Fact::certificate: return append_certificate(into, state);
        case Fact::session: return append_session(into, state);
        case Fact::is_resumed: return state.is_full ? Result<void>() : append(into, "1");
    }
    return Error(EINVAL);
}

}  // namespace

const Engine engine = {open, close, handshake, read, write, end, failure, tell};

}  // namespace usocket::tls::mbedtls
