/* The port for Linux: lwIP's loopback interface, and threads. It is for tests, and an example. */
#include "sys/lwip/port.h"

#include "wire.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lwip/init.h"
#include "lwip/netif.h"
#include "lwip/sys.h"
#include "lwip/timeouts.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_uint wakes;   /* how often somebody has called wake() */
static atomic_uint idlers;  /* how many threads are in idle() */
static unsigned seen_wakes; /* as the holder of the mutex has found it */
static uint32_t next_frame_ms = UINT32_MAX;

uint32_t (*usocket_linux_wire)(void);
bool usocket_linux_interrupts;

uint32_t usocket_linux_random(void) {
    uint32_t number = 0;
    while (getrandom(&number, sizeof number, 0) != sizeof number) {
    }
    return number;
}

uint64_t usocket_port_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

u32_t sys_now(void) { return (u32_t)(usocket_port_now() / 1000000); }

/* The loopback interface keeps its frames itself. */
void usocket_port_poll(void) { next_frame_ms = usocket_linux_wire == NULL ? UINT32_MAX : usocket_linux_wire(); }

static void interrupt(void) {
    if (!usocket_linux_interrupts) return;
    usocket_port_poll();
    netif_poll_all();
    sys_check_timeouts();
}

void usocket_port_lock(void) {
    pthread_mutex_lock(&mutex);
    seen_wakes = atomic_load(&wakes);
    interrupt();
}

void usocket_port_unlock(void) {
    interrupt();
    pthread_mutex_unlock(&mutex);
}

bool usocket_port_idle(uint32_t milliseconds) {
    if (milliseconds > next_frame_ms) milliseconds = next_frame_ms;
    const struct timespec span = {(time_t)(milliseconds / 1000), (long)(milliseconds % 1000) * 1000000};
    const unsigned seen = seen_wakes;
    atomic_fetch_add(&idlers, 1);
    usocket_port_unlock();
    const long slept = syscall(SYS_futex, &wakes, FUTEX_WAIT_PRIVATE, seen, &span, NULL, 0);
    const bool has_signal = slept < 0 && errno == EINTR;
    atomic_fetch_sub(&idlers, 1);
    usocket_port_lock();
    return has_signal;
}

/* errno is a signal handler's to keep. */
void usocket_port_wake(void) {
    const int before = errno;
    atomic_fetch_add(&wakes, 1);
    if (atomic_load(&idlers) != 0) syscall(SYS_futex, &wakes, FUTEX_WAKE_PRIVATE, 1 << 30, NULL, NULL, 0);
    errno = before;
}

/* Stands for an interrupt that comes at any time: a thread that lets lwIP work without a pause. */
static void* drive(void* unused) {
    for (;;) usocket_lwip_turn();
    return unused;
}

__attribute__((constructor)) static void start(void) {
    lwip_init();
    if (getenv("USOCKET_LWIP_DRIVE") == NULL) return;
    pthread_t thread;
    if (pthread_create(&thread, NULL, drive, NULL) != 0) abort();
}
