// The class poll and the function select of uselect (POLL-1..7).
#include "method.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>
#include <unordered_map>
#include <utility>

namespace usocket::cpython {
namespace {

// A reference to an object of the program's, whose __del__() may run when it goes.
class Kept {
public:
    Kept() noexcept = default;
    explicit Kept(nb::handle object) noexcept : object_(object) { object_.inc_ref(); }
    Kept(const Kept& other) noexcept : Kept(other.object_) {}
    Kept(Kept&& other) noexcept : object_(std::exchange(other.object_, {})) {}
    Kept& operator=(Kept other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }
    ~Kept() {
        if (object_.is_valid()) python<Py_DecRef>(object_.ptr());
    }
    // Null if there is none.
    static Kept steal(PyObject* object) noexcept {
        Kept kept;
        kept.object_ = object;
        return kept;
    }

    [[nodiscard]] bool is_valid() const noexcept { return object_.is_valid(); }
    [[nodiscard]] PyObject* ptr() const noexcept { return object_.ptr(); }
    operator nb::handle() const noexcept { return object_; }

private:
    nb::handle object_;
};

// What is registered: keeps the object alive, and goes with the events that the core reports.
struct Entry {
    Kept object;
    Kept userdata;  // null: none was given
    Registration* registration = nullptr;
    int fd = -1;          // -1: a socket of ours
    unsigned wanted = 0;  // what select() is asked for...
    unsigned ready = 0;   // ...and what there is of it
};

// For the events of a wait, which leaves it to the next. Not touched until something is ready: a wait must not cost
// what is registered (POLL-4).
class Room {
public:
    // False: no memory.
    [[nodiscard]] bool make(std::size_t count) noexcept {
        if (count <= size_) return true;
        events_.reset(static_cast<Poll::Event*>(std::malloc(count * sizeof(Poll::Event))));
        size_ = events_ != nullptr ? count : 0;
        return events_ != nullptr;
    }
    [[nodiscard]] Poll::Event* events() const noexcept { return events_.get(); }

private:
    std::unique_ptr<Poll::Event, decltype([](Poll::Event* events) { std::free(events); })> events_;
    std::size_t size_ = 0;
};

struct Poller {
    // By identity; a descriptor by its number. An Entry stays where it is as long as it is registered.
    std::unordered_map<PyObject*, Entry> objects;
    std::unordered_map<std::int64_t, Entry> descriptors;
    Room room;  // of no wait that goes on
    Poll core;  // goes first

    // Null: not registered.
    Entry* find(nb::handle object) noexcept {
        Int number;
        if (PyLong_Check(object.ptr()) && number.set(object)) {
            const auto found = descriptors.find(number.value);
            return found == descriptors.end() ? nullptr : &found->second;
        }
        const auto found = objects.find(object.ptr());
        return found == objects.end() ? nullptr : &found->second;
    }
    // Its entry, or a new one without a registration; null: no memory.
    Entry* find_or_add(nb::handle object) noexcept {
        Int number;
        try {
            if (PyLong_Check(object.ptr()) && number.set(object)) return &descriptors[number.value];
            return &objects[object.ptr()];
        } catch (const std::bad_alloc&) {
            return nullptr;
        }
    }
    void remove(nb::handle object) noexcept {
        Int number;
        if (PyLong_Check(object.ptr()) && number.set(object))
            drop(descriptors, number.value);
        else
            drop(objects, object.ptr());
    }

private:
    // What the entry held is let go last: it may call back.
    template <class Map> static void drop(Map& map, const typename Map::key_type& key) noexcept {
        const auto node = map.extract(key);
    }
};

struct PollerObject {
    PyObject_HEAD PyObject* weakrefs;
    Poller poller;
};

PollerObject& poller_object(PyObject* object) noexcept { return *reinterpret_cast<PollerObject*>(object); }

class PollerInUse {
public:
    PollerInUse(PyObject* object, PyObject* argument) noexcept
        : exclusive_(object, argument), poller_(poller_object(object).poller) {}
    [[nodiscard]] Poller& operator*() const noexcept { return poller_; }

private:
    ExclusiveWith exclusive_;
    Poller& poller_;
};

// The descriptor of what has a fileno(). False: the Python error is set.
bool fileno_of(nb::handle object, int& fd) noexcept {
    const bool is_number = PyLong_Check(object.ptr());
    const auto got =
        is_number ? Kept(object)
                  : Kept::steal(python<PyObject_CallMethod>(object.ptr(), "fileno", static_cast<const char*>(nullptr)));
    if (!got.is_valid()) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) return false;
        python<PyErr_Format>(PyExc_TypeError, "a descriptor or an object with fileno() is required, not '%S'",
                             name_of_type(object).ptr());
        return false;
    }
    Int number;
    if (!PyLong_Check(got.ptr()) || !number.set(got)) {
        python<PyErr_Format>(PyExc_TypeError, "fileno(): an int is required, not '%S'", name_of_type(got).ptr());
        return false;
    }
    const auto fits = arguments::to_int(number.value);
    if (fits)
        fd = *fits;
    else
        raise(fits.error(), got);
    return fits.has_value();
}

// What is registered already gets the new mask, on the descriptor that it has now: of a socket that was made anew, or
// of an object whose fileno() has changed, that is another than before (POLL-7).
Result<Registration*> register_again(Poller& self, Entry& known, Socket* socket, int fd, unsigned events) noexcept {
    if (socket != nullptr && !socket->closed()) return self.core.register_(*socket, events, &known);
    const auto modified =
        socket != nullptr || fd == known.fd ? self.core.modify(known.registration, events) : Result<void>(Error(EBADF));
    if (modified) return known.registration;
    if (modified.error() != Error(EBADF)) return modified.error();
    return self.core.register_another(fd, events, &known);
}

// What is watched; its registration is known by `object`.
struct Watched {
    nb::handle object;
    Socket* socket;  // null: any descriptor
    int fd;
};

nb::object watch(Poller& self, const Watched& watched, const Int& eventmask, nb::handle userdata) noexcept {
    const auto [object, socket, fd] = watched;
    const unsigned events = arguments::event_mask(eventmask.value);
    Entry* const entry = self.find_or_add(object);
    if (entry == nullptr) return raise(Error(ENOMEM));
    if (entry->registration != nullptr) {
        const auto again = register_again(self, *entry, socket, fd, events);
        if (!again) return raise(again.error(), eventmask.object);
        entry->fd = fd;
        Registration* const before = std::exchange(entry->registration, *again);
        if (before != *again) self.core.unregister(before);
        if (userdata.is_valid()) {
            const Kept old = std::exchange(entry->userdata, Kept(userdata));
        }
        return nb::none();
    }
    const auto added =
        socket != nullptr ? self.core.register_(*socket, events, entry) : self.core.register_another(fd, events, entry);
    if (!added) {
        self.remove(object);
        return raise(added.error(), eventmask.object);
    }
    *entry = {Kept(object), userdata.is_valid() ? Kept(userdata) : Kept(), *added, fd};
    return nb::none();
}

nb::object register_object(Poller& self, nb::handle object, const Int& eventmask, nb::handle userdata) noexcept {
    Socket* const socket = socket_of(object);
    int fd = -1;
    // Which may register it: only then is it looked for.
    if (socket == nullptr && !fileno_of(object, fd)) return {};
    return watch(self, {object, socket, fd}, eventmask, userdata);
}

nb::object register_(Poller& self, Anything obj, Maybe<Int> eventmask, Maybe<Anything> userdata) {
    if (!eventmask.given) eventmask.value = POLLIN | POLLOUT;
    return register_object(self, obj.object, eventmask, userdata.object);
}

// How the desktop's callbacks are watched for (SOCK-11). What the poll keeps alive, and reports, is the weak reference.
nb::object _register_weakly(Poller& self, Anything sock, Int eventmask) {
    Socket* const socket = socket_of(sock.object);
    if (socket == nullptr) {
        PyErr_SetString(PyExc_TypeError, "a socket is required");
        return {};
    }
    const auto reference = nb::steal(python<PyWeakref_NewRef>(sock.object.ptr(), static_cast<PyObject*>(nullptr)));
    if (!reference.is_valid()) return {};
    return watch(self, {reference, socket, -1}, eventmask, {}).is_valid() ? reference : nb::object();
}

nb::object unregister(Poller& self, Anything obj, Maybe<Truth> is_error) {
    if (Entry* known = self.find(obj.object)) {
        self.core.unregister(known->registration);
        const Kept held = known->object;
        self.remove(held);
        return nb::none();
    }
    if (is_error.given && !is_error.value) return nb::none();
    // As its only argument, even if it is a tuple.
    const auto error = nb::steal(python<PyObject_CallFunctionObjArgs>(PyExc_KeyError, obj.object.ptr(), nullptr));
    if (error.is_valid()) python<PyErr_SetObject>(PyExc_KeyError, error.ptr());
    return {};
}

nb::object modify(Poller& self, Anything obj, const Int& eventmask) {
    Entry* known = self.find(obj.object);
    if (known == nullptr) return raise(Error(ENOENT));
    const auto modified = self.core.modify(known->registration, arguments::event_mask(eventmask.value));
    return modified ? nb::none() : raise(modified.error(), eventmask.object);
}

// --- Waiting

bool no_memory() noexcept {
    PyErr_NoMemory();
    return false;
}

struct Ready {
    Kept object;
    unsigned events;
    Kept userdata;
};

// What a wait has found, and keeps alive. A few need no memory of the heap.
class Found {
public:
    Found() noexcept = default;
    Found(const Found&) = delete;
    Found& operator=(const Found&) = delete;
    ~Found() {
        std::destroy_n(first_, size_);
        std::free(many_);
    }

    [[nodiscard]] std::span<const Ready> all() const noexcept { return {first_, size_}; }
    // False: the Python error is set.
    [[nodiscard]] bool set(std::span<const Poll::Event> events) noexcept {
        if (events.size() > few) {
            many_ = std::malloc(events.size() * sizeof(Ready));
            if (many_ == nullptr) return no_memory();
            first_ = static_cast<Ready*>(many_);
        }
        for (const Poll::Event& event : events) {
            const auto* entry = static_cast<const Entry*>(event.userdata);
            new (first_ + size_++) Ready{entry->object, event.events, entry->userdata};
        }
        return true;
    }

private:
    static constexpr std::size_t few = 8;
    alignas(Ready) unsigned char memory_[few * sizeof(Ready)];
    void* many_ = nullptr;
    Ready* first_ = reinterpret_cast<Ready*>(memory_);
    std::size_t size_ = 0;
};

// False: the Python error is set.
bool wait(Poller& self, const OptionalNumber& timeout_ms, bool one_shot, Found& found) noexcept {
    const auto timeout = timeout_ms.value ? arguments::poll_timeout(*timeout_ms.value) : Timeout::none();
    if (!timeout) {
        raise(timeout.error(), timeout_ms.object);
        return false;
    }
    const std::size_t most = std::max<std::size_t>(self.core.size(), 1);
    Room room = std::exchange(self.room, {});
    if (!room.make(most)) return no_memory();
    const auto count = self.core.poll(room.events(), most, *timeout, one_shot, Call(host()));
    if (!count) {
        raise(count.error());
        return false;
    }
    // Before anything is allocated for Python: whatever that may set off can unregister them.
    const bool is_set = found.set({room.events(), *count});
    self.room = std::move(room);
    return is_set;
}

nb::object list_of(std::span<const Ready> ready) noexcept {
    auto list = nb::steal(python<PyList_New>(static_cast<Py_ssize_t>(ready.size())));
    if (!list.is_valid()) return {};
    Py_ssize_t place = 0;
    for (const Ready& one : ready) {
        const auto events = nb::steal(PyLong_FromUnsignedLong(one.events));
        nb::object tuple =
            one.userdata.is_valid() ? tuple_of(one.object, events, one.userdata) : tuple_of(one.object, events);
        if (!tuple.is_valid() || PyList_SetItem(list.ptr(), place++, tuple.release().ptr()) < 0) return {};
    }
    return list;
}

nb::object poll(Poller& self, const Maybe<OptionalNumber>& timeout_ms) {
    Found found;
    return wait(self, timeout_ms, false, found) ? list_of(found.all()) : nb::object();
}

nb::object ipoll(Poller& self, const Maybe<OptionalNumber>& timeout_ms, Maybe<Int> flags) {
    Found found;
    if (!wait(self, timeout_ms, (flags.value & 1) != 0, found)) return {};
    const auto list = list_of(found.all());
    return list.is_valid() ? nb::steal(python<PyObject_GetIter>(list.ptr())) : nb::object();
}

// --- select

// A tuple of ours: the caller may change the list meanwhile.
struct Objects {
    static constexpr const char* kind = "an iterable of descriptors and objects with fileno()";
    Kept tuple;

    [[nodiscard]] bool set(nb::handle from) noexcept {
        // A socket is iterable, too: by the lines that it would have to wait for.
        if (socket_of(from) != nullptr) return false;
        if (!is_iterable(from)) return false;
        tuple = Kept::steal(python<PySequence_Tuple>(from.ptr()));
        return tuple.is_valid();
    }
    [[nodiscard]] std::size_t size() const noexcept { return tuple_size(tuple); }
    [[nodiscard]] PyObject* operator[](std::size_t i) const noexcept { return tuple_item(tuple, i); }
};

// One of its lists: what of the events it asks for, and what of them puts an object into its result.
struct Selected {
    const Objects& objects;
    unsigned wanted;
    unsigned shown;
};

// False: the Python error is set.
bool select_add(Poller& poller, nb::handle object, unsigned events) noexcept {
    if (const Entry* known = poller.find(object)) events |= known->wanted;
    Int mask;
    mask.value = static_cast<std::int64_t>(events);
    mask.object = object;
    const Exclusive exclusive(object.ptr());
    if (!register_object(poller, object, mask, {}).is_valid()) return false;
    poller.find(object)->wanted = events;
    return true;
}

nb::object select_list(Poller& poller, const Selected& selected) noexcept {
    auto list = nb::steal(python<PyList_New>(Py_ssize_t{0}));
    if (!list.is_valid()) return {};
    for (std::size_t i = 0; i < selected.objects.size(); ++i) {
        PyObject* const object = selected.objects[i];
        const bool is_ready = (poller.find(object)->ready & selected.shown) != 0;
        if (is_ready && PyList_Append(list.ptr(), object) < 0) return {};
    }
    return list;
}

nb::object select(const Objects& rlist, const Objects& wlist, const Objects& xlist, Maybe<OptionalNumber> timeout_s) {
    // Whatever ends a wait must be in a list that asked for the object: a hang-up is readable, and a write says so too.
    constexpr unsigned ends = POLLERR | POLLHUP | POLLNVAL;
    const Selected lists[] = {
        {rlist, POLLIN, POLLIN | ends}, {wlist, POLLOUT, POLLOUT | ends}, {xlist, POLLPRI, POLLPRI | ends}};
    Poller poller;
    for (const Selected& list : lists) {
        for (std::size_t i = 0; i < list.objects.size(); ++i) {
            if (!select_add(poller, list.objects[i], list.wanted)) return {};
        }
    }
    if (timeout_s.value) *timeout_s.value *= 1000;
    Found found;
    if (!wait(poller, timeout_s, false, found)) return {};
    for (const Ready& one : found.all()) poller.find(one.object)->ready = one.events;
    return tuple_of(select_list(poller, lists[0]), select_list(poller, lists[1]), select_list(poller, lists[2]));
}

// --- The class

PyObject* create(PyTypeObject* type, PyObject* given, PyObject* keywords) noexcept {
    // A subclass's own __init__() may take some.
    const bool has_any = tuple_size(given) != 0 || (keywords != nullptr && PyDict_Size(keywords) != 0);
    if (has_any && PyType_GetSlot(type, Py_tp_init) == PyType_GetSlot(&PyBaseObject_Type, Py_tp_init)) {
        PyErr_SetString(PyExc_TypeError, "poll() takes no arguments");
        return nullptr;
    }
    PyObject* made = python<PyType_GenericAlloc>(type, Py_ssize_t{0});
    if (made != nullptr) new (&poller_object(made).poller) Poller;
    return made;
}

int traverse(PyObject* self, visitproc visit, void* arg) noexcept {
    Py_VISIT(Py_TYPE(self));
    const Poller& poller = poller_object(self).poller;
    for (const auto& [key, entry] : poller.objects) {
        Py_VISIT(entry.object.ptr());
        Py_VISIT(entry.userdata.ptr());
    }
    for (const auto& [key, entry] : poller.descriptors) Py_VISIT(entry.userdata.ptr());
    return 0;
}

int clear(PyObject* self) noexcept {
    Poller& poller = poller_object(self).poller;
    poller.core = Poll();
    const auto objects = std::exchange(poller.objects, {});
    const auto descriptors = std::exchange(poller.descriptors, {});
    return 0;
}

void destroy(PyObject* self) noexcept {
    PyObject_GC_UnTrack(self);
    PollerObject& object = poller_object(self);
    if (object.weakrefs != nullptr) python<PyObject_ClearWeakRefs>(self);
    object.poller.~Poller();
    free_instance(self);
}

}  // namespace

template <> struct Receiver<Poller> {
    using Type = PollerInUse;
};

namespace {

constexpr char usage_of_register[] = "register(obj[, eventmask[, userdata]])";

PyMethodDef methods[] = {
    {"register", as_c_function(Method<usage_of_register, register_>::call), METH_FASTCALL,
     "register($self, obj, eventmask=..., userdata=..., /)\n--\n\n"
     "Watches a descriptor or an object with fileno(), which is returned with its userdata if there is any. What\n"
     "is registered already gets the new mask and, if given, the new userdata. The mask is POLLIN | POLLOUT unless\n"
     "one is given."},
    USOCKET_METHOD_WITH_KEYWORDS(unregister, "obj, throw=True",
                                 "Watches obj no more. KeyError if it is not registered, unless throw is False."),
    USOCKET_METHOD(modify, "obj, eventmask", "Watches obj for other events. OSError(ENOENT) if it is not registered."),
    USOCKET_METHOD(poll, "timeout_ms=-1",
                   "Waits until something is ready, for ever if the timeout is negative: a list of (obj, event), or\n"
                   "(obj, event, userdata) where register() was given some."),
    USOCKET_METHOD(ipoll, "timeout_ms=-1, flags=0",
                   "poll() as an iterator. flags=1: what is returned is not watched any more until modify() says for\n"
                   "what."),
    USOCKET_METHOD(_register_weakly, "sock, eventmask",
                   "register() of a socket that is not kept alive: returns the weak reference that stands for it."),
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS,
     "__class_getitem__($type, kinds, /)\n--\n\n"
     "poll[Obj] or poll[Obj, Data]: the kinds of what is registered, and of its userdata."},
    {nullptr, nullptr, 0, nullptr},
};

PyMethodDef functions[] = {
    USOCKET_FUNCTION(
        select, "rlist, wlist, xlist, timeout_s=None",
        "Waits until something is ready, for ever without a timeout: those of rlist that can be read, those\n"
        "of wlist that can be written, and those of xlist that have urgent data or an error."),
    {nullptr, nullptr, 0, nullptr},
};

PyMemberDef members[] = {
    {"__weaklistoffset__", member_size, offsetof(PollerObject, weakrefs), member_readonly, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>("poll()\n--\n\nWaits for many sockets and descriptors at once.")},
    {Py_tp_new, reinterpret_cast<void*>(create)},
    {Py_tp_dealloc, reinterpret_cast<void*>(destroy)},
    {Py_tp_traverse, reinterpret_cast<void*>(traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(clear)},
    {Py_tp_methods, methods},
    {Py_tp_members, members},
    {0, nullptr},
};

}  // namespace

bool add_poll(nb::module_& module) {
    constexpr unsigned flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC;
    PyType_Spec spec{"uselect.poll", sizeof(PollerObject), 0, flags, slots};
    const auto made = nb::steal(PyType_FromModuleAndSpec(module.ptr(), &spec, nullptr));
    return made.is_valid() && PyModule_AddObjectRef(module.ptr(), "poll", made.ptr()) == 0 &&
           PyModule_AddFunctions(module.ptr(), functions) == 0;
}

}  // namespace usocket::cpython
