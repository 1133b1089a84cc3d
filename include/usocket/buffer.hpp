// Bytes in memory: borrowed to read (ConstBuffer), borrowed to fill (MutableBuffer), owned (Bytes), growing (Sink).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ranges>
#include <string_view>
#include <type_traits>
#include <utility>

#include "usocket/export.hpp"

namespace usocket {

class ConstBuffer;
class MutableBuffer;

namespace detail {

// What is sent as it lies in memory. Not what only points to the bytes that are meant, as a string_view in a vector.
template <class T>
concept PlainData = std::is_trivially_copyable_v<T> && !std::is_pointer_v<T> && !std::is_member_pointer_v<T> &&
                    !std::ranges::view<T> && !std::is_same_v<T, ConstBuffer> && !std::is_same_v<T, MutableBuffer>;
template <class T, class... Others>
concept OneOf = (std::is_same_v<T, Others> || ...);
// Literals have a NUL at their end, which is no part of what is meant.
template <class T>
concept ArrayOfText = std::is_array_v<T> && OneOf<std::remove_extent_t<T>, char, char8_t, wchar_t, char16_t, char32_t>;

}  // namespace detail

// Bytes that the caller keeps alive for the length of the call.
class ConstBuffer {
public:
    constexpr ConstBuffer() noexcept = default;
    constexpr ConstBuffer(const void* data, std::size_t size) noexcept : data_(data), size_(size) {}
    constexpr ConstBuffer(std::string_view text) noexcept : data_(text.data()), size_(text.size()) {}
    // Up to its NUL.
    template <class Pointer>
        requires std::is_pointer_v<Pointer> && std::is_same_v<std::remove_cv_t<std::remove_pointer_t<Pointer>>, char>
    constexpr ConstBuffer(const Pointer& text) noexcept : ConstBuffer(std::string_view(text)) {}
    // A literal: all of it but the NUL at its end. Of a constant array without one, all.
    template <std::size_t N>
    constexpr ConstBuffer(const char (&text)[N]) noexcept : ConstBuffer(text, text[N - 1] == '\0' ? N - 1 : N) {}
    template <std::size_t N>
    constexpr ConstBuffer(const char8_t (&text)[N]) noexcept : ConstBuffer(text, text[N - 1] == u8'\0' ? N - 1 : N) {}
    // How much of it is meant cannot be seen: say ConstBuffer(data, size), or std::string_view(data) for a C string.
    template <std::size_t N> ConstBuffer(char (&buffer)[N]) = delete;
    // What lies in memory one after the other: numbers, structs; not pointers and views, behind which the bytes are.
    template <std::ranges::contiguous_range Range>
        requires detail::PlainData<std::ranges::range_value_t<Range>> && (!detail::ArrayOfText<Range>)
    constexpr ConstBuffer(const Range& range USOCKET_BORROWS) noexcept
        : data_(std::ranges::data(range)),
          size_(std::ranges::size(range) * sizeof(std::ranges::range_value_t<Range>)) {}

    [[nodiscard]] const std::uint8_t* data() const noexcept { return static_cast<const std::uint8_t*>(data_); }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    // Without the first `count` bytes, which there are.
    [[nodiscard]] ConstBuffer from(std::size_t count) const noexcept { return {data() + count, size_ - count}; }

private:
    const void* data_ = nullptr;
    std::size_t size_ = 0;
};

class MutableBuffer {
public:
    constexpr MutableBuffer() noexcept = default;
    constexpr MutableBuffer(void* data, std::size_t size) noexcept : data_(data), size_(size) {}
    template <std::ranges::contiguous_range Range>
        requires detail::PlainData<std::ranges::range_value_t<Range>> &&
                     (!std::is_const_v<std::remove_reference_t<std::ranges::range_reference_t<Range>>>)
    constexpr MutableBuffer(Range&& range USOCKET_BORROWS) noexcept
        : data_(std::ranges::data(range)),
          size_(std::ranges::size(range) * sizeof(std::ranges::range_value_t<Range>)) {}

    [[nodiscard]] std::uint8_t* data() const noexcept { return static_cast<std::uint8_t*>(data_); }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    // Without the first `count` bytes, which there are.
    [[nodiscard]] MutableBuffer from(std::size_t count) const noexcept { return {data() + count, size_ - count}; }
    // The first `count` bytes, or all if there are fewer.
    [[nodiscard]] MutableBuffer first(std::size_t count) const noexcept {
        return {data_, count < size_ ? count : size_};
    }

private:
    void* data_ = nullptr;
    std::size_t size_ = 0;
};

// Memory that changes hands, with the way to give it back. Trivial: whoever holds it last calls release().
struct Block {
    std::uint8_t* data = nullptr;
    std::size_t size = 0;
    void* owner = nullptr;
    void (*free)(void* owner) noexcept = nullptr;

    void release() noexcept {
        if (free != nullptr) free(owner);
        *this = Block{};
    }
};

// Where a stream method puts what it reads: memory of the host's, which grows as bytes arrive (STRM-1).
// Trivially destructible: it may live in a frame that a longjmp skips.
class Sink {
public:
    // Makes capacity() at least `capacity`, the bytes so far kept. False: no memory; nothing has changed.
    using Grow = bool (*)(Sink& sink, std::size_t capacity) noexcept;
    // Hands the memory over with the bytes so far, and leaves the sink empty. nullptr: not the sink's to give.
    using Surrender = Block (*)(Sink& sink) noexcept;

    constexpr Sink(Grow grower, Surrender giver) noexcept : grow_(grower), surrender_(giver) {}
    // A sink over the caller's own memory, which does not grow.
    explicit Sink(MutableBuffer buffer) noexcept : data_(buffer.data()), capacity_(buffer.size()) {}

    // The bytes so far, how many there is memory for, and the memory behind them.
    [[nodiscard]] std::uint8_t* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] MutableBuffer room() const noexcept { return {data_ + size_, capacity_ - size_}; }

    // For the two functions above: where the memory is now.
    void set_memory(std::uint8_t* data, std::size_t capacity) noexcept {
        data_ = data;
        capacity_ = capacity;
    }
    void set_size(std::size_t size) noexcept { size_ = size; }
    // True if there is room for `count` bytes more, after growing if need be.
    [[nodiscard]] bool reserve(std::size_t count) noexcept {
        if (capacity_ - size_ >= count) return true;
        return grow_ != nullptr && grow_(*this, size_ + count);
    }
    // Only with room for them.
    void append(const std::uint8_t* bytes, std::size_t count) noexcept {
        if (count != 0) std::memcpy(data_ + size_, bytes, count);
        size_ += count;
    }
    [[nodiscard]] bool can_surrender() const noexcept { return surrender_ != nullptr; }
    [[nodiscard]] Block surrender() noexcept { return surrender_(*this); }

private:
    std::uint8_t* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
    Grow grow_ = nullptr;
    Surrender surrender_ = nullptr;
};

// Bytes that were received, owned. Move-only.
class Bytes {
public:
    Bytes() noexcept = default;
    Bytes(Bytes&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    Bytes& operator=(Bytes&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~Bytes() { std::free(data_); }

    // A contiguous range of bytes; view() is the same as text.
    [[nodiscard]] const std::uint8_t* data() const noexcept USOCKET_BORROWS { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] const std::uint8_t* begin() const noexcept USOCKET_BORROWS { return data_; }
    [[nodiscard]] const std::uint8_t* end() const noexcept USOCKET_BORROWS { return data_ + size_; }
    [[nodiscard]] std::string_view view() const noexcept USOCKET_BORROWS {
        return {reinterpret_cast<const char*>(data_), size_};
    }

    // A sink that grows on the C heap, and its bytes once it is filled.
    [[nodiscard]] static Sink sink() noexcept { return Sink(grow, surrender); }
    [[nodiscard]] static Bytes take(Sink& sink) noexcept {
        Bytes bytes;
        give_slack_back(sink);
        bytes.data_ = sink.data();
        bytes.size_ = sink.size();
        sink = Bytes::sink();
        return bytes;
    }

private:
    static bool grow(Sink& sink, std::size_t capacity) noexcept {
        void* memory = std::realloc(sink.data(), capacity);
        if (memory == nullptr) return false;
        sink.set_memory(static_cast<std::uint8_t*>(memory), capacity);
        return true;
    }
    static Block surrender(Sink& sink) noexcept {
        const Block block{sink.data(), sink.size(), sink.data(), [](void* owner) noexcept { std::free(owner); }};
        sink = Bytes::sink();
        return block;
    }
    // Gives the slack back where it is worth a call of realloc: not what doubling leaves, which has no pages behind it
    // as long as nobody writes there, while a read() into memory fresh from the system would have to get all of its
    // own.
    static void give_slack_back(Sink& sink) noexcept {
        const std::size_t slack = sink.capacity() - sink.size();
        if (slack > 4096 && slack > sink.size() && sink.size() != 0) (void)grow(sink, sink.size());
    }

    std::uint8_t* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace usocket
