// NAME-3: the numbers of our headers are those of lwIP's own, which its raw API does not show.
#include <gtest/gtest.h>

// Ours, under names that do not clash.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstddef>
#include <map>
#include <string>

namespace {

const std::map<std::string, int> ours = {
#define USOCKET_NUMBER(name) {#name, name}
#include "numbers.inc"
#undef USOCKET_NUMBER
};

}  // namespace

extern const std::map<std::string, int>& lwip_numbers();

TEST(LwipNumbers, NAME_3_are_those_of_lwip_s_own_headers) { EXPECT_EQ(ours, lwip_numbers()); }
