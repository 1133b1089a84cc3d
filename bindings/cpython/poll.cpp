// The class poll and the function select of uselect (POLL-1..7).
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "convert.hpp"

namespace usocket::cpython {
namespace {

// What is registered: keeps the object alive, and goes with the events that the core reports.
struct Entry {
    nb::object object;
    nb::object userdata;  // null: none was given
    Registration* registration = nullptr;
    unsigned wanted = 0;  // what select() is asked for...
    unsigned ready = 0;   // ...and what there is of it
};

struct Poller {
    // By identity; a descriptor by its number. An Entry stays where it is as long as it is registered.
    std::unordered_map<PyObject*, Entry> objects;
    std::unordered_map<std::int64_t, Entry> descriptors;
    Poll core;  // goes first

    // Null: not registered.
    Entry* find(nb::handle object) {
        Int number;
        if (PyLong_Check(object.ptr()) && number.set(object)) {
            const auto found = descriptors.find(number.value);
            return found == descriptors.end() ? nullptr : &found->second;
        }
        const auto found = objects.find(object.ptr());
        return found == objects.end() ? nullptr : &found->second;
    }
    Entry& add(nb::handle object) {
        Int number;
        if (PyLong_Check(object.ptr()) && number.set(object)) return descriptors[number.value];
        return objects[object.ptr()];
    }
    void remove(nb::handle object) {
        Int number;
        if (PyLong_Check(object.ptr()) && number.set(object))
            drop(descriptors, number.value);
        else
            drop(objects, object.ptr());
    }

private:
    // What the entry held is let go last: it may call back.
    template <class Map> static void drop(Map& map, const typename Map::key_type& key) {
        const auto node = map.extract(key);
    }
};

// The descriptor of what has a fileno(). False: the Python error is set.
bool fileno_of(nb::handle object, int& fd) {
    const auto got = PyLong_Check(object.ptr()) ? nb::borrow(object)
                                                : nb::steal(PyObject_CallMethod(object.ptr(), "fileno", nullptr));
    if (!got.is_valid()) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) return false;
        PyErr_Format(PyExc_TypeError, "a descriptor or an object with fileno() is wanted, not %s",
                     Py_TYPE(object.ptr())->tp_name);
        return false;
    }
    Int number;
    if (!PyLong_Check(got.ptr()) || !number.set(got)) {
        PyErr_Format(PyExc_TypeError, "fileno() returned %s, not int", Py_TYPE(got.ptr())->tp_name);
        return false;
    }
    const auto fits = arguments::to_int(number.value);
    if (!fits) {
        raise(fits.error(), got);
        return false;
    }
    fd = *fits;
    return true;
}

nb::object register_(Poller& self, nb::handle object, Int eventmask, nb::handle userdata) {
    const unsigned events = arguments::event_mask(eventmask.value);
    if (Entry* known = self.find(object)) {
        const auto modified = self.core.modify(known->registration, events);
        const bool is_gone = modified.error() == Error(EBADF);
        if (!modified && !is_gone) return raise(modified.error(), eventmask.object);
        if (is_gone) {
            // Its number was closed, and may be another file's by now, which is then meant (POLL-7).
            int fd = -1;
            if (!fileno_of(object, fd)) return {};
            known = self.find(object);
            if (known == nullptr) return register_(self, object, eventmask, userdata);
            const auto added = self.core.register_another(fd, events, known);
            if (!added) return raise(added.error(), eventmask.object);
            self.core.unregister(std::exchange(known->registration, *added));
        }
        if (userdata.is_valid()) {
            const nb::object old = std::exchange(known->userdata, nb::borrow(userdata));
        }
        return nb::none();
    }
    Socket* socket = nullptr;
    int fd = -1;
    // None can be cast: to no socket at all.
    if ((!nb::try_cast(object, socket) || socket == nullptr) && !fileno_of(object, fd)) return {};
    // fileno() may have registered it meanwhile.
    if (self.find(object) != nullptr) return register_(self, object, eventmask, userdata);
    Entry& entry = self.add(object);
    const auto added = socket != nullptr ? self.core.register_(*socket, events, &entry)
                                         : self.core.register_another(fd, events, &entry);
    if (!added) {
        self.remove(object);
        return raise(added.error(), eventmask.object);
    }
    entry = {nb::borrow(object), nb::borrow(userdata), *added};
    return nb::none();
}

nb::object unregister(Poller& self, nb::handle object, bool is_error) {
    if (Entry* known = self.find(object)) {
        self.core.unregister(known->registration);
        const nb::object held = known->object;
        self.remove(held);
        return nb::none();
    }
    if (!is_error) return nb::none();
    const auto error = nb::steal(PyObject_CallOneArg(PyExc_KeyError, object.ptr()));
    if (error.is_valid()) PyErr_SetObject(PyExc_KeyError, error.ptr());
    return {};
}

nb::object modify(Poller& self, nb::handle object, Int eventmask) {
    Entry* known = self.find(object);
    if (known == nullptr) return raise(Error(ENOENT));
    const auto modified = self.core.modify(known->registration, arguments::event_mask(eventmask.value));
    return modified ? nb::none() : raise(modified.error(), eventmask.object);
}

// --- Waiting

struct Ready {
    nb::object object;
    unsigned events;
    nb::object userdata;
};

// False: the Python error is set.
bool wait(Poller& self, OptionalNumber timeout_ms, bool one_shot, std::vector<Ready>& ready) {
    const auto timeout = timeout_ms.value ? arguments::poll_timeout(*timeout_ms.value) : Timeout::none();
    if (!timeout) {
        raise(timeout.error(), timeout_ms.object);
        return false;
    }
    // Not touched until something is ready: a wait must not cost what is registered (POLL-4).
    const std::size_t room = std::max<std::size_t>(self.core.size(), 1);
    const std::unique_ptr<Poll::Event, decltype(&std::free)> events(
        static_cast<Poll::Event*>(std::malloc(room * sizeof(Poll::Event))), std::free);
    if (events == nullptr) {
        PyErr_NoMemory();
        return false;
    }
    const auto count = self.core.poll(events.get(), room, *timeout, one_shot, Call(host));
    if (!count) {
        raise(count.error());
        return false;
    }
    // Before anything is allocated for Python: whatever that may set off can unregister them.
    ready.reserve(*count);
    for (const Poll::Event& event : std::span(events.get(), std::min(*count, room))) {
        const auto* entry = static_cast<const Entry*>(event.userdata);
        ready.push_back({entry->object, event.events, entry->userdata});
    }
    return true;
}

nb::object list_of(const std::vector<Ready>& ready) {
    auto list = nb::steal(PyList_New(0));
    if (!list.is_valid()) return {};
    for (const Ready& one : ready) {
        const auto events = nb::steal(PyLong_FromUnsignedLong(one.events));
        const nb::object tuple =
            one.userdata.is_valid() ? tuple_of(one.object, events, one.userdata) : tuple_of(one.object, events);
        if (!tuple.is_valid() || PyList_Append(list.ptr(), tuple.ptr()) < 0) return {};
    }
    return list;
}

nb::object poll(Poller& self, OptionalNumber timeout_ms) {
    std::vector<Ready> ready;
    if (!wait(self, timeout_ms, false, ready)) return {};
    return list_of(ready);
}

nb::object ipoll(Poller& self, OptionalNumber timeout_ms, Int flags) {
    std::vector<Ready> ready;
    if (!wait(self, timeout_ms, flags.value & 1, ready)) return {};
    const auto list = list_of(ready);
    return list.is_valid() ? nb::steal(PyObject_GetIter(list.ptr())) : nb::object();
}

// --- select

// One of its lists: what of the events it asks for, and what of them puts an object into its result.
struct Selected {
    unsigned wanted;
    unsigned shown;
    nb::object given;  // a tuple of ours: the caller may change the list meanwhile
};

// False: the Python error is set.
bool select_add(Poller& poller, nb::handle object, unsigned events) {
    if (const Entry* known = poller.find(object)) events |= known->wanted;
    Int mask;
    mask.value = static_cast<std::int64_t>(events);
    mask.object = object;
    if (!register_(poller, object, mask, {}).is_valid()) return false;
    poller.find(object)->wanted = events;
    return true;
}

nb::object select_list(Poller& poller, const Selected& selected) {
    auto list = nb::steal(PyList_New(0));
    if (!list.is_valid()) return {};
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(selected.given.ptr()); ++i) {
        PyObject* object = PyTuple_GET_ITEM(selected.given.ptr(), i);
        const bool is_ready = (poller.find(object)->ready & selected.shown) != 0;
        if (is_ready && PyList_Append(list.ptr(), object) < 0) return {};
    }
    return list;
}

nb::object select(nb::handle rlist, nb::handle wlist, nb::handle xlist, OptionalNumber timeout_s) {
    // Whatever ends a wait must be in a list that asked for the object: a hang-up is readable, and a write says so too.
    constexpr unsigned ends = POLLERR | POLLHUP | POLLNVAL;
    Selected lists[] = {{POLLIN, POLLIN | ends, nb::steal(PySequence_Tuple(rlist.ptr()))}, {}, {}};
    if (!lists[0].given.is_valid()) return {};
    lists[1] = {POLLOUT, POLLOUT | ends, nb::steal(PySequence_Tuple(wlist.ptr()))};
    if (!lists[1].given.is_valid()) return {};
    lists[2] = {POLLPRI, POLLPRI | ends, nb::steal(PySequence_Tuple(xlist.ptr()))};
    if (!lists[2].given.is_valid()) return {};

    Poller poller;
    for (const Selected& list : lists) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(list.given.ptr()); ++i) {
            if (!select_add(poller, PyTuple_GET_ITEM(list.given.ptr(), i), list.wanted)) return {};
        }
    }
    if (timeout_s.value) *timeout_s.value *= 1000;
    std::vector<Ready> ready;
    if (!wait(poller, timeout_s, false, ready)) return {};
    for (const Ready& one : ready) poller.find(one.object)->ready = one.events;
    return tuple_of(select_list(poller, lists[0]), select_list(poller, lists[1]), select_list(poller, lists[2]));
}

// --- Garbage collection

int traverse(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    if (!nb::inst_ready(self)) return 0;
    const Poller& poller = *nb::inst_ptr<Poller>(self);
    for (const auto& [key, entry] : poller.objects) {
        Py_VISIT(entry.object.ptr());
        Py_VISIT(entry.userdata.ptr());
    }
    for (const auto& [key, entry] : poller.descriptors) Py_VISIT(entry.userdata.ptr());
    return 0;
}

int clear(PyObject* self) {
    if (!nb::inst_ready(self)) return 0;
    Poller& poller = *nb::inst_ptr<Poller>(self);
    poller.core = Poll();
    const auto objects = std::exchange(poller.objects, {});
    const auto descriptors = std::exchange(poller.descriptors, {});
    return 0;
}

PyType_Slot slots[] = {
    {Py_tp_traverse, reinterpret_cast<void*>(traverse)}, {Py_tp_clear, reinterpret_cast<void*>(clear)}, {0, nullptr}};

}  // namespace

void add_poll(nb::module_& module) {
    nb::class_<Poller> poller(module, "poll", nb::type_slots(slots), nb::is_weak_referenceable(),
                              "Waits for many sockets and descriptors at once.");
    poller.def(nb::init<>(), nb::sig("def __init__(self) -> None"));
    poller.def(
        "register", [](Poller& self, nb::handle obj, Int mask) { return register_(self, obj, mask, {}); },
        nb::arg().none(), nb::arg() = POLLIN | POLLOUT,
        nb::sig("def register(self, obj: int | HasFileno, eventmask: int = POLLIN | POLLOUT, /) -> None"),
        "Watches a descriptor or an object with fileno(), which is returned with its userdata if there is any. What\n"
        "is registered already gets the new mask and, if given, the new userdata.");
    poller.def("register", register_, nb::arg().none(), nb::arg(), nb::arg().none(),
               nb::sig("def register(self, obj: int | HasFileno, eventmask: int, userdata: object, /) -> None"));
    poller.def("unregister", unregister, nb::arg().none(), nb::arg("throw") = true,
               nb::sig("def unregister(self, obj: object, throw: bool = True) -> None"),
               "Watches obj no more. KeyError if it is not registered, unless throw is False.");
    poller.def("modify", modify, nb::arg().none(), nb::arg(),
               nb::sig("def modify(self, obj: object, eventmask: int, /) -> None"),
               "Watches obj for other events. OSError(ENOENT) if it is not registered.");
    poller.def("poll", poll, nb::arg().none() = -1,
               nb::sig("def poll(self, timeout_ms: float | None = -1, /) -> "
                       "list[tuple[Any, ...]]"),
               "Waits until something is ready, for ever if the timeout is negative: a list of (obj, event), or\n"
               "(obj, event, userdata) where register() was given some.");
    poller.def(
        "ipoll", ipoll, nb::arg().none() = -1, nb::arg() = 0,
        nb::sig("def ipoll(self, timeout_ms: float | None = -1, flags: int = 0, /) -> "
                "Iterator[tuple[Any, ...]]"),
        "poll() as an iterator. flags=1: what is returned is not watched any more until modify() says for what.");
    module.def("select", select, nb::arg(), nb::arg(), nb::arg(), nb::arg().none() = nb::none(),
               nb::sig("def select(rlist: Iterable[int | HasFileno], wlist: Iterable[int | HasFileno], "
                       "xlist: Iterable[int | HasFileno], timeout_s: float | None = None, /) -> "
                       "tuple[list[Any], list[Any], list[Any]]"),
               "Waits until something is ready, for ever without a timeout: those of rlist that can be read, those of\n"
               "wlist that can be written, and those of xlist that have urgent data or an error.");
}

}  // namespace usocket::cpython
