// Who is there? Services find one another by multicast, without a server:
//
//     discover announce GROUP INTERFACE NAME       says NAME to whoever asks
//     discover find GROUP INTERFACE SECONDS        asks, and prints who answers in that time
//
// GROUP is an address and a port that all agree on, as 239.255.0.1:4321; INTERFACE is the network's name, as eth0.
#include <net/if.h>
#include <usocket/usocket.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

using usocket::Address;
using usocket::Deadline;
using usocket::Result;

constexpr std::string_view question = "who is there?";

Result<void> announce(const Address& group, unsigned interface, std::string_view name) {
    auto socket = USOCKET_TRY(usocket::socket(AF_INET, SOCK_DGRAM));
    USOCKET_TRY(socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1));  // several on one machine
    USOCKET_TRY(socket.bind(group));
    USOCKET_TRY(socket.join_group(group, interface));
    std::puts("announcing");
    std::fflush(stdout);
    for (std::array<char, question.size() + 1> asked;;) {
        const auto [size, from] = USOCKET_TRY(socket.recvfrom_into(asked));
        if (std::string_view(asked.data(), size) == question) USOCKET_TRY(socket.sendto(name, from));
    }
}

Result<void> find(const Address& group, unsigned interface, Deadline deadline) {
    auto socket = USOCKET_TRY(usocket::socket(AF_INET, SOCK_DGRAM));
    const ip_mreqn by{.imr_multiaddr = {}, .imr_address = {}, .imr_ifindex = static_cast<int>(interface)};
    USOCKET_TRY(socket.setsockopt(IPPROTO_IP, IP_MULTICAST_IF, by));
    USOCKET_TRY(socket.sendto(question, group));
    std::array<char, 512> name;
    for (Address from;;) {
        const auto size = socket.recvfrom_into(name, from, 0, deadline);
        if (!size) return size.error().code() == ETIMEDOUT ? Result<void>() : size.error();
        std::printf("%.*s at %s\n", static_cast<int>(*size), name.data(), from.host().chars.data());
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view task = argc == 5 ? argv[1] : "";
    if (task != "announce" && task != "find") {
        std::fprintf(stderr, "usage: discover announce GROUP INTERFACE NAME | find GROUP INTERFACE SECONDS\n");
        return 2;
    }
    const std::chrono::duration<double> seconds(std::atof(argv[4]));
    const auto done = Address::parse(argv[2]).and_then([&](const Address& group) {
        const unsigned interface = if_nametoindex(argv[3]);
        return task == "find" ? find(group, interface, Deadline::after(seconds)) : announce(group, interface, argv[4]);
    });
    if (!done) std::fprintf(stderr, "discover: %s\n", done.error().message());
    return done ? 0 : 1;
}
