// The engine `openssl`: sessions as bytes, for a later connection (TLS-7): OpenSSL's, with the peer's certificate
// behind it instead of in it, and then their seal. OpenSSL would take the certificate apart each time a session is
// taken up, which is four tenths of all that such a handshake costs, and nobody looks at it but getpeercert().
#include <openssl/asn1.h>
#include <openssl/crypto.h>

#include <cerrno>

#include "tls/openssl/common.hpp"

namespace usocket::tls::openssl {
namespace {

constexpr int certificate_tag = 3;  // in the sequence that a session is, with a tag of its own around it

// The DER of one thing, which may stand in another's.
struct Element {
    ConstBuffer all;
    ConstBuffer content;
    int tag = 0;
    bool is_numbered = false;  // its tag is a number, and not a type
};

// The first of the bytes; false: there is none.
bool take_element(ConstBuffer& bytes, Element& element) noexcept {
    const unsigned char* content = bytes.data();
    long size = 0;
    int kind = 0;
    const int flags = ASN1_get_object(&content, &size, &element.tag, &kind, static_cast<long>(bytes.size()));
    if (bytes.size() == 0 || (flags & 0x80) != 0) return false;
    element.is_numbered = kind == V_ASN1_CONTEXT_SPECIFIC;
    element.content = {content, static_cast<std::size_t>(size)};
    element.all = {bytes.data(), static_cast<std::size_t>(content - bytes.data()) + element.content.size()};
    bytes = bytes.from(element.all.size());
    return true;
}

void append(Sink& into, ConstBuffer bytes) noexcept {
    if (bytes.size() != 0) into.append(bytes.data(), bytes.size());
}

// `into` has room for all of it.
void append_parted(Sink& into, ConstBuffer session, ConstBuffer certificate) noexcept {
    Element whole;
    Element part;
    if (!take_element(session, whole)) return;
    ConstBuffer parts = whole.content;
    std::size_t left = parts.size();
    while (take_element(parts, part)) {
        if (part.is_numbered && part.tag == certificate_tag) {
            certificate = part.content;
            left -= part.all.size();
        }
    }
    unsigned char header[16];
    unsigned char* end = header;
    ASN1_put_object(&end, 1, static_cast<int>(left), V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    append(into, {header, static_cast<std::size_t>(end - header)});
    parts = whole.content;
    while (take_element(parts, part)) {
        if (!part.is_numbered || part.tag != certificate_tag) append(into, part.all);
    }
    append(into, certificate);
}

}  // namespace

Result<void> append_session(Sink& into, SSL_SESSION* session, ConstBuffer certificate) noexcept {
    unsigned char* made = nullptr;
    const int size = i2d_SSL_SESSION(session, &made);
    if (size <= 0) return Error(ENOMEM);
    const std::size_t begin = into.size();
    bool is_made = into.reserve(static_cast<std::size_t>(size) + certificate.size() + Seal::size);
    if (is_made) append_parted(into, {made, static_cast<std::size_t>(size)}, certificate);
    OPENSSL_clear_free(made, static_cast<std::size_t>(size));
    is_made = is_made && Seal::append(into, begin, digest);
    return is_made ? Error() : Error(ENOMEM);
}

SSL_SESSION* parse_session(ConstBuffer bytes, ConstBuffer& certificate) noexcept {
    if (!Seal::take(bytes, digest)) return nullptr;
    const unsigned char* end = bytes.data();
    SSL_SESSION* made = d2i_SSL_SESSION(nullptr, &end, static_cast<long>(bytes.size()));
    if (made != nullptr) certificate = bytes.from(static_cast<std::size_t>(end - bytes.data()));
    return made;
}

}  // namespace usocket::tls::openssl
