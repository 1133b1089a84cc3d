// EndpointError: one line that names every place where it went wrong.
#include <algorithm>
#include <cstring>

#include "usocket/connect.hpp"
#include "writer.hpp"

namespace usocket {

void EndpointError::add(std::string_view place, Error why) noexcept {
    constexpr std::size_t room_for_count = sizeof "; and 65535 more";
    static_cast<Error&>(*this) = why;
    const std::string_view between = size_ == 0 ? "" : "; ";
    const std::string_view reason = why.message();
    const std::size_t end = text_.size() - room_for_count - 1;
    char* const memory = text_.data();
    if (untold_ == 0 && size_ + between.size() + place.size() + 2 + reason.size() <= end) {
        Writer out({memory + size_, end - size_});
        out << between << place << ": " << reason;
        size_ = static_cast<std::uint16_t>(size_ + out.size());
        memory[size_] = '\0';
        return;
    }
    if (untold_ < UINT16_MAX) ++untold_;
    Writer out({memory + size_, room_for_count});
    out << (size_ == 0 ? "" : "; and ") << untold_ << (size_ == 0 ? " addresses failed" : " more");
    memory[size_ + out.size()] = '\0';
}

}  // namespace usocket
