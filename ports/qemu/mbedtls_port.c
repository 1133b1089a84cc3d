/* What mbedTLS asks of the board: random numbers and the time. */
#include <time.h>

#include "board.h"
#include "disk.h"
#include "mbedtls/platform_time.h"
#include "mbedtls/platform_util.h"

int mbedtls_hardware_poll(void* unused, unsigned char* output, size_t size, size_t* count);
int mbedtls_hardware_poll(void* unused, unsigned char* output, size_t size, size_t* count) {
    (void)unused;
    *count = disk_random(output, size) ? size : 0;
    return 0;
}

time_t time(time_t* into) {
    const time_t now = (time_t)(board_time() / 1000000000);
    if (into != NULL) {
        *into = now;
    }
    return now;
}

mbedtls_ms_time_t mbedtls_ms_time(void) { return (mbedtls_ms_time_t)(board_now() / 1000000); }

struct tm* mbedtls_platform_gmtime_r(const mbedtls_time_t* seconds, struct tm* into) { return gmtime_r(seconds, into); }
