// examples/cpp/discover.cpp with standalone Asio.
#include <net/if.h>
#include <asio.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "twins.hpp"

namespace {

using asio::ip::udp;

constexpr std::string_view question = "who is there?";

void announce(const udp::endpoint& group, unsigned interface, std::string_view name) {
    asio::io_context context;
    udp::socket socket(context, udp::v4());
    socket.set_option(asio::socket_base::reuse_address(true));  // several on one machine
    socket.bind(group);
    // Its own join_group takes an interface of IPv4 by an address only, not by its number.
    const ip_mreqn in{{htonl(group.address().to_v4().to_uint())}, {}, static_cast<int>(interface)};
    if (setsockopt(socket.native_handle(), IPPROTO_IP, IP_ADD_MEMBERSHIP, &in, sizeof in) != 0) {
        throw asio::system_error(errno, asio::error::get_system_category());
    }
    std::puts("announcing");
    std::fflush(stdout);
    for (;;) {
        std::array<char, question.size() + 1> asked;
        udp::endpoint from;
        const std::size_t size = socket.receive_from(asio::buffer(asked), from);
        if (std::string_view(asked.data(), size) == question) socket.send_to(asio::buffer(name), from);
    }
}

asio::awaitable<void> print_answers(udp::socket& socket) {
    std::array<char, 512> name;
    for (udp::endpoint from;;) {
        const std::size_t size = co_await socket.async_receive_from(asio::buffer(name), from, asio::use_awaitable);
        std::printf("%.*s at %s\n", static_cast<int>(size), name.data(), from.address().to_string().c_str());
    }
}

void find(const udp::endpoint& group, unsigned interface, std::chrono::duration<double> span) {
    asio::io_context context(1);
    udp::socket socket(context, udp::v4());
    const ip_mreqn by{{}, {}, static_cast<int>(interface)};
    if (setsockopt(socket.native_handle(), IPPROTO_IP, IP_MULTICAST_IF, &by, sizeof by) != 0) {
        throw asio::system_error(errno, asio::error::get_system_category());
    }
    socket.send_to(asio::buffer(question), group);
    asio::co_spawn(context, print_answers(socket), [](const std::exception_ptr& failed) {
        if (failed) std::rethrow_exception(failed);
    });
    context.run_for(std::chrono::duration_cast<std::chrono::nanoseconds>(span));
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view task = argc == 5 ? argv[1] : "";
    if (task != "announce" && task != "find") {
        std::fprintf(stderr, "usage: discover announce GROUP INTERFACE NAME | find GROUP INTERFACE SECONDS\n");
        return 2;
    }
    try {
        const auto group = endpoint_of<udp>(argv[2]);
        const unsigned interface = if_nametoindex(argv[3]);
        if (task == "find") find(group, interface, std::chrono::duration<double>(std::atof(argv[4])));
        if (task == "announce") announce(group, interface, argv[4]);
    } catch (const std::exception& failed) {
        std::fprintf(stderr, "discover: %s\n", failed.what());
        return 1;
    }
    return 0;
}
