// Two builds of one source: for one version of CPython, and for the stable ABI of 3.12 and newer (PEP 384), where an
// object's insides are behind functions. What differs between them, and nothing else.
#pragma once

#include <nanobind/nanobind.h>

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#if PY_VERSION_HEX < 0x030c0000
#include <structmember.h>
#endif

#include "host.hpp"

namespace usocket::cpython {

namespace nb = nanobind;

// --- Inside tuples, lists and bytes

#ifdef Py_LIMITED_API
inline std::size_t tuple_size(nb::handle tuple) noexcept { return static_cast<std::size_t>(PyTuple_Size(tuple.ptr())); }
inline std::size_t list_size(nb::handle list) noexcept { return static_cast<std::size_t>(PyList_Size(list.ptr())); }
inline PyObject* tuple_item(nb::handle tuple, std::size_t i) noexcept {
    return PyTuple_GetItem(tuple.ptr(), static_cast<Py_ssize_t>(i));
}
inline PyObject* list_item(nb::handle list, std::size_t i) noexcept {
    return PyList_GetItem(list.ptr(), static_cast<Py_ssize_t>(i));
}
// Of a new tuple, which nobody else has seen.
inline void set_item(nb::handle tuple, std::size_t i, nb::handle item) noexcept {
    (void)PyTuple_SetItem(tuple.ptr(), static_cast<Py_ssize_t>(i), item.inc_ref().ptr());
}
inline std::string_view bytes_of(nb::handle bytes) noexcept {
    return {PyBytes_AsString(bytes.ptr()), static_cast<std::size_t>(PyBytes_Size(bytes.ptr()))};
}
#else
inline std::size_t tuple_size(nb::handle tuple) noexcept {
    return static_cast<std::size_t>(PyTuple_GET_SIZE(tuple.ptr()));
}
inline std::size_t list_size(nb::handle list) noexcept { return static_cast<std::size_t>(PyList_GET_SIZE(list.ptr())); }
inline PyObject* tuple_item(nb::handle tuple, std::size_t i) noexcept {
    return PyTuple_GET_ITEM(tuple.ptr(), static_cast<Py_ssize_t>(i));
}
inline PyObject* list_item(nb::handle list, std::size_t i) noexcept {
    return PyList_GET_ITEM(list.ptr(), static_cast<Py_ssize_t>(i));
}
inline void set_item(nb::handle tuple, std::size_t i, nb::handle item) noexcept {
    PyTuple_SET_ITEM(tuple.ptr(), static_cast<Py_ssize_t>(i), item.inc_ref().ptr());
}
inline std::string_view bytes_of(nb::handle bytes) noexcept {
    return {PyBytes_AS_STRING(bytes.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes.ptr()))};
}
#endif

// What stands before the first byte of a bytes object; add_header() finds out, before any other function is called.
#ifdef Py_LIMITED_API
inline std::size_t bytes_header = 0;

inline bool add_header() noexcept {
    const auto empty = nb::steal(PyBytes_FromStringAndSize(nullptr, 0));
    if (!empty.is_valid()) return false;
    const char* const object = reinterpret_cast<const char*>(empty.ptr());
    bytes_header = static_cast<std::size_t>(PyBytes_AsString(empty.ptr()) - object);
    return true;
}
#else
inline constexpr std::size_t bytes_header = offsetof(PyBytesObject, ob_sval);
inline bool add_header() noexcept { return true; }
#endif

// Arguments as an array: those of a tuple, as many as `most` and one more, which is one too many.
template <std::size_t most> class Given {
public:
    explicit Given(nb::handle tuple) noexcept : count_(tuple_size(tuple)) {
        for (std::size_t i = 0; i < count_ && i < items_.size(); ++i) items_[i] = tuple_item(tuple, i);
    }
    [[nodiscard]] PyObject* const* items() const noexcept { return items_.data(); }
    [[nodiscard]] Py_ssize_t count() const noexcept { return static_cast<Py_ssize_t>(count_); }

private:
    std::array<PyObject*, most + 1> items_{};
    std::size_t count_;
};

// --- Threads

// What the GIL gives where there is none: nobody else is in the methods of the object, nor in those of `besides` if
// there is one, except while this call is outside of the interpreter. Of two that stand one inside the other only the
// inner holds.
class Exclusive {
public:
    Exclusive(const Exclusive&) = delete;
    Exclusive& operator=(const Exclusive&) = delete;
#ifdef Py_GIL_DISABLED
    explicit Exclusive(PyObject* object, PyObject* besides = nullptr) noexcept {
        python<PyCriticalSection2_Begin>(&section_, object, besides != nullptr ? besides : object);
    }
    ~Exclusive() { python<PyCriticalSection2_End>(&section_); }

private:
    PyCriticalSection2 section_;
#else
    explicit Exclusive(PyObject*, PyObject* = nullptr) noexcept {}
#endif
};

// --- Types

template <class Function> Function slot_of(PyTypeObject* type, int slot) noexcept {
    return reinterpret_cast<Function>(PyType_GetSlot(type, slot));
}

inline bool is_iterable(nb::handle object) noexcept {
    return PyType_GetSlot(Py_TYPE(object.ptr()), Py_tp_iter) != nullptr || PySequence_Check(object.ptr()) != 0;
}

// The name of its type, for a message. Never null.
inline nb::object name_of_type(nb::handle object) noexcept {
    auto* const type = reinterpret_cast<PyObject*>(Py_TYPE(object.ptr()));
    auto name = nb::steal(python<PyObject_GetAttrString>(type, static_cast<const char*>("__name__")));
    if (name.is_valid() && PyUnicode_Check(name.ptr())) return name;
    PyErr_Clear();
    return nb::none();
}

// Runs the finaliser of an object that nobody refers to any more, as its destructor does first. False: the object has
// been given to somebody, and lives on. `is_ending` is the object's own, and false else: the destructor, if it finds it
// true, puts it to false and does nothing.
#ifdef Py_LIMITED_API
inline bool finalize_first(PyObject* self, bool& is_ending) noexcept {
    is_ending = true;
    Py_INCREF(self);
    slot_of<destructor>(Py_TYPE(self), Py_tp_finalize)(self);
    Py_DECREF(self);  // calls the destructor again, if that was the last reference
    return !std::exchange(is_ending, false);
}
#else
inline bool finalize_first(PyObject* self, bool&) noexcept { return PyObject_CallFinalizerFromDealloc(self) == 0; }
#endif

// The end of an object that its own destructor has left nothing in.
inline void free_instance(PyObject* self) noexcept {
    PyTypeObject* const type = Py_TYPE(self);
    slot_of<freefunc>(type, Py_tp_free)(self);
    Py_DECREF(reinterpret_cast<PyObject*>(type));
}

#if PY_VERSION_HEX >= 0x030c0000
inline constexpr int member_size = Py_T_PYSSIZET, member_readonly = Py_READONLY;
#else
inline constexpr int member_size = T_PYSSIZET, member_readonly = READONLY;
#endif

}  // namespace usocket::cpython
