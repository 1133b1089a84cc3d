// EndpointError: one line that names every place where it went wrong.
#include <algorithm>
#include <cstring>

#include "usocket/connect.hpp"
#include "writer.hpp"

namespace usocket {
namespace {

constexpr std::size_t room_for_count = sizeof "; and 65535 more";

}  // namespace

// False: there is no room for it.
bool EndpointError::append(std::string_view place, std::string_view cut, Error why) noexcept {
    const std::size_t end = text_.size() - room_for_count - 1;
    Writer out({text_.data() + size_, end - size_});
    out << (size_ == 0 ? "" : "; ");
    // It may be what somebody has typed, or forgotten.
    out.readable(place.empty() ? std::string_view("\"\"") : place) << cut << ": " << why.message();
    // A small host has no texts of errors.
    if (*why.message() == '\0') out << "error " << std::int64_t{why.code()};
    if (out.is_full()) return false;
    size_ = static_cast<std::uint16_t>(size_ + out.size());
    text_[size_] = '\0';
    return true;
}

void EndpointError::add(std::string_view place, Error why) noexcept {
    constexpr std::size_t always_fits = 80;
    static_cast<Error&>(*this) = why;
    if (untold_ == 0 && append(place, "", why)) return;
    if (size_ == 0) {
        (void)append({place.data(), always_fits}, "...", why);
        return;
    }
    if (untold_ < UINT16_MAX) ++untold_;
    Writer count({text_.data() + size_, room_for_count});
    count << "; and " << untold_ << " more";
    text_[size_ + count.size()] = '\0';
}

}  // namespace usocket
