// The modules uselect and select (NAME-4, POLL-1..7). What has a descriptor, and above all our sockets, the core waits
// for; every other stream of the host is asked by the host's own protocol.
#include "module.h"

#include <poll.h>

#include "py/mperrno.h"
#include "py/mphal.h"
#include "py/objlist.h"
#include "py/objtuple.h"
#include "py/stream.h"

#define FLAG_ONESHOT (1)
#define BOTH (MP_STREAM_POLL_RD | MP_STREAM_POLL_WR)

// How often a stream is asked that cannot be waited for, as in the host's own select.
#define ASKING_PERIOD_MS (1)
// How long a wait may miss that another thread has registered the first of these.
#define PATIENCE_MS (1000)

#define NANOSECONDS(ms) ((int64_t)(ms) * 1000000)

#define SPENT (0x8000)                                                        // no event of poll(2)
#define ENDS (MP_STREAM_POLL_ERR | MP_STREAM_POLL_HUP | MP_STREAM_POLL_NVAL)  // which come unasked

// --- What is registered

// In one block of a 64-bit heap: the host finds one at once, for two it looks through the heap.
typedef struct {
    mp_obj_t object;                       // MP_OBJ_NULL: no longer registered
    mp_obj_t userdata;                     // MP_OBJ_NULL: none was given
    usocket_registration_t* registration;  // the core's; NULL: it has none
    uint16_t events;                       // SPENT: reported in one-shot mode since the last mask; and the ENDS told
    uint16_t found;                        // by the wait that has just ended
    int fd : 30;                           // what fileno() has said; -1: it is no object that has to be asked for that
    unsigned is_asked : 1;                 // by MP_STREAM_POLL; a descriptor, if it has one, just tells when
    unsigned is_wrong : 1;                 // a number that is no descriptor, which every wait complains about
} entry_t;
_Static_assert(sizeof(void*) != 8 || sizeof(entry_t) <= 32, "an entry takes one block");

// Room for what a wait finds.
typedef struct {
    size_t room;
    usocket_event_t items[];
} events_t;

// Threads without a global lock share it: what is registered changes, and is looked up, in steps (module.h).
typedef struct {
    mp_obj_base_t base;
    usocket_poll_t core;
    mp_map_t entries;  // id(object): entry_t*
    size_t asked, wrong;
    events_t* spare;  // NULL: a wait has it
    // Of ipoll():
    events_t* ready;
    size_t count, next;
    mp_obj_tuple_t* tuple;  // the same for every event
} poll_obj_t;

static entry_t* find_in_steps(poll_obj_t* self, mp_obj_t key) {
    const mp_map_elem_t* element = mp_map_lookup(&self->entries, key, MP_MAP_LOOKUP);
    return element == NULL ? NULL : MP_OBJ_TO_PTR(element->value);
}

// Another thread may take it out at once: then it has no object any more.
static entry_t* find(poll_obj_t* self, mp_obj_t object) {
    const mp_obj_t key = mp_obj_id(object);  // for which there may be no memory
    usocket_begin_steps();
    entry_t* entry = find_in_steps(self, key);
    usocket_end_steps();
    return entry;
}

static events_t* new_events(size_t room) {
    events_t* events = m_malloc(sizeof(events_t) + room * sizeof(usocket_event_t));
    events->room = room;
    return events;
}

// ENOENT: it has been taken out. Without userdata it keeps its own.
static usocket_error_t change_in_steps(poll_obj_t* self, entry_t* entry, unsigned events, mp_obj_t userdata) {
    usocket_error_t error = 0;
    if (entry->object == MP_OBJ_NULL) {
        error = MP_ENOENT;
    } else if (entry->registration != NULL) {
        error = usocket_poll_modify(&self->core, entry->registration, events);
    }
    if (error == 0) {
        entry->events = events & ~SPENT;
        if (userdata != MP_OBJ_NULL) {
            entry->userdata = userdata;
        }
    }
    return error;
}

static usocket_error_t change(poll_obj_t* self, entry_t* entry, unsigned events, mp_obj_t userdata) {
    usocket_begin_steps();
    const usocket_error_t error = change_in_steps(self, entry, events, userdata);
    usocket_end_steps();
    return error;
}

static bool forget_in_steps(poll_obj_t* self, entry_t* entry, mp_obj_t key) {
    if (entry->object == MP_OBJ_NULL) {
        return false;
    }
    if (entry->registration != NULL) {
        usocket_poll_unregister(&self->core, entry->registration);
    }
    self->asked -= entry->is_asked;
    self->wrong -= entry->is_wrong;
    mp_map_lookup(&self->entries, key, MP_MAP_LOOKUP_REMOVE_IF_FOUND);
    __atomic_store_n(&entry->object, MP_OBJ_NULL, __ATOMIC_RELEASE);  // first: see fill()
    *entry = (entry_t){.object = MP_OBJ_NULL};
    return true;
}

// False: another thread was quicker.
static bool forget(poll_obj_t* self, entry_t* entry, mp_obj_t object) {
    const mp_obj_t key = mp_obj_id(object);
    usocket_begin_steps();
    const bool was_there = forget_in_steps(self, entry, key);
    usocket_end_steps();
    return was_there;
}

#if USOCKET_MICROPYTHON
#define PROTOCOL_OF(type) MP_OBJ_TYPE_GET_SLOT_OR_NULL(type, protocol)
#else
#define PROTOCOL_OF(type) ((type)->protocol)
#endif

// The descriptor behind an object that is no socket of ours; -1: it has none, but can be asked.
static int fileno_of(mp_obj_t object, bool* is_asked) {
    const mp_stream_p_t* stream = PROTOCOL_OF(mp_obj_get_type(object));
    if (stream != NULL && stream->ioctl != NULL) {
        *is_asked = true;
        int errcode;
        const mp_uint_t fd = stream->ioctl(object, MP_STREAM_GET_FILENO, 0, &errcode);
        return fd == MP_STREAM_ERROR ? -1 : (int)fd;
    }
    if (!mp_obj_is_int(object)) {
        mp_obj_t dest[2];
        mp_load_method_maybe(object, MP_QSTR_fileno, dest);
        if (dest[0] == MP_OBJ_NULL) {
            mp_raise_TypeError(MP_ERROR_TEXT("a stream, a descriptor or an object with fileno() is wanted"));
        }
        object = mp_call_method_n_kw(0, 0, dest);
    }
    const int fd = usocket_get_int(object);
    if (fd < 0) {
        mp_raise_ValueError(NULL);
    }
    return fd;
}

typedef struct {
    poll_obj_t* self;
    mp_obj_t object, userdata;
    unsigned events;
    usocket_obj_t* sock;  // NULL: none of ours
    int fd;               // -1: none
    bool is_asked;
    bool is_there;  // already: its fileno(), or another thread, has registered it
    usocket_error_t error;
} adding_t;

// To the map and to the core: both have it afterwards, or neither.
static void add_to_both(void* of) {
    adding_t* adding = of;
    poll_obj_t* self = adding->self;
    const mp_obj_t key = mp_obj_id(adding->object);
    adding->is_there = find_in_steps(self, key) != NULL;
    if (adding->is_there) {
        return;
    }
    entry_t* entry = m_new0(entry_t, 1);
    entry->object = adding->object;
    entry->userdata = adding->userdata;  // from here on other threads may find it
    entry->events = adding->events & ~SPENT;
    entry->fd = adding->is_asked ? -1 : adding->fd;
    entry->is_asked = adding->is_asked;
    const events_t* spare = __atomic_load_n(&self->spare, __ATOMIC_ACQUIRE);  // a wait may take it
    if (spare == NULL || spare->room <= self->entries.used + 1) {
        self->spare = new_events(2 * self->entries.used + 4);  // so that waiting needs no memory
    }
    mp_map_lookup(&self->entries, key, MP_MAP_LOOKUP_ADD_IF_NOT_FOUND)->value = MP_OBJ_FROM_PTR(entry);
    usocket_error_t error = 0;
    if (adding->sock != NULL) {
        error = usocket_poll_register(&self->core, &adding->sock->socket, adding->events, entry, &entry->registration);
    } else if (adding->fd >= 0) {
        error = usocket_poll_register_fd(&self->core, adding->fd, adding->events, entry, &entry->registration);
        entry->is_wrong = error == MP_EBADF || error == MP_EINVAL;
    }
    self->asked += entry->is_asked;
    self->wrong += entry->is_wrong;
    if (error != 0 && !entry->is_wrong) {
        adding->error = error;
        forget_in_steps(self, entry, key);
    }
}

// False: it is there already.
static bool add(poll_obj_t* self, mp_obj_t object, unsigned events, mp_obj_t userdata) {
    adding_t adding = {self, object, userdata, events, usocket_find(object), -1, false, false, 0};
    if (adding.sock == NULL) {
        adding.fd = fileno_of(object, &adding.is_asked);
    }
    usocket_in_steps(add_to_both, &adding);
    usocket_check(adding.error, MP_OBJ_NULL);
    return !adding.is_there;
}

// Of what is registered already. False: it is no longer.
static bool change_or_forget(poll_obj_t* self, entry_t* entry, mp_obj_t object, unsigned events, mp_obj_t userdata) {
    bool has_moved = false;
    if (entry->fd >= 0) {
        const int before = entry->fd;
        bool is_asked;
        has_moved = fileno_of(object, &is_asked) != before;
    }
    const usocket_error_t error = has_moved ? MP_EBADF : change(self, entry, events, userdata);
    if (error == MP_EBADF) {
        // Its number was closed, and may be another file's by now, or it has another: that is then meant (POLL-7).
        forget(self, entry, object);
    }
    if (error == MP_EBADF || error == MP_ENOENT) {
        return false;
    }
    usocket_check(error, MP_OBJ_NULL);
    return true;
}

// What is registered already gets the new mask, and userdata if there is any.
static void add_or_change(poll_obj_t* self, mp_obj_t object, unsigned events, mp_obj_t userdata, bool is_more) {
    bool is_done;
    do {
        entry_t* entry = find(self, object);
        if (entry == NULL) {
            is_done = add(self, object, events, userdata);
            continue;
        }
        if (is_more) {
            events |= entry->events;
        }
        if (userdata == MP_OBJ_NULL) {
            userdata = entry->userdata;
        }
        is_done = change_or_forget(self, entry, object, events, userdata);
    } while (!is_done);
}

// --- Waiting

// The next one that is asked, from the place on; NULL: there is none. While others come and go, one may be left out, or
// found twice.
static entry_t* next_asked(poll_obj_t* self, size_t* place) {
    entry_t* found = NULL;
    usocket_begin_steps();
    while (found == NULL && *place < self->entries.alloc) {
        const size_t i = (*place)++;
        if (mp_map_slot_is_filled(&self->entries, i)) {
            entry_t* entry = MP_OBJ_TO_PTR(self->entries.table[i].value);
            found = entry->is_asked ? entry : NULL;
        }
    }
    usocket_end_steps();
    return found;
}

// Asks the streams that have no descriptor, or might know more than it. What is ready goes to the end of `events`; at
// their beginning is room for at least one that the core finds.
static size_t ask(poll_obj_t* self, events_t* events) {
    size_t count = 0;
    entry_t* entry;
    for (size_t i = 0; self->asked != 0 && (entry = next_asked(self, &i)) != NULL;) {
        const mp_obj_t object = entry->object;
        if (object == MP_OBJ_NULL) {
            continue;
        }
        int errcode;
        const mp_stream_p_t* stream = mp_get_stream(object);
        const bool is_spent = (entry->events & SPENT) != 0;
        mp_uint_t found = stream->ioctl(object, MP_STREAM_POLL, is_spent ? ENDS : entry->events, &errcode);
        if (found == MP_STREAM_ERROR) {
            if (entry->registration == NULL) {
                mp_raise_OSError(errcode);
            }
            usocket_begin_steps();
            self->asked -= entry->is_asked;
            entry->is_asked = false;  // all that it knows is its descriptor
            usocket_end_steps();
            continue;
        }
        if (is_spent) {
            found &= ENDS & ~entry->events;
        }
        if (found != 0 && count + 1 < events->room) {
            ++count;
            events->items[events->room - count] = (usocket_event_t){.events = found, .userdata = entry};
        }
    }
    return count;
}

// Of what the core found at the beginning of `events`, keeps what is to be reported; returns how many there are. The
// descriptor of a stream that is asked just hints that it is time to ask.
static size_t keep(poll_obj_t* self, events_t* events, size_t count, bool* is_hinted) {
    size_t kept = 0;
    for (size_t i = 0; i < count; ++i) {
        usocket_event_t* event = &events->items[i];
        entry_t* entry = event->userdata;
        if (entry->is_asked) {
            *is_hinted = true;
            usocket_begin_steps();  // or another thread's modify() would be undone
            if ((entry->events & SPENT) == 0) {
                (void)change_in_steps(self, entry, entry->events, MP_OBJ_NULL);
            }
            usocket_end_steps();
        } else if (entry->object != MP_OBJ_NULL) {
            if ((event->events & MP_STREAM_POLL_NVAL) != 0) {
                event->events = MP_STREAM_POLL_NVAL;  // as poll(2) has it of a closed number
            }
            events->items[kept++] = *event;
        }
    }
    return kept;
}

size_t usocket_poll_once(usocket_poll_t* poll, usocket_event_t* events, size_t room, int64_t span_ns, bool one_shot) {
    usocket_waiting_t waiting;
    waiting.request.socket = NULL;
    waiting.poll = poll;
    waiting.events = events;
    waiting.room = room;
    waiting.timeout.nanoseconds = span_ns;
    waiting.one_shot = one_shot;
    usocket_check(usocket_wait(usocket_request_poll, &waiting.request), MP_OBJ_NULL);
    return waiting.request.count;
}

// One look at everything, which lasts as long as nothing is ready, but at most `span_ns`.
static size_t look(poll_obj_t* self, events_t* events, int64_t span_ns, bool one_shot, bool* is_hinted) {
    const size_t asked = ask(self, events);
    const size_t found =
        usocket_poll_once(&self->core, events->items, events->room - asked, asked != 0 ? 0 : span_ns, one_shot);
    size_t count = keep(self, events, found, is_hinted);
    for (size_t i = events->room - asked; i < events->room; ++i) {
        if (((entry_t*)events->items[i].userdata)->object != MP_OBJ_NULL) {
            events->items[count++] = events->items[i];
        }
    }
    return count;
}

// Waits, and puts what it finds into `*events`; returns how many there are.
static size_t wait(poll_obj_t* self, double timeout_ms, bool one_shot, events_t** events) {
    if (self->wrong != 0) {
        mp_raise_OSError(MP_EINVAL);
    }
    usocket_timeout_t timeout;
    usocket_check(usocket_arg_poll_timeout(timeout_ms, &timeout), MP_OBJ_NULL);
    *events = __atomic_exchange_n(&self->spare, NULL, __ATOMIC_ACQ_REL);  // other threads may wait, too
    if (*events == NULL || (*events)->room <= self->entries.used) {
        *events = new_events(self->entries.used + 1);
    }
    const mp_uint_t start = mp_hal_ticks_ms();
    size_t count = 0;
    for (bool is_hinted = false, was_hinted = false;; was_hinted = is_hinted) {
        const int64_t passed = NANOSECONDS((mp_uint_t)(mp_hal_ticks_ms() - start));
        int64_t left = timeout.nanoseconds;  // negative: no limit
        if (left >= 0) {
            left = passed < left ? left - passed : 0;
        }
        const int64_t period = NANOSECONDS(self->asked != 0 ? ASKING_PERIOD_MS : PATIENCE_MS);
        const bool is_whole = left >= 0 && left <= period;
        is_hinted = false;
        count = look(self, *events, is_whole ? left : period, one_shot, &is_hinted);
        if (count != 0 || left == 0 || (is_whole && !is_hinted)) {
            break;
        }
        mp_handle_pending(true);
        if (is_hinted && was_hinted) {
            mp_hal_delay_ms(ASKING_PERIOD_MS);  // whatever its descriptor says, the stream is not ready
        }
    }
    usocket_begin_steps();
    for (size_t i = 0; i < count; ++i) {
        entry_t* entry = (*events)->items[i].userdata;
        entry->found = (*events)->items[i].events;
        if (one_shot && (entry->events & SPENT) == 0) {
            entry->events = SPENT;
        }
        if ((entry->events & SPENT) != 0) {
            entry->events |= entry->found & ENDS;
        }
    }
    usocket_end_steps();
    return count;
}

static double get_timeout(size_t n_args, const mp_obj_t* args, size_t index) {
    return n_args > index && args[index] != mp_const_none ? usocket_get_double(args[index]) : -1;
}

// --- The class poll

static poll_obj_t* new_poll(void) {
    poll_obj_t* self = m_malloc_with_finaliser(sizeof(poll_obj_t));
    *self = (poll_obj_t){.spare = NULL};
    usocket_poll_init(&self->core);
    mp_map_init(&self->entries, 0);
    self->base.type = &usocket_type_poll;
    return self;
}

mp_obj_t usocket_new_poll(void) { return MP_OBJ_FROM_PTR(new_poll()); }
usocket_poll_t* usocket_poll_core(mp_obj_t poll) { return &((poll_obj_t*)MP_OBJ_TO_PTR(poll))->core; }

static mp_obj_t poll_register(size_t n_args, const mp_obj_t* args) {
    poll_obj_t* self = MP_OBJ_TO_PTR(args[0]);
    add_or_change(self, args[1], n_args > 2 ? usocket_get_events(args[2]) : BOTH, n_args > 3 ? args[3] : MP_OBJ_NULL,
                  false);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(poll_register_obj, 2, 4, poll_register);

static mp_obj_t poll_unregister(size_t n_args, const mp_obj_t* pos_args, mp_map_t* kw_args) {
    static const mp_arg_t allowed[] = {
        {MP_QSTR_obj, MP_ARG_REQUIRED | MP_ARG_OBJ, {.u_obj = MP_OBJ_NULL}},
        {MP_QSTR_throw, MP_ARG_BOOL, {.u_bool = true}},
    };
    mp_arg_val_t args[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args - 1, pos_args + 1, kw_args, MP_ARRAY_SIZE(allowed), allowed, args);
    poll_obj_t* self = MP_OBJ_TO_PTR(pos_args[0]);
    entry_t* entry = find(self, args[0].u_obj);
    const bool was_there = entry != NULL && forget(self, entry, args[0].u_obj);
    if (!was_there && args[1].u_bool) {
        nlr_raise(mp_obj_new_exception_arg1(&mp_type_KeyError, args[0].u_obj));
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_KW(poll_unregister_obj, 1, poll_unregister);

static mp_obj_t poll_modify(mp_obj_t self_in, mp_obj_t object, mp_obj_t eventmask) {
    poll_obj_t* self = MP_OBJ_TO_PTR(self_in);
    entry_t* entry = find(self, object);
    if (entry == NULL) {
        mp_raise_OSError(MP_ENOENT);
    }
    usocket_check(change(self, entry, usocket_get_events(eventmask), MP_OBJ_NULL), MP_OBJ_NULL);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(poll_modify_obj, poll_modify);

// False: it has been unregistered since, as another thread may do at any time without a global lock. An entry is that
// of one registration, and goes by losing its object first: as long as that is there, its userdata was.
static bool fill(mp_obj_tuple_t* tuple, const usocket_event_t* event) {
    const entry_t* entry = event->userdata;
    tuple->items[2] = __atomic_load_n(&entry->userdata, __ATOMIC_ACQUIRE);
    tuple->items[0] = __atomic_load_n(&entry->object, __ATOMIC_ACQUIRE);
    tuple->items[1] = MP_OBJ_NEW_SMALL_INT(event->events);
    tuple->len = tuple->items[2] != MP_OBJ_NULL ? 3 : 2;
    return tuple->items[0] != MP_OBJ_NULL;
}

static mp_obj_t poll_poll(size_t n_args, const mp_obj_t* args) {
    poll_obj_t* self = MP_OBJ_TO_PTR(args[0]);
    events_t* events;
    size_t count;
    mp_obj_list_t* list;
    do {
        count = wait(self, get_timeout(n_args, args, 1), false, &events);
        list = MP_OBJ_TO_PTR(mp_obj_new_list(count, NULL));
        list->len = 0;
        for (size_t i = 0; i < count; ++i) {
            mp_obj_tuple_t* tuple = MP_OBJ_TO_PTR(mp_obj_new_tuple(3, NULL));
            if (fill(tuple, &events->items[i])) {
                list->items[list->len++] = MP_OBJ_FROM_PTR(tuple);
            }
        }
        self->spare = events;
    } while (count != 0 && list->len == 0);
    return MP_OBJ_FROM_PTR(list);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(poll_poll_obj, 1, 2, poll_poll);

static void end_iteration(poll_obj_t* self) {
    usocket_begin_steps();
    self->count = self->next = 0;
    if (self->ready != NULL) {
        self->spare = self->ready;
    }
    self->ready = NULL;
    usocket_end_steps();
}

static mp_obj_t poll_ipoll(size_t n_args, const mp_obj_t* args) {
    poll_obj_t* self = MP_OBJ_TO_PTR(args[0]);
    end_iteration(self);
    const bool one_shot = n_args > 2 && (usocket_get_int(args[2]) & FLAG_ONESHOT) != 0;
    events_t* events;
    const size_t count = wait(self, get_timeout(n_args, args, 1), one_shot, &events);
    usocket_begin_steps();
    self->ready = events;
    self->count = count;
    usocket_end_steps();
    return args[0];
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(poll_ipoll_obj, 1, 3, poll_ipoll);

// False: that was the last. More than one thread may ask.
static bool take_event(poll_obj_t* self, usocket_event_t* event) {
    usocket_begin_steps();
    const bool is_there = self->next < self->count;
    if (is_there) {
        *event = self->ready->items[self->next++];
    }
    usocket_end_steps();
    return is_there;
}

// Of ipoll().
static mp_obj_t iternext(mp_obj_t self_in) {
    poll_obj_t* self = MP_OBJ_TO_PTR(self_in);
    usocket_event_t event;
    while (take_event(self, &event)) {
        if (self->tuple == NULL) {
            self->tuple = MP_OBJ_TO_PTR(mp_obj_new_tuple(3, NULL));
        }
        if (fill(self->tuple, &event)) {
            return MP_OBJ_FROM_PTR(self->tuple);
        }
    }
    end_iteration(self);
    return MP_OBJ_STOP_ITERATION;
}

// The finaliser.
static mp_obj_t poll___del__(mp_obj_t self_in) {
#if USOCKET_HAS_CALLBACKS
    usocket_end_callbacks(self_in);
#endif
    usocket_poll_destroy(&((poll_obj_t*)MP_OBJ_TO_PTR(self_in))->core);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(poll___del___obj, poll___del__);

static const mp_rom_map_elem_t locals_table[] = {
    {MP_ROM_QSTR(MP_QSTR_register), MP_ROM_PTR(&poll_register_obj)},
    {MP_ROM_QSTR(MP_QSTR_unregister), MP_ROM_PTR(&poll_unregister_obj)},
    {MP_ROM_QSTR(MP_QSTR_modify), MP_ROM_PTR(&poll_modify_obj)},
    {MP_ROM_QSTR(MP_QSTR_poll), MP_ROM_PTR(&poll_poll_obj)},
    {MP_ROM_QSTR(MP_QSTR_ipoll), MP_ROM_PTR(&poll_ipoll_obj)},
    {MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&poll___del___obj)},
};
static MP_DEFINE_CONST_DICT(locals, locals_table);

#if USOCKET_MICROPYTHON
MP_DEFINE_CONST_OBJ_TYPE(usocket_type_poll, MP_QSTR_poll, MP_TYPE_FLAG_ITER_IS_ITERNEXT, iter, iternext, locals_dict,
                         &locals);
#else
const mp_obj_type_t usocket_type_poll = {
    {&mp_type_type},
    .name = MP_QSTR_poll,
    .getiter = mp_identity_getiter,
    .iternext = iternext,
    .locals_dict = (mp_obj_dict_t*)&locals,
};
#endif

// --- The modules' functions

// poll([size]): Pycopy's programs may say for how many.
static mp_obj_t make_poll(size_t n_args, const mp_obj_t* args) {
    (void)n_args;
    (void)args;
    return MP_OBJ_FROM_PTR(new_poll());
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(make_poll_obj, 0, 1, make_poll);

// select(rlist, wlist, xlist[, timeout_s])
static mp_obj_t select_(size_t n_args, const mp_obj_t* args) {
    static const unsigned masks[] = {MP_STREAM_POLL_RD, MP_STREAM_POLL_WR, POLLPRI};
    const double seconds = get_timeout(n_args, args, 3);
    poll_obj_t* self = new_poll();
    size_t sizes[3];
    mp_obj_t *items[3], lists[3];
    for (size_t i = 0; i < 3; ++i) {
        mp_obj_get_array(args[i], &sizes[i], &items[i]);
        lists[i] = mp_obj_new_list(0, NULL);
        for (size_t j = 0; j < sizes[i]; ++j) {
            add_or_change(self, items[i][j], masks[i], MP_OBJ_NULL, true);
        }
    }
    events_t* events;
    wait(self, seconds < 0 ? seconds : seconds * 1000, false, &events);
    for (size_t i = 0; i < 3; ++i) {
        for (size_t j = 0; j < sizes[i]; ++j) {
            if ((find(self, items[i][j])->found & (masks[i] | ~BOTH)) != 0) {
                mp_obj_list_append(lists[i], items[i][j]);
            }
        }
    }
    usocket_poll_destroy(&self->core);
    return mp_obj_new_tuple(3, lists);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(select_obj, 3, 4, select_);

static const mp_rom_map_elem_t table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_uselect)},
    {MP_ROM_QSTR(MP_QSTR_poll), MP_ROM_PTR(&make_poll_obj)},
    {MP_ROM_QSTR(MP_QSTR_select), MP_ROM_PTR(&select_obj)},
    {MP_ROM_QSTR(MP_QSTR_POLLIN), MP_ROM_INT(MP_STREAM_POLL_RD)},
    {MP_ROM_QSTR(MP_QSTR_POLLOUT), MP_ROM_INT(MP_STREAM_POLL_WR)},
    {MP_ROM_QSTR(MP_QSTR_POLLERR), MP_ROM_INT(MP_STREAM_POLL_ERR)},
    {MP_ROM_QSTR(MP_QSTR_POLLHUP), MP_ROM_INT(MP_STREAM_POLL_HUP)},
};
static MP_DEFINE_CONST_DICT(globals, table);

const mp_obj_module_t usocket_select_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t*)&globals,
};

// Pycopy searches the lines of this file for MP_REGISTER_MODULE, blind to #ifdef, but not behind a comment.
#ifdef MP_DEFINE_CONST_OBJ_TYPE
/* MicroPython */ MP_REGISTER_MODULE(MP_QSTR_uselect, usocket_select_module);
/* MicroPython */ MP_REGISTER_EXTENSIBLE_MODULE(MP_QSTR_select, usocket_select_module);
#else
MP_REGISTER_MODULE(MP_QSTR_uselect, usocket_select_module, 1);
MP_REGISTER_MODULE(MP_QSTR_select, usocket_select_module, 1);
#endif
