// A line over a pair of sockets.
#include <usocket/usocket.hpp>

#include <cstdio>

int main() {
    auto pair = usocket::socketpair();
    if (!pair) return 1;
    (void)pair->first.write("hello\n");
    const auto line = pair->second.readline();
    if (!line || line->view() != "hello\n") return 1;
    std::puts("usocket " USOCKET_VERSION_STRING);
}
