// Messages of several pieces with ancillary data, and files, as Python writes them (SOCK-10).
#pragma once

#include <memory>
#include <new>

#include "method.hpp"

namespace usocket::cpython {

// Null: no memory. No list is longer than the compiler is told here.
template <class Item> std::unique_ptr<Item[]> make_array(std::size_t count) noexcept {
    const bool can_be = count <= static_cast<std::size_t>(PY_SSIZE_T_MAX) / sizeof(Item);
    return std::unique_ptr<Item[]>(can_be ? new (std::nothrow) Item[count] : nullptr);
}

// An iterable of bytes-like objects, each lent to the core. `Piece`: what one of them is, `Buffer`: as the core has it.
template <Usage usage, class Piece, class Buffer> struct Pieces {
    const char* kind = "an iterable of bytes-like objects";

    [[nodiscard]] bool set(nb::handle from, nb::handle socket) noexcept {
        if (!is_iterable(from)) return false;
        items_ = nb::steal(python<PySequence_List>(from.ptr()));
        if (!items_.is_valid()) return false;
        count_ = list_size(items_);
        pieces_ = make_array<Piece>(count_ + 1);
        buffers_ = make_array<Buffer>(count_ + 1);
        if (pieces_ == nullptr || buffers_ == nullptr) return PyErr_NoMemory() != nullptr;
        for (std::size_t i = 0; i < count_; ++i) {
            const nb::handle item = list_item(items_, i);
            Piece& piece = pieces_[i];
            bool is_set = false;
            if constexpr (requires { piece.set(item, socket); })
                is_set = piece.set(item, socket);
            else
                is_set = piece.set(item);
            if (!is_set && PyObject_CheckBuffer(from.ptr()) != 0) return false;  // one, and not in a list
            if (!is_set) return wrong_type(usage.chars, static_cast<Py_ssize_t>(i) + 1, piece.kind, item);
            buffers_[i] = piece;
        }
        return true;
    }
    operator std::span<const Buffer>() const noexcept { return {buffers_.get(), count_}; }

private:
    nb::object items_;
    std::unique_ptr<Piece[]> pieces_;
    std::unique_ptr<Buffer[]> buffers_;
    std::size_t count_ = 0;
};

using GatheredPieces = Pieces<"sendmsg(buffers)", Sendable, ConstBuffer>;
using ScatteredPieces = Pieces<"recvmsg_into(buffers)", Writable, MutableBuffer>;

// An iterable of (level, type, data), in control memory.
struct AncillaryData {
    const char* kind = "an iterable of tuples (level, type, data)";

    [[nodiscard]] bool set(nb::handle from) noexcept;
    operator ConstBuffer() const noexcept { return {memory_.get(), size_}; }

private:
    std::unique_ptr<std::uint8_t[]> memory_;
    std::size_t size_ = 0;
};

// An open file: something with fileno(), or a descriptor.
struct OpenFile {
    static constexpr const char* kind = "a file or a descriptor";
    int fd = -1;

    [[nodiscard]] bool set(nb::handle from) noexcept;
};

// Where in a file; an OverflowError if no file is so long, as CPython says it.
struct FileOffset : Int {
    [[nodiscard]] bool set(nb::handle from) noexcept;
};

nb::object sendmsg(Socket& self, const GatheredPieces& buffers, const Maybe<AncillaryData>& ancdata,
                   Maybe<SystemInt> flags, Maybe<Anything> address);
nb::object recvmsg(const Faced& self, BufferSize bufsize, Maybe<BufferSize> ancbufsize, Maybe<SystemInt> flags);
nb::object recvmsg_into(const Faced& self, const ScatteredPieces& buffers, Maybe<BufferSize> ancbufsize,
                        Maybe<SystemInt> flags);
// recv_fds() of CPython's module, which takes whatever has recvmsg().
nb::object recv_fds(Anything sock, Anything bufsize, Int maxfds, Maybe<Anything> flags);

// Close the descriptors in a result of recvmsg() and recvmsg_into(), of recv_fds(), and of _accept().
void close_of_message(nb::handle message) noexcept;
void close_of_list(nb::handle received) noexcept;
void close_of_accept(nb::handle accepted) noexcept;
nb::object sendfile(Socket& self, OpenFile file, Maybe<FileOffset> offset, Maybe<OptionalInt> count);

}  // namespace usocket::cpython
