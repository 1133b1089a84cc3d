// What points to something that has ended: clang has to warn of each CASE, and of none where CASE is 0.
#include <usocket/usocket.hpp>

#include <string>
#include <string_view>

std::string make();

usocket::Result<void> mistake(usocket::Socket& socket) {
#if CASE == 1
    const std::string_view line = socket.readline()->view();
#elif CASE == 2
    const std::string_view line = USOCKET_TRY(socket.readline()).view();
#elif CASE == 3
    const usocket::ConstBuffer line = make();
#elif CASE == 4
    const char* line = usocket::listen(80).error().message();
#elif CASE == 5
    const std::string_view line = socket.getsockname()->text().view();
#else
    const auto bytes = USOCKET_TRY(socket.readline());
    const std::string_view line = bytes.view();
    const auto name = USOCKET_TRY(socket.getsockname());
    USOCKET_TRY(socket.write(name.text().view()));
    USOCKET_TRY(socket.write(make()));
#endif
    USOCKET_TRY(socket.write(line));
    return {};
}
