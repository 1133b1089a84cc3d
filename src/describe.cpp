// Socket::describe: the text inside a repr (SOCK-8), the same on every host.
#include <charconv>
#include <cstring>
#include <string_view>

#include "sys/sys.hpp"
#include "usocket/socket.hpp"

namespace usocket {
namespace {

// Appends to the caller's memory, and stops at its end.
class Writer {
public:
    explicit Writer(MutableBuffer text) noexcept : text_(text) {}

    Writer& operator<<(std::string_view piece) noexcept {
        for (const char c : piece) put(c);
        return *this;
    }
    Writer& operator<<(std::int64_t number) noexcept {
        char digits[24];
        const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
        return *this << std::string_view(digits, static_cast<std::size_t>(end - digits));
    }
    // Printable ASCII as it is, the rest as \xNN.
    Writer& escaped(ConstBuffer bytes) noexcept {
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            const std::uint8_t byte = bytes.data()[i];
            if (byte >= ' ' && byte < 127 && byte != '\\' && byte != '\'') {
                put(static_cast<char>(byte));
            } else {
                static constexpr char hex[] = "0123456789abcdef";
                *this << "\\x";
                put(hex[byte >> 4]);
                put(hex[byte & 15]);
            }
        }
        return *this;
    }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
    void put(char c) noexcept {
        if (size_ < text_.size()) text_.data()[size_++] = static_cast<std::uint8_t>(c);
    }

    MutableBuffer text_;
    std::size_t size_ = 0;
};

// As the tuple that the address methods take, or the path.
void write_address(Writer& out, const Address& address) noexcept {
    const Address::Text host = address.host();
    if (host.size == 0) {
        (out << "'").escaped(address.payload()) << "'";
        return;
    }
    out << "('" << host.view() << "', " << address.port();
    if (address.family() == sys::af_inet6) out << ", " << address.flowinfo() << ", " << address.scopeid();
    out << ")";
}

// Seconds with as many decimals as they need.
void write_seconds(Writer& out, Timeout timeout) noexcept {
    constexpr std::int64_t second = 1'000'000'000;
    out << timeout.nanoseconds() / second;
    std::int64_t rest = timeout.nanoseconds() % second;
    out << ".";
    do {
        rest *= 10;
        out << rest / second;
        rest %= second;
    } while (rest != 0);
}

}  // namespace

std::size_t Socket::describe(MutableBuffer text) noexcept {
    Writer out(text);
    if (closed()) {
        out << "[closed] fd=-1";
    } else {
        out << "fd=" << fd_.load(std::memory_order_relaxed);
    }
    out << ", family=" << family() << ", type=" << type() << ", proto=" << proto() << ", timeout=";
    if (timeout_.is_none()) {
        out << "None";
    } else {
        write_seconds(out, timeout_);
    }
    const auto local = getsockname();
    if (local && local->size() != 0) write_address(out << ", laddr=", *local);
    const auto remote = getpeername();
    if (remote && remote->size() != 0) write_address(out << ", raddr=", *remote);
    return out.size();
}

}  // namespace usocket
