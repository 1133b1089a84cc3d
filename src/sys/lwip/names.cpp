// The names that the core needs, and lwIP's errors.
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>

#include "sys/lwip/lwip.hpp"

namespace usocket::sys {

const int af_unspec = AF_UNSPEC;
const int af_inet = AF_INET;
const int af_inet6 = AF_INET6;
const int af_unix = AF_UNIX;
const int sock_stream = SOCK_STREAM;
const int ipproto_tcp = IPPROTO_TCP;
const int shut_rd = SHUT_RD;
const int shut_rdwr = SHUT_RDWR;
const int msg_peek = MSG_PEEK;
const int msg_dontwait = MSG_DONTWAIT;
const int msg_waitall = MSG_WAITALL;
const int msg_trunc = 0;      // what lwIP calls so, recvmsg() returns
const int msg_oob = MSG_OOB;  // of which there are none
const int msg_errqueue = 0;
const int sol_socket = SOL_SOCKET;
const int so_error = SO_ERROR;
const int so_rcvlowat = SO_RCVLOWAT;
const int so_peek_off = -1;
const int so_reuseaddr = SO_REUSEADDR;
const int so_reuseport = -1;
const int ipproto_ipv6 = IPPROTO_IPV6;
const int ipv6_v6only = IPV6_V6ONLY;
const int ai_passive = AI_PASSIVE;
const int default_backlog = 8;
const unsigned poll_in = POLLIN;
const unsigned poll_out = POLLOUT;
const unsigned poll_err = POLLERR;
const unsigned poll_hup = POLLHUP;
const unsigned poll_nval = POLLNVAL;
const unsigned poll_rdhup = 0x2000;  // between the core and this stack alone

Error error_of(err_t error) noexcept {
    switch (error) {
        case ERR_OK: return Error();
        case ERR_MEM: return Error(ENOMEM);
        case ERR_BUF: return Error(ENOBUFS);
        case ERR_TIMEOUT: return Error(ETIMEDOUT);
        case ERR_RTE: return Error(ENETUNREACH);
        case ERR_INPROGRESS: return Error(EINPROGRESS);
        case ERR_VAL: return Error(EINVAL);
        case ERR_WOULDBLOCK: return Error(EAGAIN);
        case ERR_USE: return Error(EADDRINUSE);
        case ERR_ALREADY: return Error(EALREADY);
        case ERR_ISCONN: return Error(EISCONN);
        case ERR_CONN: return Error(ENOTCONN);
        case ERR_IF: return Error(ENETDOWN);
        case ERR_ABRT: return Error(ECONNABORTED);
        case ERR_RST: return Error(ECONNRESET);
        case ERR_CLSD: return Error(ENOTCONN);
        case ERR_ARG: return Error(EINVAL);
        default: return Error(EIO);
    }
}

}  // namespace usocket::sys
