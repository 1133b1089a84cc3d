#include "message.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "address.hpp"

namespace usocket::cpython {

// --- Ancillary data

namespace {

struct AncillaryItem {
    SystemInt level, type;
    Readable data;

    [[nodiscard]] bool set(nb::handle from) noexcept {
        const auto fields = nb::steal(python<PySequence_Tuple>(from.ptr()));
        if (!fields.is_valid()) return false;
        if (tuple_size(fields) != 3) {
            PyErr_SetString(PyExc_TypeError, "an item of ancdata is a tuple (level, type, data)");
            return false;
        }
        const auto field = [&](std::size_t i) { return nb::handle(tuple_item(fields, i)); };
        const auto has = [&](std::size_t i, auto& value) {
            return value.set(field(i)) ||
                   wrong_type("an item of ancdata", static_cast<Py_ssize_t>(i) + 1, value.kind, field(i));
        };
        return has(0, level) && has(1, type) && has(2, data);
    }
};

nb::object to_list(ConstBuffer control) {
    auto list = nb::steal(PyList_New(0));
    if (!list.is_valid()) return {};
    AncillaryReader items(control);
    while (const auto item = items.next()) {
        const auto tuple = tuple_of(nb::steal(PyLong_FromLong(item->level)), nb::steal(PyLong_FromLong(item->type)),
                                    to_bytes(item->data));
        if (!tuple.is_valid() || PyList_Append(list.ptr(), tuple.ptr()) < 0) return {};
    }
    return list;
}

// Memory for the control data of one message.
class Control {
public:
    explicit Control(std::size_t size) noexcept : memory_(new (std::nothrow) std::uint8_t[size]), size_(size) {}

    // False: the Python error is set.
    [[nodiscard]] bool is_there() const noexcept {
        if (memory_ == nullptr) PyErr_NoMemory();
        return memory_ != nullptr;
    }
    operator MutableBuffer() const noexcept { return {memory_.get(), size_}; }
    [[nodiscard]] ConstBuffer first(std::size_t count) const noexcept {
        return {memory_.get(), std::min(count, size_)};
    }

private:
    std::unique_ptr<std::uint8_t[]> memory_;
    std::size_t size_;
};

// Descriptors that the program does not get are closed.
nb::object tuple_of_message(const Faced& self, const nb::object& data, const Control& control,
                            const ReceivedMessage& message) {
    const ConstBuffer beside = control.first(message.control_size);
    const auto address = shown(self.object, message.address);
    auto tuple = tuple_of(data, to_list(beside), nb::steal(PyLong_FromLong(message.flags)), address);
    if (!tuple.is_valid()) close_descriptors(beside);
    return tuple;
}

// --- Descriptors out of a message that Python holds already

#if defined(SCM_RIGHTS)
constexpr int rights = SCM_RIGHTS;
#else
constexpr int rights = -1;  // over lwIP no message has any
#endif

void close_descriptor(int fd) noexcept {
    alignas(std::max_align_t) std::uint8_t memory[64];
    AncillaryWriter writer(MutableBuffer(memory, sizeof memory));
    (void)writer.add({SOL_SOCKET, rights, ConstBuffer(&fd, sizeof fd)});
    close_descriptors(writer.control());
}
void close_descriptor(nb::handle number) noexcept { close_descriptor(static_cast<int>(PyLong_AsLong(number.ptr()))); }

// Closes them once they are nobody's.
class Descriptors {
public:
    Descriptors() noexcept : list_(nb::steal(PyList_New(0))) {}
    Descriptors(const Descriptors&) = delete;
    Descriptors& operator=(const Descriptors&) = delete;
    ~Descriptors() {
        if (!list_.is_valid()) return;
        const nb::error_scope failure;
        for (std::size_t i = 0; i < list_size(list_); ++i) close_descriptor(list_item(list_, i));
    }

    // False: the Python error is set. Whatever of the item cannot be taken is closed.
    [[nodiscard]] bool add(ConstBuffer item) noexcept {
        bool is_whole = list_.is_valid();
        for (std::size_t at = 0; at + sizeof(int) <= item.size(); at += sizeof(int)) {
            int fd = -1;
            std::memcpy(&fd, item.data() + at, sizeof fd);
            const auto number = nb::steal(PyLong_FromLong(fd));
            is_whole = is_whole && number.is_valid() && PyList_Append(list_.ptr(), number.ptr()) == 0;
            if (!is_whole) close_descriptor(fd);
        }
        return is_whole;
    }
    [[nodiscard]] const nb::object& list() const noexcept { return list_; }
    // The program has them.
    void release() noexcept { list_ = nb::object(); }

private:
    nb::object list_;
};

// The descriptors in ancdata. False: the Python error is set.
bool take_descriptors(nb::handle ancdata, Descriptors& descriptors) noexcept {
    const auto items = nb::steal(python<PySequence_Tuple>(ancdata.ptr()));
    if (!items.is_valid()) return false;
    for (std::size_t i = 0; i < tuple_size(items); ++i) {
        AncillaryItem item;
        if (!item.set(tuple_item(items, i))) return false;
        const bool has_any = item.level.value == SOL_SOCKET && item.type.value == rights;
        if (has_any && !descriptors.add(item.data)) return false;
    }
    return true;
}

}  // namespace

bool AncillaryData::set(nb::handle from) noexcept {
    if (!is_iterable(from)) return false;
    const auto list = nb::steal(python<PySequence_List>(from.ptr()));
    if (!list.is_valid()) return false;
    const auto count = list_size(list);
    if (count == 0) return true;
    const auto items = make_array<AncillaryItem>(count);
    if (items == nullptr) return PyErr_NoMemory() != nullptr;
    for (std::size_t i = 0; i < count; ++i) {
        if (!items[i].set(list_item(list, i))) return false;
        const auto space = ancillary_space(items[i].data.size());
        if (!space || *space > static_cast<std::size_t>(PY_SSIZE_T_MAX) - size_) return PyErr_NoMemory() != nullptr;
        size_ += *space;
    }
    memory_.reset(new (std::nothrow) std::uint8_t[size_]);
    if (memory_ == nullptr) return PyErr_NoMemory() != nullptr;
    AncillaryWriter writer(MutableBuffer(memory_.get(), size_));
    for (std::size_t i = 0; i < count; ++i) {
        (void)writer.add({items[i].level.value, items[i].type.value, ConstBuffer(items[i].data)});
    }
    return true;
}

bool OpenFile::set(nb::handle from) noexcept {
    fd = python<PyObject_AsFileDescriptor>(from.ptr());
    return fd >= 0;
}

bool FileOffset::set(nb::handle from) noexcept {
    if (!Int::set(from)) return false;
    if (!is_saturated) return true;
    PyErr_Format(PyExc_OverflowError, "sendfile(offset): the number must be at most %lld, not %S",
                 static_cast<long long>(std::numeric_limits<std::int64_t>::max()), from.ptr());
    return false;
}

// --- The methods

nb::object sendmsg(Socket& self, const GatheredPieces& buffers, const Maybe<AncillaryData>& ancdata,
                   Maybe<SystemInt> flags, Maybe<Anything> address) {
    Address to;
    const bool has_address = address.given && !address.object.is_none();
    if (has_address && !to_address(self.family(), address.object, to)) return {};
    return size_or_raise(self.sendmsg(buffers, ancdata, flags.value, has_address ? &to : nullptr, Call(host())));
}

nb::object recvmsg(const Faced& self, BufferSize bufsize, Maybe<BufferSize> ancbufsize, Maybe<SystemInt> flags) {
    BytesSink bytes;
    const Control control(ancbufsize.value);
    if (!bytes.sink().reserve(bufsize.value)) return nb::steal(PyErr_NoMemory());
    if (!control.is_there()) return {};
    const auto message = self.socket.recvmsg(bytes.sink().room(), control, flags.value, Call(host()));
    if (!message) return raise(message.error());
    bytes.sink().set_size(std::min(message->size, bytes.sink().capacity()));
    return tuple_of_message(self, bytes.take(), control, *message);
}

nb::object recvmsg_into(const Faced& self, const ScatteredPieces& buffers, Maybe<BufferSize> ancbufsize,
                        Maybe<SystemInt> flags) {
    const Control control(ancbufsize.value);
    if (!control.is_there()) return {};
    const auto message = self.socket.recvmsg_into(buffers, control, flags.value, Call(host()));
    if (!message) return raise(message.error());
    return tuple_of_message(self, nb::steal(PyLong_FromSize_t(message->size)), control, *message);
}

nb::object recv_fds(Anything sock, Anything bufsize, Int maxfds, Maybe<Anything> flags) {
    constexpr std::int64_t most = std::numeric_limits<int>::max() / sizeof(int) / 2;
    const bool is_in_range = maxfds.value >= 0 && maxfds.value <= most;
    const auto room =
        is_in_range ? ancillary_length(static_cast<std::size_t>(maxfds.value) * sizeof(int)) : std::nullopt;
    if (!room) {
        PyErr_SetString(PyExc_OverflowError, "recv_fds(): maxfds is out of range");
        return {};
    }
    const auto no_flags = nb::steal(PyLong_FromLong(0));
    const auto message = nb::steal(python<PyObject_CallMethod>(sock.object.ptr(), "recvmsg", "OnO",
                                                               bufsize.object.ptr(), static_cast<Py_ssize_t>(*room),
                                                               flags.given ? flags.object.ptr() : no_flags.ptr()));
    if (!message.is_valid()) return {};
    const auto parts = nb::steal(python<PySequence_Tuple>(message.ptr()));
    if (!parts.is_valid()) return {};
    if (tuple_size(parts) != 4) {
        PyErr_SetString(PyExc_ValueError, "recv_fds(): recvmsg() returns (data, ancdata, flags, address)");
        return {};
    }
    const auto part = [&](std::size_t i) { return nb::borrow(tuple_item(parts, i)); };
    Descriptors descriptors;
    if (!take_descriptors(part(1), descriptors)) return {};
    auto result = tuple_of(part(0), descriptors.list(), part(2), part(3));
    if (result.is_valid()) descriptors.release();
    return result;
}

void close_of_message(nb::handle message) noexcept {
    Descriptors descriptors;
    if (!take_descriptors(tuple_item(message, 1), descriptors)) PyErr_Clear();
}

void close_of_list(nb::handle received) noexcept {
    const nb::handle list = tuple_item(received, 1);
    for (std::size_t i = 0; i < list_size(list); ++i) close_descriptor(list_item(list, i));
}

void close_of_accept(nb::handle accepted) noexcept { close_descriptor(tuple_item(accepted, 0)); }

nb::object sendfile(Socket& self, OpenFile file, Maybe<FileOffset> offset, Maybe<OptionalInt> count) {
    const auto limit = arguments::limit(count.value);
    const auto from = arguments::limit(offset.value);
    if (!limit) return raise(limit.error(), count.object);
    if (offset.value < 0 || !from) return raise(Error(Fault::bufsize_range), offset.object);
    std::size_t sent = 0;
    const auto size = self.sendfile(file.fd, static_cast<std::uint64_t>(offset.value), *limit, sent, Call(host()));
    // Also where SO_SNDTIMEO has expired: the count must not be lost.
    const bool is_short = size.error() == Error(EAGAIN) && sent != 0;
    return size_or_raise(is_short ? Result<std::size_t>(sent) : size);
}

}  // namespace usocket::cpython
