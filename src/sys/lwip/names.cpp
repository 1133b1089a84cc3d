// The names that the core needs, and lwIP's errors.
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>

#include "sys/lwip/lwip.hpp"

namespace usocket::sys {

USOCKET_NAMES(USOCKET_DEFINE_NAME)
const int sock_seqpacket = -1;
const int msg_trunc = 0;  // what lwIP calls so, recvmsg() returns
const int msg_errqueue = 0;
const int msg_fastopen = 0;
const int so_peek_off = -1;
const int so_oobinline = -1;
const int so_reuseport = -1;
const int default_backlog = 8;  // those that wait take from what all connections share
const bool has_af_unix = false;
const bool has_large_protos = false;
const bool calls_sleep = false;
const std::size_t most_pieces = SIZE_MAX;
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
