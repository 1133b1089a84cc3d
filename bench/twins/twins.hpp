// What the twins need of what Asio has not: an endpoint from its text, as usocket::Address::parse() makes it.
#pragma once

#include <asio.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>

template <class Protocol> typename Protocol::endpoint endpoint_of(const std::string& text) {
    const auto colon = text.rfind(':');
    if (colon == std::string::npos) throw std::runtime_error("an address is HOST:PORT");
    return {asio::ip::make_address(text.substr(0, colon)),
            static_cast<unsigned short>(std::stoi(text.substr(colon + 1)))};
}

inline void print_port(const asio::ip::tcp::acceptor& acceptor) {
    std::printf("listening on 127.0.0.1 port %d\n", acceptor.local_endpoint().port());
    std::fflush(stdout);
}
