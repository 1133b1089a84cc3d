// CPP-5: reading a value that is not there stops a debug build with the error's text; here, whatever the build.
#define USOCKET_CHECKED 1

#include "loopback.hpp"

namespace usocket::tests {
namespace {

TEST(CheckedDeathTest, CPP_5_a_value_that_is_not_there) {
    EXPECT_DEATH((void)*Address::inet(AF_INET, "localhost", 80), "the host is not a numeric address .*\\(22\\)");
    const Result<Bytes> failed = Error(EAI_NONAME);
    EXPECT_DEATH((void)failed->view(), "Name or service not known \\(-2\\)");
    EXPECT_DEATH(*Result<void>(Error(EPIPE)), "Broken pipe");
    Result<AddressInfoList> nothing = Error(ECONNREFUSED);
    EXPECT_DEATH((void)(*nothing).front(), "Connection refused");
}

TEST(Checked, CPP_5_a_value_that_is_there) {
    Result<int> seven = 7;
    EXPECT_EQ(*seven, 7);
    EXPECT_EQ(*Result<std::string>(std::string("text")), "text");
    *Result<void>();
}

}  // namespace
}  // namespace usocket::tests
