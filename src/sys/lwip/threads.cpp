// Whether there are threads: USOCKET_LWIP_THREADS says that there may be, and the C library, if it can, when.
#include "sys/sys.hpp"

#if defined(USOCKET_LWIP_THREADS) && __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define USOCKET_HAS_SINGLE_THREADED
#endif

namespace usocket::sys {

#if defined(USOCKET_HAS_SINGLE_THREADED)
const char* const single_threaded = &__libc_single_threaded;
#elif defined(USOCKET_LWIP_THREADS)
const char* const single_threaded = "";
#else
const char* const single_threaded = "1";
#endif

}  // namespace usocket::sys
