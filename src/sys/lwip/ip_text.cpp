// IP addresses as text: as inet_pton(3) reads them, as RFC 5952 writes them.
#include <netinet/in.h>
#include <algorithm>
#include <cerrno>

#include "decimal.hpp"
#include "sys/sys.hpp"

namespace usocket::sys {
namespace {

// "1.2.3.4": four numbers of at most 255, without leading zeros.
bool parse_ipv4(std::string_view text, std::uint8_t* bytes) noexcept {
    for (int i = 0; i < 4; ++i) {
        const bool is_last = i == 3;
        const std::size_t dot = text.find('.');
        if ((dot == std::string_view::npos) != is_last) return false;
        const std::size_t end = is_last ? text.size() : dot;
        if (end > 3 || (end > 1 && text.front() == '0')) return false;
        const auto number = parse_decimal({text.data(), end});  // substr() wants libstdc++
        if (!number || *number > 255) return false;
        bytes[i] = static_cast<std::uint8_t>(*number);
        text.remove_prefix(is_last ? end : end + 1);
    }
    return true;
}

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    c = static_cast<char>(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// One to four digits off the front of the text.
bool take_group(std::string_view& text, std::uint8_t* bytes) noexcept {
    unsigned group = 0;
    std::size_t digits = 0;
    while (digits < text.size() && hex_digit(text[digits]) >= 0) {
        if (digits == 4) return false;
        group = group * 16 + static_cast<unsigned>(hex_digit(text[digits++]));
    }
    if (digits == 0) return false;
    text.remove_prefix(digits);
    bytes[0] = static_cast<std::uint8_t>(group >> 8);
    bytes[1] = static_cast<std::uint8_t>(group);
    return true;
}

constexpr std::size_t size6 = 16;

bool parse_ipv6(std::string_view text, std::uint8_t* bytes) noexcept {
    std::size_t size = 0;
    std::size_t gap = size6 + 1;  // where the "::" is; none yet
    std::fill_n(bytes, size6, std::uint8_t{0});
    if (text.starts_with("::")) {
        gap = 0;
        text.remove_prefix(2);
    }
    while (!text.empty()) {
        const std::size_t colon = text.find(':');
        const bool is_ipv4 = colon == std::string_view::npos && text.find('.') != std::string_view::npos;
        if (is_ipv4) {
            if (size > size6 - 4 || !parse_ipv4(text, bytes + size)) return false;
            size += 4;
            break;
        }
        if (size == size6 || !take_group(text, bytes + size)) return false;
        size += 2;
        if (text.empty()) break;
        if (text.front() != ':' || text.size() == 1) return false;
        text.remove_prefix(1);
        if (text.front() != ':') continue;
        if (gap <= size6) return false;
        gap = size;
        text.remove_prefix(1);
    }
    if (gap > size6) return size == size6;
    if (size == size6) return false;  // a gap of nothing
    std::copy_backward(bytes + gap, bytes + size, bytes + size6);
    std::fill_n(bytes + gap, size6 - size, std::uint8_t{0});
    return true;
}

// --- As text

class Out {
public:
    explicit Out(Address::Text& text) noexcept : text_(text) {}
    void put(char c) noexcept { text_.chars[text_.size++] = c; }
    void put(std::string_view more) noexcept {
        for (const char c : more) put(c);
    }

private:
    Address::Text& text_;
};

void format_ipv4(Out& out, const std::uint8_t* bytes) noexcept {
    for (int i = 0; i < 4; ++i) {
        if (i != 0) out.put('.');
        out.put(Decimal(bytes[i]).view());
    }
}

void format_group(Out& out, unsigned group) noexcept {
    bool has_begun = false;
    for (int shift = 12; shift >= 0; shift -= 4) {
        const unsigned digit = (group >> shift) & 15;
        has_begun = has_begun || digit != 0 || shift == 0;
        if (has_begun) out.put("0123456789abcdef"[digit]);
    }
}

// The longest run of groups that are 0, of at least two.
struct Run {
    int begin = -1;
    int size = 1;
};
Run longest_run(const unsigned* groups) noexcept {
    Run best;
    for (int begin = 0; begin < 8; ++begin) {
        int end = begin;
        while (end < 8 && groups[end] == 0) ++end;
        if (end - begin > best.size) best = {begin, end - begin};
    }
    return best;
}

void format_ipv6(Out& out, const std::uint8_t* bytes) noexcept {
    unsigned groups[8];
    for (int i = 0; i < 8; ++i) groups[i] = static_cast<unsigned>(bytes[2 * i] << 8 | bytes[2 * i + 1]);
    const Run run = longest_run(groups);
    // ::1.2.3.4 and ::ffff:1.2.3.4, as inet_ntop(3) has them.
    const bool has_ipv4 = run.begin == 0 && (run.size == 6 || (run.size == 5 && groups[5] == 0xffff));
    for (int i = 0; i < 8; ++i) {
        if (i == run.begin) {
            out.put(i == 0 ? "::" : ":");
            i += run.size - 1;
            if (i == 7) return;
            if (has_ipv4 && i == 5) return format_ipv4(out, bytes + 12);
            continue;
        }
        if (has_ipv4 && i == 6) return format_ipv4(out, bytes + 12);
        format_group(out, groups[i]);
        if (i != 7) out.put(':');
    }
}

}  // namespace

Result<PackedAddress> parse_ip(int family, std::string_view text) noexcept {
    PackedAddress ip;
    const bool is_ipv4 = family == AF_INET;
    if (!(is_ipv4 ? parse_ipv4(text, ip.bytes.data()) : parse_ipv6(text, ip.bytes.data()))) return Error(EINVAL);
    ip.size = is_ipv4 ? 4 : 16;
    return ip;
}

Address::Text format_ip(int family, ConstBuffer packed) noexcept {
    Address::Text text;
    Out out(text);
    if (family == AF_INET) {
        format_ipv4(out, packed.data());
    } else {
        format_ipv6(out, packed.data());
    }
    return text;
}

}  // namespace usocket::sys
