#include "method.hpp"

#include <string_view>

namespace usocket::cpython {

bool wrong_count(const char* usage, Py_ssize_t least, Py_ssize_t most, Py_ssize_t count) noexcept {
    if (least == most) {
        const bool is_address = count > 1 && std::string_view(usage).ends_with("(address)");
        PyErr_Format(PyExc_TypeError, "%s takes %zd argument%s, not %zd%s", usage, most, most == 1 ? "" : "s", count,
                     is_address ? ": host and port are one, a tuple (host, port)" : "");
    } else {
        PyErr_Format(PyExc_TypeError, "%s takes %zd to %zd arguments, not %zd", usage, least, most, count);
    }
    return false;
}

bool wrong_type(const char* usage, Py_ssize_t number, const char* kind, nb::handle got) noexcept {
    char name[40];
    PyOS_snprintf(name, sizeof name, "argument %zd", number);
    return wrong_type(usage, name, kind, got);
}

bool wrong_type(const char* usage, const char* name, const char* kind, nb::handle got) noexcept {
    if (PyErr_Occurred() != nullptr) return false;
    PyErr_Format(PyExc_TypeError, "%s: %s: %s is required, not '%S'", usage, name, kind, name_of_type(got).ptr());
    return false;
}

namespace {

// The place of a name between the brackets of "recv_into(buffer, nbytes=0, flags=0)"; -1 if it is not there.
Py_ssize_t place_of(std::string_view usage, std::string_view name) noexcept {
    Py_ssize_t place = 0;
    for (std::string_view rest = usage.substr(usage.find('(') + 1);; ++place) {
        if (rest.substr(0, rest.find_first_of("=,)")) == name) return place;
        const std::size_t comma = rest.find(", ");
        if (comma == std::string_view::npos) return -1;
        rest.remove_prefix(comma + 2);
    }
}

}  // namespace

bool to_places(const char* usage, PyObject* const* given, Py_ssize_t count, PyObject* keywords, PyObject** places,
               Py_ssize_t most) noexcept {
    if (count > most) return wrong_count(usage, 0, most, count);
    std::copy_n(given, count, places);
    for (std::size_t i = 0; i < tuple_size(keywords); ++i) {
        PyObject* const keyword = tuple_item(keywords, i);
        std::string_view name;
        if (!utf8_of(keyword, name)) return false;
        const Py_ssize_t place = place_of(usage, name);
        if (place < 0 || places[place] != nullptr) {
            const char* format = place < 0 ? "%s has no keyword argument '%U'" : "%s: '%U' is given twice";
            PyErr_Format(PyExc_TypeError, format, usage, keyword);
            return false;
        }
        places[place] = given[static_cast<std::size_t>(count) + i];
    }
    return true;
}

}  // namespace usocket::cpython
