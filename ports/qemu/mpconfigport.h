/* MicroPython as boards with a network have it. */
#include <alloca.h>
#include <stdint.h>

#define MICROPY_CONFIG_ROM_LEVEL (MICROPY_CONFIG_ROM_LEVEL_EXTRA_FEATURES)

#define MICROPY_ENABLE_GC (1)
#define MICROPY_HELPER_REPL (1)
#define MICROPY_REPL_AUTO_INDENT (1)
#define MICROPY_ENABLE_EMERGENCY_EXCEPTION_BUF (1)
#define MICROPY_EMERGENCY_EXCEPTION_BUF_SIZE (256)
#define MICROPY_LONGINT_IMPL (MICROPY_LONGINT_IMPL_MPZ)
#define MICROPY_FLOAT_IMPL (MICROPY_FLOAT_IMPL_FLOAT)
#define MICROPY_ENABLE_SOURCE_LINE (1)
#define MICROPY_SCHEDULER_DEPTH (8)
#define MICROPY_USE_INTERNAL_ERRNO (1)
#define MICROPY_HAS_FILE_READER (1) /* disk.c */
#define MICROPY_TRACKED_ALLOC (1)   /* mbedTLS's memory */
#define MICROPY_EPOCH_IS_1970 (1)

#define MICROPY_ERROR_PRINTER (&board_error_print)

#define MICROPY_PY_SYS_PLATFORM "mps2"
#define MICROPY_HW_BOARD_NAME "mps2-an385"
#define MICROPY_HW_MCU_NAME "Cortex-M3"
#define MICROPY_PY_SOCKET (0) /* ours, as is select */
#define MICROPY_PY_TIME_TIME_TIME_NS (1)
#define MICROPY_PY_TIME_INCLUDEFILE "port_time.c"
#define MICROPY_PY_MACHINE (1)
#define MICROPY_PY_MACHINE_RESET (1)
#define MICROPY_PY_MACHINE_INCLUDEFILE "port_machine.c"
#define MICROPY_PY_MACHINE_PIN_BASE (0)
#define MICROPY_PY_MACHINE_PULSE (0)
#define MICROPY_PY_NETWORK (1)
#define MICROPY_PY_NETWORK_HOSTNAME_DEFAULT "mps2"
#define MICROPY_PORT_NETWORK_INTERFACES {MP_ROM_QSTR(MP_QSTR_LAN), MP_ROM_PTR(&network_lan_type)},
#define MICROPY_PY_HASHLIB_MD5 (0)
#define MICROPY_PY_HASHLIB_SHA1 (0)

extern const struct _mp_print_t board_error_print;
extern const struct _mp_obj_type_t network_lan_type;

/* What MicroPython does while it waits itself, as in time.sleep(): PendSV and the board's interrupts do the rest. */
#define MICROPY_INTERNAL_WFE(timeout_ms) board_sleep()
void board_sleep(void);

void mod_network_init(void);
#define MICROPY_PORT_INIT_FUNC mod_network_init()

typedef intptr_t mp_int_t;
typedef uintptr_t mp_uint_t;
typedef long mp_off_t;
#define MP_SSIZE_MAX (0x7fffffff)
#define MICROPY_MAKE_POINTER_CALLABLE(p) ((void*)((mp_uint_t)(p) | 1))
#define MP_STATE_PORT MP_STATE_VM
