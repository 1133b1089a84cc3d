// The class poll of uselect (POLL-1..5).
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
    nb::object userdata;
    Registration* registration = nullptr;
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
        if (!modified) return raise(modified.error(), eventmask.object);
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
    entry = {nb::borrow(object), userdata.is_valid() ? nb::borrow(userdata) : nb::none(), *added};
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

template <class ToTuple> nb::object list_of(const std::vector<Ready>& ready, ToTuple to_tuple) {
    auto list = nb::steal(PyList_New(0));
    if (!list.is_valid()) return {};
    for (const Ready& one : ready) {
        const nb::object tuple = to_tuple(one, nb::steal(PyLong_FromUnsignedLong(one.events)));
        if (!tuple.is_valid() || PyList_Append(list.ptr(), tuple.ptr()) < 0) return {};
    }
    return list;
}

nb::object poll(Poller& self, OptionalNumber timeout_ms) {
    std::vector<Ready> ready;
    if (!wait(self, timeout_ms, false, ready)) return {};
    return list_of(ready, [](const Ready& one, const nb::object& events) { return tuple_of(one.object, events); });
}

nb::object ipoll(Poller& self, OptionalNumber timeout_ms, Int flags) {
    std::vector<Ready> ready;
    if (!wait(self, timeout_ms, flags.value & 1, ready)) return {};
    const auto list = list_of(
        ready, [](const Ready& one, const nb::object& events) { return tuple_of(one.object, events, one.userdata); });
    return list.is_valid() ? nb::steal(PyObject_GetIter(list.ptr())) : nb::object();
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
        "Watches a descriptor or an object with fileno(), which ipoll() returns with its userdata. What is\n"
        "registered already gets the new mask and, if given, the new userdata.");
    poller.def("register", register_, nb::arg().none(), nb::arg(), nb::arg().none(),
               nb::sig("def register(self, obj: int | HasFileno, eventmask: int, userdata: object, /) -> None"));
    poller.def("unregister", unregister, nb::arg().none(), nb::arg("throw") = true,
               nb::sig("def unregister(self, obj: object, throw: bool = True) -> None"),
               "Watches obj no more. KeyError if it is not registered, unless throw is False.");
    poller.def("modify", modify, nb::arg().none(), nb::arg(),
               nb::sig("def modify(self, obj: object, eventmask: int, /) -> None"),
               "Watches obj for other events. OSError(ENOENT) if it is not registered.");
    poller.def("poll", poll, nb::arg().none() = -1,
               nb::sig("def poll(self, timeout_ms: float | None = -1, /) -> list[tuple[Any, int]]"),
               "Waits until something is ready, for ever if the timeout is negative: a list of (obj, event).");
    poller.def("ipoll", ipoll, nb::arg().none() = -1, nb::arg() = 0,
               nb::sig("def ipoll(self, timeout_ms: float | None = -1, flags: int = 0, /) -> "
                       "Iterator[tuple[Any, int, Any]]"),
               "poll() as an iterator over (obj, event, userdata). flags=1: what is returned is not watched any more\n"
               "until modify() says for what.");
}

}  // namespace usocket::cpython
