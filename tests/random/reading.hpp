// Every way to receive from a stream, as one function with one kind of result.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "random.hpp"
#include "scarce.hpp"
#include "stack.hpp"
#include "usocket/message.hpp"
#include "usocket/usocket.hpp"

namespace usocket::tests {

struct Reading {
    enum class How {
        read,
        read_all,
        readinto,
        readline,
        readline_limit,
        readline_into,
        recv,
        recv_into,
        recvfrom,
        recvmsg
    };
    static constexpr const char* names[] = {"read",          "read_all", "readinto",  "readline", "readline_limit",
                                            "readline_into", "recv",     "recv_into", "recvfrom", "recvmsg"};
    static constexpr std::uint64_t ways = std::size(names);
    How how = How::recv;
    std::size_t size = 0;
    int flags = 0;
    bool has_room = false;  // recvmsg: for what comes beside the bytes

    [[nodiscard]] bool is_line() const { return how >= How::readline && how <= How::readline_into; }
    [[nodiscard]] bool is_socket_method() const { return how >= How::recv; }
    [[nodiscard]] bool is_stream_method() const { return !is_socket_method(); }
    // Without a limit of its own, so that the limit is the sink's.
    [[nodiscard]] bool is_unlimited() const { return how == How::read_all || how == How::readline; }
    // May return less than there is: what the socket holds comes alone, and MSG_WAITALL is the system's (SOCK-10).
    [[nodiscard]] bool is_message() const { return how == How::recvmsg; }
    // Waits for nothing, whatever the timeout (TIME-8).
    [[nodiscard]] bool is_at_once() const { return (flags & (MSG_DONTWAIT | MSG_OOB | MSG_ERRQUEUE)) != 0; }
    // Of another queue than the stream's.
    [[nodiscard]] bool is_elsewhere() const { return (flags & (MSG_OOB | MSG_ERRQUEUE)) != 0; }
    [[nodiscard]] bool is_peek() const { return (flags & MSG_PEEK) != 0; }

    [[nodiscard]] std::string text() const {
        std::string text = std::string(names[static_cast<int>(how)]) + "(" + std::to_string(size);
        constexpr std::pair<int, const char*> all[] = {
            {MSG_PEEK, "PEEK"},   {MSG_DONTWAIT, "DONTWAIT"}, {MSG_WAITALL, "WAITALL"},  {MSG_NOSIGNAL, "NOSIGNAL"},
            {MSG_TRUNC, "TRUNC"}, {MSG_OOB, "OOB"},           {MSG_ERRQUEUE, "ERRQUEUE"}};
        for (const auto& [flag, name] : all) {
            if ((flags & flag) != 0) text += std::string(" ") + name;
        }
        return text + ")";
    }

    static Reading choose(Random& random, std::size_t most) {
        Reading reading;
        reading.how = static_cast<How>(random.below(ways));
        reading.has_room = random.chance(500);
        reading.size =
            random.between(1, 1 + random.below(random.chance(100) ? most : std::min<std::size_t>(most, 600)));
        if (reading.is_stream_method() || random.chance(400)) return reading;
        constexpr int single[] = {MSG_PEEK, MSG_DONTWAIT, MSG_WAITALL, MSG_NOSIGNAL, MSG_TRUNC, MSG_OOB, MSG_ERRQUEUE};
        constexpr std::uint64_t usual = lacks("errors") ? 4 : 5, all = lacks("errors") ? 6 : 7;
        reading.flags = single[random.below(random.chance(300) ? all : usual)];
        if (random.chance(300) && !reading.is_elsewhere()) reading.flags |= single[random.below(4)];
        return reading;
    }
};

struct Got {
    Error error;
    std::string bytes;
    std::size_t count = 0;        // bytes.size(), but for MSG_TRUNC
    std::size_t descriptors = 0;  // that came beside them, and are closed
};

// Closes the descriptors; returns how many they are.
inline std::size_t drop(ConstBuffer control) {
    std::size_t count = 0;
    AncillaryReader reader(control);
    while (const auto item = reader.next()) {
        if (item->level == SOL_SOCKET && item->type == SCM_RIGHTS) count += item->data.size() / sizeof(int);
    }
    close_descriptors(control);
    return count;
}

// With a host's call, or without as a C++ program does.
inline Got perform(const Reading& reading, Socket& socket, const Host* host) {
    using How = Reading::How;
    std::optional<Call> call;
    if (host != nullptr) call.emplace(*host);
    Got got;
    Address from;
    std::vector<char> memory(reading.is_unlimited() || reading.how == How::read ? 0 : reading.size);
    Sink sink = Scarce::sink();
    const std::size_t limit = reading.is_unlimited() ? Socket::no_limit : reading.size;
    const auto counted = [&](const Result<std::size_t>& result) {
        got.error = result.error();
        if (!result) return;
        got.count = *result;
        got.bytes.assign(memory.data(), std::min(memory.size(), *result));
    };
    const auto sunk = [&](const Result<void>& result) {
        got.error = result.error();
        std::string bytes = Scarce::take(sink);
        if (!result) return;
        got.count = bytes.size();
        got.bytes = std::move(bytes);
    };
    const auto with_call = [&](auto method) { return call ? method(std::move(*call)) : method(Call()); };
    switch (reading.how) {
        case How::read:
        case How::read_all: sunk(with_call([&](Call&& c) { return socket.read_to(sink, limit, std::move(c)); })); break;
        case How::readline:
        case How::readline_limit:
            sunk(with_call([&](Call&& c) { return socket.readline_to(sink, limit, std::move(c)); }));
            break;
        case How::readinto: counted(with_call([&](Call&& c) { return socket.readinto(memory, std::move(c)); })); break;
        case How::readline_into:
            counted(call ? socket.readline_into(memory, std::move(*call)) : socket.readline_into(memory));
            break;
        case How::recv:
        case How::recv_into:
            counted(call ? socket.recv_into(memory, reading.flags, std::move(*call))
                         : socket.recv_into(memory, reading.flags));
            break;
        case How::recvfrom:
            counted(
                with_call([&](Call&& c) { return socket.recvfrom_into(memory, from, reading.flags, std::move(c)); }));
            break;
        case How::recvmsg: {
            const MutableBuffer all(memory.data(), memory.size());
            const MutableBuffer pieces[] = {all.first(all.size() / 3), all.from(all.size() / 3)};
            alignas(std::max_align_t) std::uint8_t control[64];
            const MutableBuffer beside(control, reading.has_room ? sizeof control : 0);
            const auto message =
                with_call([&](Call&& c) { return socket.recvmsg_into(pieces, beside, reading.flags, std::move(c)); });
            counted(message ? Result<std::size_t>(message->size) : message.error());
            if (message) got.descriptors = drop({control, message->control_size});
            break;
        }
    }
    return got;
}

}  // namespace usocket::tests
