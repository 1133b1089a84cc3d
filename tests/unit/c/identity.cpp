#include "identity.h"

#include "certificates.hpp"

using namespace usocket::tests;

static const Identity& server() {
    static const Identity identity = trusted_issuer().issue();
    return identity;
}

const char* server_certificate() { return server().certificate.c_str(); }
const char* server_key() { return server().key.c_str(); }
const char* issuer_certificate() { return trusted_issuer().certificate().c_str(); }
