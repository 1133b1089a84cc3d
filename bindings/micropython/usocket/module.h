// What the C files of this module share: the host's differences, values and errors, the socket object.
#ifndef USOCKET_MODULE_H
#define USOCKET_MODULE_H

#include "py/obj.h"
#include "py/objstr.h"
#include "py/runtime.h"

// MicroPython; without it Pycopy, whose types are plain structures and whose pending exception is every thread's.
#ifdef MP_DEFINE_CONST_OBJ_TYPE
#define USOCKET_MICROPYTHON (1)
#define USOCKET_PENDING_EXCEPTION MP_STATE_THREAD(mp_pending_exception)
#define USOCKET_SET_PENDING_EXCEPTION(exception) (USOCKET_PENDING_EXCEPTION = (exception))
#else
#define USOCKET_MICROPYTHON (0)
#define USOCKET_PENDING_EXCEPTION MP_STATE_VM(mp_pending_exception)
#define USOCKET_SET_PENDING_EXCEPTION(exception) mp_sched_exception(exception)
#endif

#if MICROPY_PY_SOCKET
#error "usocket takes the place of the interpreter's own socket module: build with MICROPY_PY_SOCKET=0"
#endif

// USOCKET_WITHOUT_...: what USOCKET_WITHOUT of micropython.mk names.
#if !defined(USOCKET_WITHOUT_poll) && (MICROPY_PY_SELECT || MICROPY_PY_USELECT || MICROPY_PY_USELECT_POSIX)
#error "usocket takes the place of the interpreter's own select module: build with MICROPY_PY_SELECT=0"
#endif

#if defined(USOCKET_ONE_THREAD) && MICROPY_PY_THREAD
#error "usocket: over lwIP a port with threads says so: -DUSOCKET_LWIP_THREADS"
#endif
#if defined(USOCKET_ONE_THREAD) && MICROPY_ASYNC_KBD_INTR
#error "usocket: signal handlers that jump out of calls are for a build without USOCKET_ONE_THREAD"
#endif
#if defined(USOCKET_WITHOUT_sharing) && !defined(USOCKET_OVER_lwip)
#error "a system shares descriptors whether the module does or not: USOCKET_WITHOUT=sharing is for lwIP"
#endif

// Whether TLS is in it; micropython.mk says so.
#ifndef USOCKET_TLS
#define USOCKET_TLS (0)
#endif

#define USOCKET_NORETURN __attribute__((noreturn))

#include "bridge.h"

// --- The socket object; socket.c. The type tells the face (NAME-1, NAME-2).
typedef struct {
    mp_obj_base_t base;
    usocket_socket_t socket;
} usocket_obj_t;
_Static_assert(sizeof(usocket_obj_t) <= (sizeof(void*) == 8 ? 40 : 32), "two of the collector's blocks");

extern const mp_obj_type_t usocket_type_socket;         // usocket's: addresses are opaque
extern const mp_obj_type_t usocket_type_socket_compat;  // socket's: addresses are tuples, names are resolved
// The socket in an object, which may be one of a subclass; NULL: it is none, or has not been initialised.
usocket_obj_t* usocket_find(mp_obj_t from);
// A closed one.
usocket_obj_t* usocket_new_socket(const mp_obj_type_t* type);
// Whether the peer has ended its stream, and all of it was read.
bool usocket_is_at_end(mp_obj_t sock);
MP_DECLARE_CONST_FUN_OBJ_0(usocket_getdefaulttimeout_obj);
MP_DECLARE_CONST_FUN_OBJ_1(usocket_setdefaulttimeout_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(usocket_socketpair_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(usocket_socketpair_compat_obj);

// --- Polls; poll.c
extern const mp_obj_type_t usocket_type_poll;
mp_obj_t usocket_new_poll(void);
usocket_poll_t* usocket_poll_core(mp_obj_t poll);
// Waits for at most so long; returns how many events there are.
size_t usocket_poll_once(usocket_poll_t* poll, usocket_event_t* events, size_t room, int64_t span_ns, bool one_shot);

// --- Callbacks (SOCK-11); callbacks.c. Where something can schedule them while the host is busy or asleep: a thread,
// or the board's interrupts (callbacks.h).
#if defined(USOCKET_WITHOUT_poll)
#define USOCKET_HAS_THREAD_FOR_CALLBACKS (0)
#define USOCKET_HAS_CALLBACKS (0)
#else
#define USOCKET_HAS_THREAD_FOR_CALLBACKS (MICROPY_ENABLE_SCHEDULER && MICROPY_PY_THREAD && __unix__)
#if defined(USOCKET_OVER_lwip)
#define USOCKET_HAS_CALLBACKS (MICROPY_ENABLE_SCHEDULER)
#else
#define USOCKET_HAS_CALLBACKS USOCKET_HAS_THREAD_FOR_CALLBACKS
#endif
#endif
enum { USOCKET_SO_CALLBACK = 20 };  // the lwIP ports'; an integer is the system's option of that number
void usocket_set_callback(usocket_obj_t* sock, mp_obj_t function);  // None: none any more
void usocket_forget_callback(usocket_obj_t* sock);                  // also from its finaliser
void usocket_end_callbacks(mp_obj_t poll);                          // its finaliser is being called
// Whom it has called; in vain: all of them, and none has used a socket.
typedef enum { USOCKET_CALLED_NOBODY, USOCKET_CALLED_IN_VAIN, USOCKET_CALLED } usocket_called_t;
usocket_called_t usocket_call_ready(void);
void usocket_report_callback(mp_obj_t exception);
// Who watches: the poll is their sockets'. It schedules what calls usocket_call_ready().
void usocket_begin_watching(mp_obj_t poll);
void usocket_end_watching(mp_obj_t poll);
bool usocket_is_callbacks_thread(void);  // it must not touch anything of the host's

static inline bool usocket_is_compat(const usocket_obj_t* self) {
    return self->base.type == &usocket_type_socket_compat;
}

// --- Errors; convert.c
// ValueError if the core found fault with an argument, which the message then shows (MP_OBJ_NULL: none); the pending
// exception that ended the call; else OSError.
USOCKET_NORETURN void usocket_raise(usocket_error_t error, mp_obj_t argument);
static inline void usocket_check(usocket_error_t error, mp_obj_t argument) {
    if (error != 0) {
        usocket_raise(error, argument);
    }
}

// --- Values; convert.c
// An int of any size, saturated: what is out of range is for the core to say. TypeError: no int.
int64_t usocket_get_int64(mp_obj_t from);
// An int of the system's.
int usocket_get_int(mp_obj_t from);
double usocket_get_double(mp_obj_t from);              // of a float or an int
usocket_timeout_t usocket_get_timeout(mp_obj_t from);  // of seconds, or None
unsigned usocket_get_events(mp_obj_t from);            // a mask of POLLIN and so on
usocket_bytes_t usocket_get_bytes(mp_obj_t from);
usocket_bytes_t usocket_get_text(mp_obj_t from);  // of a str, or the bytes of one
mp_obj_t usocket_new_bytes(usocket_bytes_t bytes);

// A bytes object that the core fills: made before the call that fills its sink, so that nothing received is lost for
// want of memory, and without a copy of what is (SOCK-6). The second has room for `size` bytes, which becomes the
// request's.
mp_obj_str_t* usocket_bytes_begin(usocket_sink_t* sink);
mp_obj_str_t* usocket_bytes_begin_sized(usocket_request_t* request, size_t size);
mp_obj_t usocket_bytes_end(mp_obj_str_t* object, const usocket_sink_t* sink, size_t size);

// --- Calls that may wait; host.c
// Calls the method, and puts the socket right if the host's signal handler jumps out of it.
usocket_error_t usocket_wait(usocket_method_t method, usocket_request_t* request);
extern uint32_t usocket_waits;  // how often it was called
usocket_error_t usocket_wait_connecting(usocket_create_t* create);

// --- Steps that belong together; host.c
// Where the host's signal handler jumps out of whatever runs, it waits in between.
#if MICROPY_ASYNC_KBD_INTR
static inline void usocket_hold_signals(void) { usocket_host_hold_signals(); }
static inline void usocket_release_signals(void) { usocket_host_release_signals(); }
#else
static inline void usocket_hold_signals(void) {}
static inline void usocket_release_signals(void) {}
#endif
// No other thread's come in between either, nor does the collector that another thread runs. For steps that are over
// soon, and none inside others. Nothing may raise there, but in usocket_in_steps(). Not for finalisers.
#define USOCKET_SHARES_HEAP (MICROPY_PY_THREAD && !MICROPY_PY_THREAD_GIL)
#if USOCKET_SHARES_HEAP
void usocket_begin_steps(void);
void usocket_end_steps(void);
#else
static inline void usocket_begin_steps(void) { usocket_hold_signals(); }
static inline void usocket_end_steps(void) { usocket_release_signals(); }
#endif
#if USOCKET_SHARES_HEAP || MICROPY_ASYNC_KBD_INTR
void usocket_in_steps(void (*steps)(void* of), void* of);
#else
static inline void usocket_in_steps(void (*steps)(void* of), void* of) { steps(of); }
#endif

// --- Addresses; address.c
// What a socket takes as an address.
void usocket_get_address(const usocket_obj_t* self, mp_obj_t from, usocket_address_t* address);
// A port or a service's name; false: None.
bool usocket_get_service(mp_obj_t from, int64_t* port, usocket_bytes_t* service);
// How a face shows one.
mp_obj_t usocket_new_address(const usocket_address_t* address, bool compat);
MP_DECLARE_CONST_FUN_OBJ_1(usocket_sockaddr_obj);
MP_DECLARE_CONST_FUN_OBJ_2(usocket_inet_ntop_obj);
MP_DECLARE_CONST_FUN_OBJ_2(usocket_inet_pton_obj);
MP_DECLARE_CONST_FUN_OBJ_KW(usocket_getaddrinfo_obj);
MP_DECLARE_CONST_FUN_OBJ_KW(usocket_getaddrinfo_compat_obj);

// --- What the module socket has besides; shortcuts.c
MP_DECLARE_CONST_FUN_OBJ_KW(usocket_create_connection_obj);
MP_DECLARE_CONST_FUN_OBJ_KW(usocket_create_server_obj);
MP_DECLARE_CONST_FUN_OBJ_1(usocket_inet_aton_obj);
MP_DECLARE_CONST_FUN_OBJ_1(usocket_inet_ntoa_obj);
// In place of a timeout: the default one.
#define USOCKET_GLOBAL_DEFAULT_TIMEOUT (&mp_type_object)

#endif
