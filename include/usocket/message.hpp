// Messages: data in several pieces, and the ancillary data beside it (SOCK-10).
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "usocket/address.hpp"
#include "usocket/buffer.hpp"
#include "usocket/export.hpp"
#include "usocket/result.hpp"

namespace usocket {

// Pieces that are sent as one, and pieces that are filled one after the other: neither is joined or copied. The arrays
// are the caller's. Of a datagram the system takes so many (IOV_MAX); more are EMSGSIZE. Of a stream there is no limit.
using Gathered = std::span<const ConstBuffer>;
using Scattered = std::span<const MutableBuffer>;

// One piece of ancillary data: SOL_SOCKET and SCM_RIGHTS with descriptors, IPPROTO_IP and IP_PKTINFO, ...
struct Ancillary {
    int level = 0;
    int type = 0;
    ConstBuffer data;
};

// How many bytes of control memory an item with so much data takes, with the padding behind it (CMSG_SPACE) and
// without (CMSG_LEN). none: more than the system can count.
[[nodiscard]] USOCKET_API std::optional<std::size_t> ancillary_space(std::size_t data_size) noexcept;
[[nodiscard]] USOCKET_API std::optional<std::size_t> ancillary_length(std::size_t data_size) noexcept;

// Puts items into control memory of the caller's, in the system's own form.
class USOCKET_API AncillaryWriter {
public:
    explicit AncillaryWriter(MutableBuffer memory) noexcept : memory_(memory) {}

    // ENOBUFS: there is no room for it.
    Result<void> add(const Ancillary& item) noexcept;
    [[nodiscard]] ConstBuffer control() const noexcept { return {memory_.data(), size_}; }

private:
    MutableBuffer memory_;
    std::size_t size_ = 0;
};

// Takes the items out of control memory that recvmsg() has filled, one after the other. An item that was cut off
// (MSG_CTRUNC) has the data that is there.
class USOCKET_API AncillaryReader {
public:
    explicit AncillaryReader(ConstBuffer control) noexcept : control_(control) {}

    // None: that was all.
    [[nodiscard]] std::optional<Ancillary> next() noexcept;

private:
    ConstBuffer control_;
    std::size_t position_ = 0;
};

// Closes the descriptors in control memory that recvmsg() has filled, for whoever has no use for them.
USOCKET_API void close_descriptors(ConstBuffer control) noexcept;

// What recvmsg() has received. Descriptors in the ancillary data are close-on-exec, and the caller's to close.
struct ReceivedMessage {
    std::size_t size = 0;          // bytes in the pieces, or with MSG_TRUNC of the whole message
    std::size_t control_size = 0;  // bytes of control memory in use
    int flags = 0;                 // MSG_TRUNC, MSG_CTRUNC, MSG_EOR, ...
    Address address;               // of the sender; empty if the system names none
};

}  // namespace usocket
