// Certificates for the tests in C, made when they are asked for (support/certificates.hpp): PEM, that lives as long as
// the program.
#ifndef IDENTITY_H
#define IDENTITY_H

#ifdef __cplusplus
extern "C" {
#endif

// Of localhost, and its key.
const char* server_certificate(void);
const char* server_key(void);
// Who has signed it.
const char* issuer_certificate(void);

#ifdef __cplusplus
}
#endif
#endif
