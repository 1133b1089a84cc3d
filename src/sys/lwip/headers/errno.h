/* The numbers of errno are the host's (STACK-4): the C library's, or, with USOCKET_INTERNAL_ERRNO, those that
   MicroPython has of its own (MICROPY_USE_INTERNAL_ERRNO), which are Linux's. Up to 34 all have the same. */
#include_next <errno.h>

#if defined(USOCKET_INTERNAL_ERRNO) && !defined(USOCKET_LWIP_ERRNO_H)
#define USOCKET_LWIP_ERRNO_H

#undef ENOSYS
#undef EPROTO
#undef EOVERFLOW
#undef ENOTSOCK
#undef EDESTADDRREQ
#undef EMSGSIZE
#undef ENOPROTOOPT
#undef EPROTONOSUPPORT
#undef ESOCKTNOSUPPORT
#undef EOPNOTSUPP
#undef EAFNOSUPPORT
#undef EADDRINUSE
#undef EADDRNOTAVAIL
#undef ENETDOWN
#undef ENETUNREACH
#undef ECONNABORTED
#undef ECONNRESET
#undef ENOBUFS
#undef EISCONN
#undef ENOTCONN
#undef ETIMEDOUT
#undef ECONNREFUSED
#undef EHOSTUNREACH
#undef EALREADY
#undef EINPROGRESS

#define ENOSYS 38
#define EPROTO 71
#define EOVERFLOW 75
#define ENOTSOCK 88
#define EDESTADDRREQ 89
#define EMSGSIZE 90
#define ENOPROTOOPT 92
#define EPROTONOSUPPORT 93
#define ESOCKTNOSUPPORT 94
#define EOPNOTSUPP 95
#define EAFNOSUPPORT 97
#define EADDRINUSE 98
#define EADDRNOTAVAIL 99
#define ENETDOWN 100
#define ENETUNREACH 101
#define ECONNABORTED 103
#define ECONNRESET 104
#define ENOBUFS 105
#define EISCONN 106
#define ENOTCONN 107
#define ETIMEDOUT 110
#define ECONNREFUSED 111
#define EHOSTUNREACH 113
#define EALREADY 114
#define EINPROGRESS 115

#endif
