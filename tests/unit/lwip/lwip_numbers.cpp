// lwIP's own lwip/sockets.h, for numbers_test.cpp; it is compiled without our headers.
#include <sys/time.h>

#include <cstddef>
#include <map>
#include <string>

#define LWIP_SOCKET 1
#define LWIP_TIMEVAL_PRIVATE 0
#define LWIP_COMPAT_SOCKETS 0
#define LWIP_POSIX_SOCKETS_IO_NAMES 0
#define SOCKLEN_T_DEFINED
#include "lwip/sockets.h"

const std::map<std::string, int>& lwip_numbers() {
    static const std::map<std::string, int> numbers = {
#define USOCKET_NUMBER(name) \
    { \
        #name, name \
    }
#include "numbers.inc"
#undef USOCKET_NUMBER
    };
    return numbers;
}
