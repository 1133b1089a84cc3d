/* Files to read, as MicroPython asks for them: import, open(). */
#include "disk.h"

#include <string.h>

#include "py/builtin.h"
#include "py/lexer.h"
#include "py/mperrno.h"
#include "py/objstr.h"
#include "py/reader.h"
#include "py/runtime.h"
#include "py/stream.h"

/* --- The protocol */

enum {
    SYS_OPEN = 0x01,
    SYS_CLOSE = 0x02,
    SYS_WRITE = 0x05,
    SYS_READ = 0x06,
    SYS_TIME = 0x11,
    SYS_GET_CMDLINE = 0x15,
    SYS_EXIT = 0x20
};
enum { OPEN_READ_BINARY = 1, OPEN_APPEND = 8, APPLICATION_EXIT = 0x20026 };

static int32_t ask(uint32_t what, const void* arguments) {
    register uint32_t r0 __asm("r0") = what;
    register const void* r1 __asm("r1") = arguments;
    __asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return (int32_t)r0;
}

static int open_as(const char* path, uint32_t mode) {
    const struct {
        const char* path;
        uint32_t mode, length;
    } arguments = {path, mode, strlen(path)};
    return ask(SYS_OPEN, &arguments);
}

static int open_file(const char* path) { return open_as(path, OPEN_READ_BINARY); }

static void close_file(int file) {
    const int32_t arguments[] = {file};
    (void)ask(SYS_CLOSE, arguments);
}

/* How many bytes there were; 0: none any more. */
static size_t read_file(int file, void* into, size_t size) {
    const struct {
        int32_t file;
        void* into;
        uint32_t size;
    } arguments = {file, into, size};
    const size_t left = (size_t)ask(SYS_READ, &arguments);
    return left > size ? 0 : size - left;
}

uint32_t disk_time(void) { return (uint32_t)ask(SYS_TIME, NULL); }

bool disk_random(void* into, size_t size) {
    const int file = open_file("/dev/urandom");
    if (file < 0) {
        return false;
    }
    const size_t count = read_file(file, into, size);
    close_file(file);
    return count == size;
}

bool disk_command_line(char* into, size_t size) {
    struct {
        char* into;
        uint32_t size;
    } arguments = {into, size};
    return ask(SYS_GET_CMDLINE, &arguments) == 0;
}

/* What ":tt" is when it is appended to. */
void disk_complain(const char* text, size_t size) {
    static int file;
    if (file == 0) {
        file = open_as(":tt", OPEN_APPEND);
    }
    const struct {
        int32_t file;
        const void* from;
        uint32_t size;
    } arguments = {file, text, size};
    (void)ask(SYS_WRITE, &arguments);
}

_Noreturn void disk_exit(int status) {
    const uint32_t arguments[] = {APPLICATION_EXIT, (uint32_t)status};
    for (;;) {
        (void)ask(SYS_EXIT, arguments);
    }
}

/* --- Scripts and modules */

typedef struct {
    int file;
    size_t size, next;
    uint8_t block[512];
} source_t;

static mp_uint_t next_byte(void* data) {
    source_t* source = data;
    if (source->next == source->size) {
        source->next = 0;
        source->size = read_file(source->file, source->block, sizeof source->block);
        if (source->size == 0) {
            return MP_READER_EOF;
        }
    }
    return source->block[source->next++];
}

static void end_source(void* data) {
    source_t* source = data;
    close_file(source->file);
    m_del_obj(source_t, source);
}

void mp_reader_new_file(mp_reader_t* reader, qstr name) {
    source_t* source = m_new_obj(source_t);
    source->file = open_file(qstr_str(name));
    source->size = source->next = 0;
    if (source->file < 0) {
        mp_raise_OSError(MP_ENOENT);
    }
    *reader = (mp_reader_t){source, next_byte, end_source};
}

mp_lexer_t* mp_lexer_new_from_file(qstr name) {
    mp_reader_t reader;
    mp_reader_new_file(&reader, name);
    return mp_lexer_new(name, reader);
}

static bool is_there(const char* path) {
    const int file = open_file(path);
    if (file < 0) {
        return false;
    }
    close_file(file);
    return true;
}

/* The protocol opens a folder as it does a file. But a folder alone has one named "." in it. */
static bool is_folder(const char* path) {
    vstr_t inside;
    vstr_init(&inside, strlen(path) + sizeof "/.");
    vstr_printf(&inside, "%s/.", path);
    const bool is_there_too = is_there(vstr_null_terminated_str(&inside));
    vstr_clear(&inside);
    return is_there_too;
}

mp_import_stat_t mp_import_stat(const char* path) {
    if (!is_there(path)) {
        return MP_IMPORT_STAT_NO_EXIST;
    }
    return is_folder(path) ? MP_IMPORT_STAT_DIR : MP_IMPORT_STAT_FILE;
}

/* --- open(path[, "r" | "rb"]) */

typedef struct {
    mp_obj_base_t base;
    int file; /* negative: closed */
} file_obj_t;

static mp_uint_t file_read(mp_obj_t self_in, void* into, mp_uint_t size, int* error) {
    file_obj_t* self = MP_OBJ_TO_PTR(self_in);
    if (self->file < 0) {
        *error = MP_EBADF;
        return MP_STREAM_ERROR;
    }
    return read_file(self->file, into, size);
}

static mp_uint_t file_ioctl(mp_obj_t self_in, mp_uint_t request, uintptr_t argument, int* error) {
    (void)argument;
    file_obj_t* self = MP_OBJ_TO_PTR(self_in);
    if (request != MP_STREAM_CLOSE) {
        *error = MP_EINVAL;
        return MP_STREAM_ERROR;
    }
    if (self->file >= 0) {
        close_file(self->file);
        self->file = -1;
    }
    return 0;
}

static const mp_rom_map_elem_t file_table[] = {
    {MP_ROM_QSTR(MP_QSTR_read), MP_ROM_PTR(&mp_stream_read_obj)},
    {MP_ROM_QSTR(MP_QSTR_readinto), MP_ROM_PTR(&mp_stream_readinto_obj)},
    {MP_ROM_QSTR(MP_QSTR_readline), MP_ROM_PTR(&mp_stream_unbuffered_readline_obj)},
    {MP_ROM_QSTR(MP_QSTR_close), MP_ROM_PTR(&mp_stream_close_obj)},
    {MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&mp_stream_close_obj)},
    {MP_ROM_QSTR(MP_QSTR___enter__), MP_ROM_PTR(&mp_identity_obj)},
    {MP_ROM_QSTR(MP_QSTR___exit__), MP_ROM_PTR(&mp_stream___exit___obj)},
};
static MP_DEFINE_CONST_DICT(file_locals, file_table);

static const mp_stream_p_t binary_protocol = {.read = file_read, .ioctl = file_ioctl};
static const mp_stream_p_t text_protocol = {.read = file_read, .ioctl = file_ioctl, .is_text = true};

static MP_DEFINE_CONST_OBJ_TYPE(type_binary, MP_QSTR_FileIO, MP_TYPE_FLAG_ITER_IS_STREAM, protocol, &binary_protocol,
                                locals_dict, &file_locals);
static MP_DEFINE_CONST_OBJ_TYPE(type_text, MP_QSTR_TextIOWrapper, MP_TYPE_FLAG_ITER_IS_STREAM, protocol, &text_protocol,
                                locals_dict, &file_locals);

static mp_obj_t builtin_open(size_t n_args, const mp_obj_t* args, mp_map_t* kw_args) {
    (void)kw_args;
    const char* mode = n_args > 1 ? mp_obj_str_get_str(args[1]) : "r";
    if (strpbrk(mode, "wax+") != NULL) {
        mp_raise_OSError(MP_EROFS);
    }
    const char* path = mp_obj_str_get_str(args[0]);
    if (is_folder(path)) {
        mp_raise_OSError(MP_EISDIR);
    }
    const int file = open_file(path);
    if (file < 0) {
        mp_raise_OSError(MP_ENOENT);
    }
    file_obj_t* self = m_malloc_with_finaliser(sizeof(file_obj_t));
    self->base.type = strchr(mode, 'b') != NULL ? &type_binary : &type_text;
    self->file = file;
    return MP_OBJ_FROM_PTR(self);
}
MP_DEFINE_CONST_FUN_OBJ_KW(mp_builtin_open_obj, 1, builtin_open);
