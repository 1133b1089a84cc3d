// How Python calls the functions of this binding: by a table of rows that each say how a call is written, what it does,
// and which function does it. The function's own parameters say what is converted to what; the messages are the same
// for all.
#pragma once

#include <algorithm>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include "hints.hpp"
#include "socket_object.hpp"

namespace usocket::cpython {

// A call as it is written, "recv(bufsize, flags=0)": a literal that a template can have as its argument.
template <std::size_t size> struct Usage {
    consteval Usage(const char (&text)[size]) { std::copy_n(text, size, chars); }
    char chars[size];
};

// TypeErrors; return false.
bool wrong_count(const char* usage, Py_ssize_t least, Py_ssize_t most, Py_ssize_t count) noexcept;
// `kind`: what is required. Unless there is an error already: what the argument's own conversion has raised.
bool wrong_type(const char* usage, Py_ssize_t number, const char* kind, nb::handle got) noexcept;
bool wrong_type(const char* usage, const char* name, const char* kind, nb::handle got) noexcept;
// Puts each argument into its place, those with a keyword by the names in `usage`; empty places remain null.
bool to_places(const char* usage, PyObject* const* given, Py_ssize_t count, PyObject* keywords, PyObject** places,
               Py_ssize_t most) noexcept;

// What one call is given, converted from left to right. Whatever an argument's own methods do meanwhile, the socket has
// not been looked at yet, and buffers are locked.
template <class... Parameters> struct Converted {
    static constexpr Py_ssize_t most = sizeof...(Parameters);
    static constexpr Py_ssize_t least = (Py_ssize_t{0} + ... + !is_optional<std::remove_cvref_t<Parameters>>);

    std::tuple<std::remove_cvref_t<Parameters>...> values;

    // False: the Python error is set. A null stands for what was not given. `self`: of a method, the socket.
    bool set(const char* usage, PyObject* self, PyObject* const* given, Py_ssize_t count) noexcept {
        if (count < least || count > most) return wrong_count(usage, least, most, count);
        const auto each = [&]<std::size_t... places>(std::index_sequence<places...>) {
            return (one(std::get<places>(values), usage, self, given, count, places) && ...);
        };
        return each(std::make_index_sequence<sizeof...(Parameters)>());
    }

private:
    template <class Value>
    static bool one(Value& value, const char* usage, [[maybe_unused]] PyObject* self, PyObject* const* given,
                    Py_ssize_t count, std::size_t place) noexcept {
        const auto number = static_cast<Py_ssize_t>(place);
        PyObject* from = number < count ? given[number] : nullptr;
        if (from == nullptr) return is_optional<Value> || wrong_count(usage, least, most, number);
        bool is_set = false;
        if constexpr (requires { value.set(from, self); })
            is_set = value.set(from, self);
        else
            is_set = value.set(from);
        return is_set || wrong_type(usage, number + 1, value.kind, from);
    }
};

// How a method gets at what its object holds, for the length of a call. It is made of the object and, where it asks for
// that, of the first argument, which is null if there is none.
template <class Self> struct Receiver;
template <> struct Receiver<Socket> {
    using Type = InUse;
};
template <> struct Receiver<const Faced> {
    using Type = FacedInUse;
};

template <class Self> typename Receiver<Self>::Type received(PyObject* object, PyObject* argument) noexcept {
    using Type = typename Receiver<Self>::Type;
    if constexpr (std::is_constructible_v<Type, PyObject*, PyObject*>)
        return Type(object, argument);
    else
        return Type(object);
}

// `call` with at most so many arguments, each in its place, though some were given by name.
template <Py_ssize_t most, class Call>
PyObject* call_in_places(Call call, const char* usage, PyObject* object, PyObject* const* given, Py_ssize_t count,
                         PyObject* keywords) noexcept {
    if (keywords == nullptr) return call(object, given, count);
    PyObject* places[most]{};
    return to_places(usage, given, count, keywords, places, most) ? call(object, places, most) : nullptr;
}

// What Python calls for a method.
template <Usage usage, auto function> struct Method;
template <Usage usage, class Self, class... Parameters, nb::object (*function)(Self&, Parameters...)>
struct Method<usage, function> {
    static PyObject* call(PyObject* object, PyObject* const* given, Py_ssize_t count) noexcept {
        Converted<Parameters...> converted;
        if (!converted.set(usage.chars, object, given, count)) return nullptr;
        const auto self = received<Self>(object, count > 0 ? *given : nullptr);
        auto result = std::apply([&](auto&... values) { return function(*self, values...); }, converted.values);
        return result.is_valid() ? result.release().ptr() : hinted(usage.chars, given, count);
    }
    static PyObject* call_with_keywords(PyObject* object, PyObject* const* given, Py_ssize_t count,
                                        PyObject* keywords) noexcept {
        return call_in_places<sizeof...(Parameters)>(call, usage.chars, object, given, count, keywords);
    }
    static PyObject* call_without(PyObject* object, PyObject*) noexcept {
        const auto self = received<Self>(object, nullptr);
        auto result = function(*self);
        return result.is_valid() ? result.release().ptr() : hinted(usage.chars, nullptr, 0);
    }
};

// And for a function of the module.
template <Usage usage, auto function> struct Function;
template <Usage usage, class... Parameters, nb::object (*function)(Parameters...)> struct Function<usage, function> {
    static PyObject* call(PyObject*, PyObject* const* given, Py_ssize_t count) noexcept {
        Converted<Parameters...> converted;
        if (!converted.set(usage.chars, nullptr, given, count)) return nullptr;
        auto result = std::apply([](auto&... values) { return function(values...); }, converted.values);
        return result.is_valid() ? result.release().ptr() : hinted(usage.chars, given, count);
    }
    static PyObject* call_with_keywords(PyObject* module, PyObject* const* given, Py_ssize_t count,
                                        PyObject* keywords) noexcept {
        return call_in_places<sizeof...(Parameters)>(call, usage.chars, module, given, count, keywords);
    }
};

// What Python calls where the result has descriptors, which a program that does not get it cannot close: `call` with a
// last look for signals. If a handler raises, `close` closes them. CPython looks again as soon as a call has returned,
// and drops the result if a handler raises then: what comes between the two looks is all that can be lost.
template <auto call, void (*close)(nb::handle result) noexcept> struct Looking;
template <class... Given, PyObject* (*call)(Given...) noexcept, void (*close)(nb::handle result) noexcept>
struct Looking<call, close> {
    static PyObject* function(Given... given) noexcept {
        PyObject* const result = call(given...);
        if (result == nullptr || python<PyErr_CheckSignals>() == 0) return result;
        const nb::error_scope raised;
        close(result);
        Py_DECREF(result);
        return nullptr;
    }
};

template <class Type> PyCFunction as_c_function(Type* function) noexcept {
    return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

// Rows of a table. `parameters` is what stands between the brackets, `text` the help.
#define USOCKET_ROW(name, entry, flags, parameters, comma, text) \
    {#name, as_c_function(Method<#name "(" parameters ")", name>::entry), flags, \
     #name "($self" comma parameters ", /)\n--\n\n" text}
#define USOCKET_METHOD(name, parameters, text) USOCKET_ROW(name, call, METH_FASTCALL, parameters, ", ", text)
#define USOCKET_METHOD_WITHOUT(name, text) USOCKET_ROW(name, call_without, METH_NOARGS, "", "", text)
#define USOCKET_METHOD_WITH_KEYWORDS(name, parameters, text) \
    {#name, as_c_function(Method<#name "(" parameters ")", name>::call_with_keywords), METH_FASTCALL | METH_KEYWORDS, \
     #name "($self, /, " parameters ")\n--\n\n" text}
#define USOCKET_FUNCTION(name, parameters, text) \
    {#name, as_c_function(Function<#name "(" parameters ")", name>::call), METH_FASTCALL, \
     #name "($module, " parameters ", /)\n--\n\n" text}
// With a last look for signals.
#define USOCKET_METHOD_LOOKING(name, parameters, close, text) \
    {#name, as_c_function(Looking<Method<#name "(" parameters ")", name>::call, close>::function), METH_FASTCALL, \
     #name "($self, " parameters ", /)\n--\n\n" text}
#define USOCKET_METHOD_LOOKING_WITHOUT(name, close, text) \
    {#name, as_c_function(Looking<Method<#name "()", name>::call_without, close>::function), METH_NOARGS, \
     #name "($self, /)\n--\n\n" text}
#define USOCKET_FUNCTION_LOOKING(name, parameters, close, text) \
    {#name, as_c_function(Looking<Function<#name "(" parameters ")", name>::call_with_keywords, close>::function), \
     METH_FASTCALL | METH_KEYWORDS, #name "($module, " parameters ")\n--\n\n" text}

}  // namespace usocket::cpython
