/* MicroPython's life on the machine: a prompt on the serial line, or the scripts that the machine was started with. */
#include <string.h>

#include "board.h"
#include "disk.h"
#include "py/compile.h"
#include "py/cstack.h"
#include "py/gc.h"
#include "py/lexer.h"
#include "py/mphal.h"
#include "py/objlist.h"
#include "py/runtime.h"
#include "shared/readline/readline.h"
#include "shared/runtime/gchelper.h"
#include "shared/runtime/interrupt_char.h"
#include "shared/runtime/pyexec.h"

extern char _estack, _sstack;

__attribute__((section(".heap"), aligned(16))) static char heap[BOARD_HEAP_SIZE];

/* --- Scripts: "machine BOOT SCRIPT ARGUMENT..."; BOOT is "-" if there is none */

static void run_file(const char* path) {
    const qstr name = qstr_from_str(path);
    mp_lexer_t* lexer = mp_lexer_new_from_file(name);
    mp_parse_tree_t tree = mp_parse(lexer, MP_PARSE_FILE_INPUT);
    const mp_obj_t module = mp_compile(&tree, name, false);
    mp_call_function_0(module);
}

/* What sys.exit() was given, as a status. */
static int status_of(mp_obj_t exit) {
    const mp_obj_t value = mp_obj_exception_get_value(exit);
    mp_int_t status;
    if (value == mp_const_none) {
        return 0;
    }
    return mp_obj_get_int_maybe(value, &status) ? (int)status : 1;
}

static int run_protected(const char* path) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        mp_hal_set_interrupt_char(CHAR_CTRL_C);
        run_file(path);
        mp_hal_set_interrupt_char(-1);
        mp_handle_pending(true);
        nlr_pop();
        return 0;
    }
    mp_hal_set_interrupt_char(-1);
    mp_handle_pending(false);
    const mp_obj_t exception = MP_OBJ_FROM_PTR(nlr.ret_val);
    if (mp_obj_exception_match(exception, MP_OBJ_FROM_PTR(&mp_type_SystemExit))) {
        return status_of(exception);
    }
    mp_obj_print_exception(MICROPY_ERROR_PRINTER, exception);
    return 1;
}

/* Modules are looked for beside the script. */
static void set_path_of(const char* script) {
    const char* end = strrchr(script, '/');
    const mp_obj_t folder = mp_obj_new_str(script, end == NULL ? 0 : (size_t)(end - script));
    mp_obj_list_store(mp_sys_path, MP_OBJ_NEW_SMALL_INT(0), folder);
}

/* The next word; NULL: none any more. A space ends it, unless a backslash is before it, as may be before a backslash.
 */
static const char* next_word(char** rest) {
    char* word = *rest;
    if (word == NULL) {
        return NULL;
    }
    const char* from = word;
    char* to = word;
    while (*from != '\0' && *from != ' ') {
        if (*from == '\\' && from[1] != '\0') {
            ++from;
        }
        *to++ = *from++;
    }
    *rest = *from == '\0' ? NULL : word + (from - word) + 1;
    *to = '\0';
    return word;
}

static int run_scripts(char* rest) {
    const char* boot = next_word(&rest);
    const char* script = next_word(&rest);
    if (script == NULL) {
        return run_protected(boot);
    }
    set_path_of(script);
    for (const char* word = script; word != NULL; word = next_word(&rest)) {
        mp_obj_list_append(mp_sys_argv, mp_obj_new_str_from_cstr(word));
    }
    const int status = strcmp(boot, "-") == 0 ? 0 : run_protected(boot);
    return status != 0 ? status : run_protected(script);
}

/* The words behind the first, which is the machine's; NULL: there are none. */
static char* given_words(void) {
    static char line[1024];
    if (!disk_command_line(line, sizeof line)) {
        return NULL;
    }
    char* rest = strchr(line, ' ');
    return rest == NULL || rest[1] == '\0' ? NULL : rest + 1;
}

/* --- The prompt: until it is left */

static void run_prompt(void) {
    for (;;) {
        const int left = pyexec_mode_kind == PYEXEC_MODE_RAW_REPL ? pyexec_raw_repl() : pyexec_friendly_repl();
        if (left != 0) {
            return;
        }
    }
}

int main(void) {
    board_init();
    board_init_network();
    for (;;) {
        mp_cstack_init_with_top(&_estack, (mp_uint_t)(&_estack - &_sstack));
        gc_init(heap, heap + sizeof heap);
        mp_init();
        readline_init0();
        char* words = given_words();
        if (words != NULL) {
            board_is_terminal = false;
            return run_scripts(words);
        }
        run_prompt();
        mp_printf(&mp_plat_print, "MPY: soft reboot\n");
        board_reset_network();
        gc_sweep_all();
        mp_deinit();
    }
}

/* --- What MicroPython asks of a port */

/* Errors of a script go where those of the machine's other programs go. */
static void print_error(void* unused, const char* text, size_t size) {
    (void)unused;
    if (board_is_terminal) {
        mp_hal_stdout_tx_strn_cooked(text, size);
    } else {
        disk_complain(text, size);
    }
}
const mp_print_t board_error_print = {NULL, print_error};

void gc_collect(void) {
    gc_collect_start();
    gc_helper_collect_regs_and_stack();
    gc_collect_end();
}

void nlr_jump_fail(void* value) {
    (void)value;
    mp_printf(&mp_plat_print, "an exception that nobody catches\n");
    board_exit(1);
}
