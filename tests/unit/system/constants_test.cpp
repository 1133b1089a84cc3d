// NAME-3: the constants are the platform's: every one of them, with the headers' values.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <string_view>

#include "loopback.hpp"

namespace usocket::tests {
namespace {

// One of the families of names that the rule wants whole: the prefix, and capitals, digits and underscores.
bool is_wanted(std::string_view name) {
    if (name == "AF_DECnet") return true;
    if (name == "SCM_SRCRT") return false;  // stands for a name that glibc does not have
    for (const std::string_view prefix : {"AF_", "SOCK_", "IPPROTO_", "SOL_", "SO_", "TCP_", "UDP_", "IP_", "IPV6_",
                                          "MSG_", "AI_", "NI_", "EAI_", "SHUT_", "SCM_"}) {
        if (!name.starts_with(prefix) || name.size() == prefix.size()) continue;
        return name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == std::string_view::npos;
    }
    return false;
}

const Constant* find(std::string_view name) {
    for (const Constant& constant : constants()) {
        if (constant.name == name) return &constant;
    }
    return nullptr;
}

// NAME-3
TEST(Constants, NAME_3_sorted_and_unique) {
    EXPECT_GT(constants().count, 100u);
    const Constant* last = nullptr;
    for (const Constant& constant : constants()) {
        EXPECT_TRUE(last == nullptr || std::strcmp(last->name, constant.name) < 0) << constant.name;
        last = &constant;
    }
}

TEST(Constants, NAME_3_values_are_the_headers) {
#define EXPECT_CONSTANT(name) \
    { \
        const Constant* found = find(#name); \
        ASSERT_NE(found, nullptr) << #name; \
        EXPECT_EQ(found->value, static_cast<long>(name)) << #name; \
    }
    EXPECT_CONSTANT(AF_INET)
    EXPECT_CONSTANT(AF_INET6)
    EXPECT_CONSTANT(AF_UNIX)
    EXPECT_CONSTANT(SOCK_STREAM)
    EXPECT_CONSTANT(SOCK_DGRAM)
    EXPECT_CONSTANT(SOCK_RAW)
    EXPECT_CONSTANT(IPPROTO_IP)
    EXPECT_CONSTANT(IPPROTO_TCP)
    EXPECT_CONSTANT(IPPROTO_UDP)
    EXPECT_CONSTANT(IPPROTO_IPV6)
    EXPECT_CONSTANT(SOL_SOCKET)
    EXPECT_CONSTANT(SO_REUSEADDR)
    EXPECT_CONSTANT(SO_KEEPALIVE)
    EXPECT_CONSTANT(SO_BROADCAST)
    EXPECT_CONSTANT(SO_ERROR)
    EXPECT_CONSTANT(SO_RCVBUF)
    EXPECT_CONSTANT(TCP_NODELAY)
    EXPECT_CONSTANT(IP_TTL)
    EXPECT_CONSTANT(IP_ADD_MEMBERSHIP)
    EXPECT_CONSTANT(IPV6_V6ONLY)
    EXPECT_CONSTANT(MSG_PEEK)
    EXPECT_CONSTANT(MSG_OOB)
    EXPECT_CONSTANT(MSG_DONTWAIT)
    EXPECT_CONSTANT(AI_PASSIVE)
    EXPECT_CONSTANT(AI_NUMERICHOST)
    EXPECT_CONSTANT(AI_CANONNAME)
    EXPECT_CONSTANT(EAI_NONAME)
    EXPECT_CONSTANT(EAI_AGAIN)
    EXPECT_CONSTANT(EAI_SYSTEM)
    EXPECT_CONSTANT(SHUT_RD)
    EXPECT_CONSTANT(SHUT_WR)
    EXPECT_CONSTANT(SHUT_RDWR)
    EXPECT_CONSTANT(AF_UNSPEC)
    EXPECT_CONSTANT(AF_NETLINK)
    EXPECT_CONSTANT(SOCK_SEQPACKET)
    EXPECT_CONSTANT(IPPROTO_ICMP)
    EXPECT_CONSTANT(NI_NUMERICHOST)
    EXPECT_CONSTANT(SCM_RIGHTS)
    EXPECT_CONSTANT(UDP_CORK)
#if defined(AF_DECnet)
    EXPECT_CONSTANT(AF_DECnet)
#endif
    EXPECT_CONSTANT(SOMAXCONN)
    EXPECT_CONSTANT(IPPROTO_SEC)
#undef EXPECT_CONSTANT
    EXPECT_EQ(find("IPPROTO_SEC")->value, 100) << "the WiPy's";
    EXPECT_LT(find("EAI_NONAME")->value, 0);
}

// NAME-3. Each #define of the headers, as the compiler lists them, with what it stands for.
std::map<std::string, std::string> defines_of_headers() {
    std::map<std::string, std::string> defines;
    FILE* compiler = ::popen(
        "printf '#include <netdb.h>\\n#include <netinet/in.h>\\n#include <netinet/tcp.h>\\n#include <netinet/udp.h>\\n"
        "#include <sys/socket.h>\\n' | "
        "c++ -x c++ -dM -E - 2>/dev/null",
        "r");
    if (compiler == nullptr) return defines;
    char line[4096], name[256], value[4096];
    while (std::fgets(line, sizeof line, compiler) != nullptr) {
        value[0] = '\0';
        if (std::sscanf(line, "#define %255s %4095[^\n]", name, value) < 1) continue;
        if (is_wanted(name)) defines[name] = value;
    }
    ::pclose(compiler);
    return defines;
}

TEST(Constants, NAME_3_every_define_of_the_headers_is_there) {
    const auto defines = defines_of_headers();
    if (defines.empty()) GTEST_SKIP() << "no c++ here";
    EXPECT_GT(defines.size(), 100u);
    unsigned compared = 0;
    for (const auto& [name, value] : defines) {
        const Constant* found = find(name);
        ASSERT_NE(found, nullptr) << name;
        char* end = nullptr;
        const long number = std::strtol(value.c_str(), &end, 0);
        if (end == value.c_str() || *end != '\0') continue;  // an expression, or another name
        EXPECT_EQ(found->value, number) << name;
        ++compared;
    }
    EXPECT_GT(compared, 100u);
}

TEST(Constants, NAME_3_nothing_else_is_there) {
    for (const Constant& constant : constants()) {
        EXPECT_TRUE(is_wanted(constant.name) || std::strcmp(constant.name, "SOMAXCONN") == 0) << constant.name;
    }
}

}  // namespace
}  // namespace usocket::tests
